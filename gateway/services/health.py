"""Readiness: can messages be accepted, and is there a modem to send them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.events import ModemState
from gateway.errors import Unavailable
from gateway.requests import Readiness
from gateway.services.modems import Fleet
from gateway.store import hosts
from gateway.store.database import Store

_USABLE = frozenset({ModemState.READY, ModemState.BUSY})


class Health:
    """What a load balancer or a monitor asks."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        differing: Callable[[], Sequence[str]] = tuple,
        doubt: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._doubt = doubt
        self._store = store
        self._fleet = fleet
        self._differing = differing

    async def ready(self) -> Readiness:
        """Ready when the store writes and a modem is usable, of this host or of another that is alive.

        A host without a usable modem of its own can still accept: what it accepts leaves through another's. That hosts
        decide by different rules is told, and so is a clock that cannot be trusted: neither keeps anybody from
        accepting, and what does not ask for the hour leaves all the same.
        """
        reasons: list[str] = []
        if not await self._store.can_be_written():
            reasons.append("the store cannot be written")
        if not (self._usable_here() or await self._usable_elsewhere()):
            reasons.append("no modem is usable")
        alarms = [f"the rules of host {node} differ from those of this host" for node in self._differing()]
        doubt = self._doubt()
        if doubt is not None:
            alarms.append(doubt)
        return Readiness(ready=not reasons, reasons=reasons + alarms)

    def _usable_here(self) -> bool:
        return any(modem.status().state in _USABLE for modem in self._fleet.modems.values())

    async def _usable_elsewhere(self) -> bool:
        if not self._store.engine.shared:
            return False
        try:
            rows = await self._store.read(hosts.modems)
        except Unavailable:
            return False
        return any(row.alive and row.state in _USABLE for row in rows)
