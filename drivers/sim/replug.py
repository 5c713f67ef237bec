"""A port that goes away while its modem restarts, and comes back."""

from __future__ import annotations

import asyncio
from typing import Protocol

from drivers.sim.modem import SimulatedModem


class Port(Protocol):
    """Where a modem is plugged in."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...


class Replug:
    """Closes `port` when `modem` restarts and opens it again later."""

    def __init__(self, modem: SimulatedModem, port: Port) -> None:
        self._modem = modem
        self._port = port
        self._away: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """The port is open."""
        self._modem.restarting = self._leave

    def forget(self) -> None:
        """The port is closed for good, unless it is closed from here."""
        if self._away and self._away is not asyncio.current_task():
            self._away.cancel()

    def _leave(self, seconds: float) -> None:
        self._away = asyncio.get_running_loop().create_task(self._stay_away(seconds))

    async def _stay_away(self, seconds: float) -> None:
        await self._port.close()
        await asyncio.sleep(seconds)
        await self._port.open()
