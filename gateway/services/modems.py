"""Modems: how they are, and texts let in through a simulated one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from drivers.tpdu import TpduError
from gateway.clock import Clock, from_datetime, to_datetime
from gateway.config.limits import SimLimits
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.ports import Modem, Simulator
from gateway.requests import ModemView, Principal
from gateway.store import upkeep
from gateway.store.database import Store

_MAX_INJECTED = 10_000


@dataclass(frozen=True, slots=True)
class Fleet:
    """The modems of this host by name, and the simulators behind the simulated ones."""

    modems: Mapping[str, Modem]
    simulators: Mapping[str, Simulator]


class Modems:
    """The modems of this host."""

    def __init__(self, store: Store, clock: Clock, fleet: Fleet, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._node = settings.gateway.node
        self._zone = ZoneInfo(settings.gateway.timezone)
        self._limits = {name: _limits_of(modem.limits) for name, modem in settings.modems.items()}

    async def list(self, principal: Principal) -> Sequence[ModemView]:
        """Every modem, by name."""
        del principal  # the scope of the route is all that is asked
        since_us = self._midnight_us()
        counts = await self._store.read(lambda connection: upkeep.sent_since(connection, since_us))
        modems = sorted(self._fleet.modems.items())
        return [
            ModemView(modem.status(), self._node, counts.get(name, 0), self._limits.get(name)) for name, modem in modems
        ]

    async def simulate(self, principal: Principal, name: str, sender: str, text: str) -> None:
        """Let a text arrive at a simulated modem as an inbound SMS."""
        del principal  # the scope of the route is all that is asked
        bare = name.removeprefix(f"{self._node}:")
        if bare not in self._fleet.modems:
            raise NotFound("modem_not_found", "there is no such modem")
        simulator = self._fleet.simulators.get(bare)
        if simulator is None:
            raise Conflict("not_simulated", "only a simulated modem can be given a text to receive")
        if not text or len(text) > _MAX_INJECTED:
            raise InvalidRequest.field("text_invalid", "/text", f"has 1 to {_MAX_INJECTED} characters")
        try:
            simulator.inject_sms(sender, text)
        except (TpduError, ValueError) as error:
            reason = error.args[-1] if isinstance(error, TpduError) else error
            raise InvalidRequest.field("simulate_invalid", "/from", f"cannot be a sender: {reason}") from None

    def _midnight_us(self) -> int:
        today = to_datetime(self._clock.now_us()).astimezone(self._zone).date()
        return from_datetime(datetime(today.year, today.month, today.day, tzinfo=self._zone))


def _limits_of(limits: SimLimits) -> dict[str, int] | None:
    """What is written, by its key; None where there is no limit."""
    if not limits:
        return None
    return {key: value for key, value in asdict(limits).items() if value is not None}
