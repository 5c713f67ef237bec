"""What waits because the SIMs that it may leave through have no room: shown as held, without being written to.

A limit so holds a million messages as quickly as one, and lets go of them as quickly.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.config.settings import Settings
from gateway.message import Hold, Rule
from gateway.outbound.routes import routes_of
from gateway.rules.routing import Fit, lane_of
from gateway.store import lanes, sim_counts
from gateway.store.messages import Waiting
from gateway.store.schema import AnyRow


def nothing_waits(lane: str) -> None:
    """No SIM is out of room."""
    del lane


class Waits:
    """Judges by the modems of this host: of others it does not know what they may take."""

    def __init__(self, settings: Settings) -> None:
        self._routes = routes_of(settings.modems, settings.gateway.node)
        self._node = settings.gateway.node
        self._limited = any(modem.limits for modem in settings.modems.values())
        self._unheld = {name for name, category in settings.categories.items() if category.sim_limits == "ignore"}

    def standing(self, connection: Connection, now_us: int) -> Waiting:
        """What waits now. Where no modem has limits, nothing is read."""
        if not self._limited:
            return nothing_waits
        held = {
            row.modem: row
            for row in sim_counts.held(connection)
            if row.node == self._node and row.held_until_us > now_us
        }
        return (lambda lane: self._hold(lane, held)) if held else nothing_waits

    def lanes(self, connection: Connection, waiting: Waiting) -> list[str]:
        """The lanes of what waits."""
        if waiting is nothing_waits:
            return []
        return [row.lane for row in lanes.waiting(connection) if waiting(row.lane) is not None]

    def _hold(self, text: str, held: Mapping[str, AnyRow]) -> Hold | None:
        lane = lane_of(text)
        if lane.category in self._unheld:
            return None
        suiting = [name for name, route in self._routes.items() if route.fit(lane) is not Fit.NOTHING]
        if not suiting or not all(name in held for name in suiting):
            return None
        soonest = min((held[name] for name in suiting), key=lambda row: row.held_until_us)
        return Hold(Rule.SIM_LIMIT, soonest.held_until_us, f"{soonest.modem}: {soonest.held_detail}")
