"""Readiness: can messages be accepted, and is there a modem to send them."""

from __future__ import annotations

from drivers.events import ModemState
from gateway.requests import Readiness
from gateway.services.modems import Fleet
from gateway.store.database import Store

_USABLE = frozenset({ModemState.READY, ModemState.BUSY})


class Health:
    """What a load balancer or a monitor asks."""

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet

    async def ready(self) -> Readiness:
        """Ready when the store writes and a modem is usable."""
        reasons: list[str] = []
        if not await self._store.can_be_written():
            reasons.append("the store cannot be written")
        if not any(modem.status().state in _USABLE for modem in self._fleet.modems.values()):
            reasons.append("no modem is usable")
        return Readiness(ready=not reasons, reasons=reasons)
