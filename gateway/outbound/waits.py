"""What waits because the modems that it may leave through are paused, their SIMs have no room, or the clock cannot be
trusted: shown as held, without being written to.

A limit so holds a million messages as quickly as one, and lets go of them as quickly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.config.settings import Settings
from gateway.config.test_network import FULL, written
from gateway.message import Hold, Pause, Rule
from gateway.outbound.routes import routes_of
from gateway.rules.clock_trust import needs_time
from gateway.rules.routing import Fit, Lane, is_stopped, lane_of, stopped_keys, wanted_text
from gateway.rules.sim_limits import spans_at
from gateway.store import campaign_stops, lanes, modem_pauses, sim_counts
from gateway.store.messages import Waiting
from gateway.store.schema import AnyRow

#: Nobody knows until when.
_PAUSED = Hold(Rule.PAUSED, None, "every modem that may take it is paused")
_STOPPED = Hold(Rule.PAUSED, None, "its campaign is paused or canceled")


def nothing_waits(lane: str) -> None:
    """No SIM is out of room."""
    del lane


class Waits:
    """Judges by the modems of this host: of others it knows only which of them are paused."""

    def __init__(self, settings: Settings, doubt: Callable[[], str | None] = lambda: None) -> None:
        self._doubt = doubt
        self._timed = {name for name, category in settings.categories.items() if needs_time(category)}
        self._routes = routes_of(settings.modems, settings.gateway.node)
        self._node = settings.gateway.node
        self._shared = settings.store.path is None
        self._limited = any(modem.limits for modem in written(settings.modems).values())
        self._rehearses = FULL in settings.modems
        self._zone = ZoneInfo(settings.gateway.timezone)
        self._unheld = {name for name, category in settings.categories.items() if category.sim_limits == "ignore"}

    def standing(self, connection: Connection, now_us: int) -> Waiting:
        """What waits now."""
        waiting = self._waiting(connection, modem_pauses.standing(connection), now_us)
        stopped = stopped_keys(campaign_stops.standing(connection))
        if not stopped:
            return waiting
        return lambda lane: _STOPPED if is_stopped(lane_of(lane).campaign, stopped) else waiting(lane)

    def with_kill_switch(self, connection: Connection, now_us: int) -> tuple[Pause, Waiting]:
        """What is paused, and what waits, by one statement where no SIM has limits; for who accepts messages, which no
        campaign does that is stopped."""
        pause, paused = modem_pauses.standing_with_kill_switch(connection)
        return pause, self._waiting(connection, paused, now_us)

    def _waiting(self, connection: Connection, paused: Sequence[AnyRow], now_us: int) -> Waiting:
        limited = sim_counts.held(connection) if self._limited else []
        full = {row.modem: row for row in limited if row.node == self._node and row.held_until_us > now_us}
        doubt = self._doubt()
        if not paused and not full and doubt is None:
            return partial(self._rehearsed, now_us) if self._rehearses else nothing_waits
        here = {row.modem for row in paused if row.node == self._node}
        elsewhere = {wanted_text(row.node, row.modem) for row in paused if row.node != self._node}
        unknown = None if doubt is None else Hold(Rule.PAUSED, None, doubt)

        def waits(text: str) -> Hold | None:
            lane = lane_of(text)
            if unknown is not None and lane.category in self._timed:
                return unknown
            return self._rehearsed(now_us, text) or self._hold(lane, here, elsewhere, full)

        return waits

    def lanes(self, connection: Connection, waiting: Waiting) -> list[str]:
        """The lanes of what waits."""
        if waiting is nothing_waits:
            return []
        return [row.lane for row in lanes.waiting(connection) if waiting(row.lane) is not None]

    def _rehearsed(self, now_us: int, text: str) -> Hold | None:
        """What waits for the SIM of the test network that has no room: known without asking for its counts."""
        if FULL not in text or lane_of(text).wanted != FULL or lane_of(text).category in self._unheld:
            return None
        midnight_us = spans_at(now_us, 1, self._zone).next_day_us
        return Hold(Rule.SIM_LIMIT, midnight_us, f"{FULL}: the SIM's limit of 0 parts a day leaves no room")

    def _hold(
        self, lane: Lane, paused: Collection[str], elsewhere: Collection[str], full: Mapping[str, AnyRow]
    ) -> Hold | None:
        suiting = [name for name, route in self._routes.items() if route.fit(lane) is not Fit.NOTHING]
        if lane.wanted in elsewhere or (suiting and all(name in paused for name in suiting) and self._is_ours(lane)):
            return _PAUSED
        if lane.category in self._unheld:
            return None
        if not suiting or not all(name in full or name in paused for name in suiting):
            return None
        waiting = [full[name] for name in suiting if name in full]
        if not waiting:
            return None
        soonest = min(waiting, key=lambda row: row.held_until_us)
        return Hold(Rule.SIM_LIMIT, soonest.held_until_us, f"{soonest.modem}: {soonest.held_detail}")

    def _is_ours(self, lane: Lane) -> bool:
        """Whether no modem of another host may take it."""
        return not self._shared or lane.wanted is not None
