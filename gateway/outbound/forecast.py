"""When all of many messages will have left: the modems that can send now, with what each was measured to take for a
part, and what is queued before. `gateway.rules.estimate` plays it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from drivers.events import ModemState, ModemStatus
from gateway.clock import SECOND_US, Clock
from gateway.config.limits import SimLimits
from gateway.config.settings import Settings
from gateway.config.test_network import RESERVED, written
from gateway.measures import Measures
from gateway.outbound.routes import routes_of
from gateway.ring import Leaving
from gateway.rules.estimate import USUAL_S, Load, Machine, estimate
from gateway.rules.routing import Fit, Lane, Route, lane_of
from gateway.rules.sim_limits import spans_at
from gateway.store import hosts, lanes, pauses, ring_members, sim_counts
from gateway.store.schema import AnyRow

_USABLE: Final = frozenset({ModemState.READY, ModemState.BUSY})
# The simulated network of test tokens answers at once, as far as nobody measured it.
_REHEARSED_S: Final = 0.05
_MINUTE_S: Final = 60.0
# Behind every id of hex digits.
_LAST_ID: Final = "g"


@dataclass(frozen=True, slots=True)
class Leaves:
    """Messages that have still to leave: their lane, how many, and the parts of each."""

    lane: str
    messages: int
    parts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where messages stand that have still to leave: in which category, and behind what.

    Of their own priority that is what was accepted before the id `before`; everything by default. None: nothing at all
    waits before them. What is of the alert `ring_id` is theirs.
    """

    category: str
    priority: int
    before: str | None = _LAST_ID
    ring_id: str = ""


@dataclass(frozen=True, slots=True)
class _Able:
    """A modem that can send, what it may take, and the limits of its SIM with the key of its counts."""

    name: str
    seconds: float
    route: Route
    limits: SimLimits | None = None
    sim: str | None = None


class Forecaster:
    """Knows the modems of this host, and of the others what they tell."""

    def __init__(
        self, settings: Settings, measures: Measures, clock: Clock, statuses: Callable[[], Sequence[ModemStatus]]
    ) -> None:
        self._node = settings.gateway.node
        self._shared = settings.store.path is None
        self._measures = measures
        self._clock = clock
        self._statuses = statuses
        self._routes = routes_of(settings.modems, self._node)
        self._limits = {name: modem.limits for name, modem in written(settings.modems).items() if modem.limits}
        self._unheld = {name for name, category in settings.categories.items() if category.sim_limits == "ignore"}
        self._zone = ZoneInfo(settings.gateway.timezone)

    def leaving(
        self, connection: Connection, standing: Standing, ours: Iterable[Leaves], *, held_until_us: int | None = None
    ) -> Leaving:
        """When the last of `ours` has left, as things are; nothing of them before `held_until_us`."""
        now_us = self._clock.now_us()
        able = self._able(connection)
        if pauses.standing(connection).holds(standing.category):
            able = []
        machines = [self._machine(connection, each, standing.category, now_us) for each in able]
        loads = [_load(each, able) for each in ours]
        found = estimate(machines, loads, [_load(each, able) for each in self._ahead(connection, standing)])
        paces = {each.name: each.seconds for each in able if each.name in found.parts}
        if found.seconds is None:
            return Leaving(None, None, found.parts, paces)
        # What a rule holds leaves when all else has, or later.
        starts_s = max((held_until_us or 0) - now_us, 0) / SECOND_US
        seconds = starts_s + found.seconds
        return Leaving(seconds, now_us + int(seconds * SECOND_US), found.parts, paces)

    def told(self) -> Mapping[str, Mapping[str, Any]]:
        """What other hosts must know of the modems of this one to reckon with them."""
        return {
            name: {
                "pace": _rounded(self._measures.paces.of(name)),
                "route": {"categories": route.categories, "prefixes": route.prefixes},
            }
            for name, route in self._routes.items()
            if name not in RESERVED
        }

    def _ahead(self, connection: Connection, standing: Standing) -> list[Leaves]:
        found: list[Leaves] = []
        if standing.before is None:
            return found
        for row in lanes.waiting(connection):
            lane = lane_of(row.lane)
            if lane.priority < standing.priority:
                continue
            before = _LAST_ID if lane.priority > standing.priority else standing.before
            rows = ring_members.in_lane(connection, standing.ring_id, row.lane, before)
            found += [Leaves(row.lane, each.messages, each.parts) for each in rows]
        return found

    def _able(self, connection: Connection) -> list[_Able]:
        paces = self._measures.paces
        found = [
            _Able(
                self._shown(self._node, each.name),
                paces.of(each.name) or USUAL_S,
                self._routes[each.name],
                self._limits.get(each.name),
                each.iccid or f"{self._node}:{each.name}",
            )
            for each in self._statuses()
            if each.state in _USABLE and each.name in self._routes
        ]
        # Those of test tokens are always there, and shown to nobody.
        found += [
            _Able(name, paces.of(name) or _REHEARSED_S, self._routes[name]) for name in RESERVED & set(self._routes)
        ]
        return found + (self._elsewhere(connection) if self._shared else [])

    def _elsewhere(self, connection: Connection) -> list[_Able]:
        rows = [row for row in hosts.modems(connection) if row.node != self._node and row.alive]
        return [
            _Able(self._shown(row.node, row.name), float(told.get("pace") or USUAL_S), _route_of(row, told))
            for row in rows
            if row.state in _USABLE
            for told in (json.loads(row.status),)
        ]

    def _machine(self, connection: Connection, able: _Able, category: str, now_us: int) -> Machine:
        limits = able.limits
        if limits is None or category in self._unheld:
            return Machine(able.name, able.seconds)
        spans = spans_at(now_us, limits.billing_day, self._zone)
        used = sim_counts.every(connection).get(able.sim or "")
        day = used.day_parts if used and used.day_us >= spans.day_us else 0
        month = used.month_parts if used and used.month_us >= spans.month_us else 0
        seconds = max(able.seconds, _MINUTE_S / limits.per_minute) if limits.per_minute else able.seconds
        rooms = [
            (most - count, renews_us)
            for most, count, renews_us in (
                (limits.per_day, day, spans.next_day_us),
                (limits.per_month, month, spans.next_month_us),
            )
            if most is not None
        ]
        if not rooms:
            return Machine(able.name, seconds)
        room, renews_us = min(rooms)
        daily = limits.per_day if limits.per_day is not None else limits.per_month
        return Machine(able.name, seconds, max(room, 0), (renews_us - now_us) / SECOND_US, daily)

    def _shown(self, node: str, name: str) -> str:
        """By its name, where several hosts may have one of that name by node and name."""
        return f"{node}:{name}" if self._shared else name


def _route_of(row: AnyRow, told: Mapping[str, Any]) -> Route:
    kept: Mapping[str, Any] = told.get("route") or {}
    return Route(
        row.name,
        takes_test=bool(row.simulated),
        takes_live=True,
        categories=tuple(kept.get("categories", ())),
        prefixes=tuple(kept.get("prefixes", ())),
        node=row.node,
    )


def _load(leaves: Leaves, able: Sequence[_Able]) -> Load:
    lane: Lane = lane_of(leaves.lane)
    machines = frozenset(each.name for each in able if each.route.fit(lane) is not Fit.NOTHING)
    return Load(machines, leaves.messages, leaves.parts)


def _rounded(seconds: float | None) -> float | None:
    """To three digits that matter: it is told anew when it changes."""
    return None if seconds is None else float(f"{seconds:.3g}")
