"""Who is next at a modem: the messages that it may take, in the order of their turns.

Higher priority first. Within a priority each category of each token takes turns, and within one of these it is due
time, then id. What no one may take now costs nothing: lanes are looked through, not messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection

from gateway.config.settings import ModemConfig
from gateway.outbound.routes import routes_of
from gateway.rules.routing import (
    DOUBTFUL_AFTER,
    REMEMBERED_US,
    Fit,
    Lane,
    Peer,
    Route,
    lane_of,
    leave_at_most_until_us,
    leave_until_us,
)
from gateway.rules.turns import Turns
from gateway.store import lanes, messages
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow


@dataclass(frozen=True, slots=True)
class Queued:
    """A lane in which something is due, and how much of it the asking modem may take."""

    lane: Lane
    text: str
    due_us: int
    fit: Fit


class Line:
    """What stands before the modems of this host. Turns and doubts are forgotten at a restart, which harms nobody."""

    def __init__(self, modems: Mapping[str, ModemConfig]) -> None:
        self._routes = routes_of(modems)
        #: The same by what was last known of each modem.
        self._now: dict[str, Route] = {}
        self._turns: dict[int, Turns] = {}
        #: How many outcomes in a row of each modem nobody knows.
        self._lost: dict[str, int] = {}
        #: The modems of this host that can send now.
        self.usable: Callable[[], Collection[str]] = tuple

    def route(self, modem: ModemFacts) -> Route:
        """What a modem may take: test or live traffic by its facts, the rest by the configuration."""
        # The facts are made anew for each part and are nearly always what they were.
        known = self._now.get(modem.name)
        if known is not None and (known.takes_test, known.takes_live, known.node) == (
            modem.takes_test,
            modem.takes_live,
            modem.node,
        ):
            return known
        route = self._routes.get(modem.name) or Route(modem.name, modem.takes_test, modem.takes_live)
        route = replace(route, takes_test=modem.takes_test, takes_live=modem.takes_live, node=modem.node)
        self._now[modem.name] = route
        return route

    def flows(
        self, waiting: Sequence[AnyRow], modem: ModemFacts, now_us: int, above: int, *, may: Callable[[Lane], bool]
    ) -> Iterator[Sequence[Queued]]:
        """The lanes that this modem may take from, of at least priority `above`, in the order of turns.

        `waiting` are those of `lanes.look`; `may` says of a lane whether it may leave now.
        """
        route = self.route(modem)
        found: list[Queued] = []
        for row in waiting:
            lane = lane_of(row.lane)
            if row.due_us > now_us or lane.priority < above:
                continue
            fit = route.fit(lane)
            if fit is not Fit.NOTHING and may(lane):
                found.append(Queued(lane, row.lane, row.due_us, fit))
        found.sort(key=lambda each: -each.lane.priority)
        for priority, same in groupby(found, key=lambda each: each.lane.priority):
            yield from self._in_turn(priority, list(same))

    def _in_turn(self, priority: int, found: list[Queued]) -> Iterator[Sequence[Queued]]:
        if len(found) == 1:
            yield found
            return
        turns = self._turns.get(priority) or Turns()
        flows: dict[object, list[Queued]] = {}
        for each in sorted(found, key=lambda each: (each.due_us, each.text)):
            flows.setdefault(each.lane.flow, []).append(each)
        yield from sorted(flows.values(), key=lambda flow: (turns.tally(flow[0].lane.flow), flow[0].due_us))

    def candidates(
        self, connection: Connection, modem: ModemFacts, flow: Sequence[Queued], now_us: int
    ) -> Iterator[AnyRow]:
        """The first messages of a flow's lanes, by due time and id; a lane is read when its turn comes."""
        prefixes = self.route(modem).prefixes
        unread = deque(flow)
        #: Each with its lane, if that was not read further than this.
        found: list[tuple[AnyRow, Queued | None]] = []
        while unread or found:
            while unread and (not found or unread[0].due_us <= found[0][0].due_us):
                each = unread.popleft()
                some = prefixes if each.fit is Fit.SOME else ()
                found += [(row, each) for row in lanes.first(connection, each.text, now_us, some)]
                found.sort(key=_turn)
            if found:
                row, lane = found.pop(0)
                yield row
                if lane is not None:
                    some = prefixes if lane.fit is Fit.SOME else ()
                    rest = lanes.ready(connection, lane.text, now_us, some)
                    found += [(other, None) for other in rest if other.id != row.id]
                    found.sort(key=_turn)

    def serve(self, row: AnyRow) -> None:
        """This message was given its turn."""
        lane = lane_of(row.lane)
        self._turns.setdefault(lane.priority, Turns()).serve(lane.flow, row.parts)

    def learn(self, modem: str, *, lost: bool) -> None:
        """The outcome of a submit is known, or lost."""
        self._lost[modem] = self._lost.get(modem, 0) + 1 if lost else 0

    def leaves_until_us(self, connection: Connection, modem: ModemFacts, row: AnyRow, now_us: int) -> int | None:
        """Until when this modem leaves a message to others, or None when it takes it now."""
        doubtful = self._is_doubtful(modem.name)
        most_us = leave_at_most_until_us(doubtful=doubtful, priority=row.priority, due_us=row.due_us)
        if most_us is None or most_us <= now_us:
            return None
        lane = lane_of(row.lane)
        peers = [
            Peer(name, self._is_doubtful(name))
            for name in self.usable()
            if name != modem.name and name in self._routes and self._routes[name].takes(lane, row.number or "")
        ]
        if not peers:
            return None

        def until_us(known_by: str | None) -> int | None:
            return leave_until_us(
                name=modem.name,
                doubtful=doubtful,
                priority=row.priority,
                due_us=row.due_us,
                peers=peers,
                known_by=known_by,
            )

        # Who it is known by is asked of the store only where it would change something.
        latest = max((until_us(each) or 0 for each in (None, *(peer.name for peer in peers))), default=0)
        if latest <= now_us:
            return None
        found = until_us(messages.last_modem_to(connection, row.recipient_id, modem.node, now_us - REMEMBERED_US))
        return found if found is not None and found > now_us else None

    def _is_doubtful(self, name: str) -> bool:
        return self._lost.get(name, 0) >= DOUBTFUL_AFTER


def _turn(candidate: tuple[AnyRow, Queued | None]) -> tuple[int, str]:
    return candidate[0].due_us, candidate[0].id
