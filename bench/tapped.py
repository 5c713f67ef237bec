"""A simulated modem of this process whose wire is listened to: it notes when octets that matter pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.sim import PtyEnd, SimSettings, SimulatedModem

_PATIENCE_S = 30.0


class TappedModem(SimulatedModem):
    """`on_submit` is told each instant (seconds, monotonic) at which the modem read AT+CMGS; `on_told` when it told of
    a message that had come, `on_read` when it wrote the line in which that message is read."""

    on_submit: Callable[[float], object] = staticmethod(lambda _instant: None)
    on_told: Callable[[float], object] = staticmethod(lambda _instant: None)
    on_read: Callable[[float], object] = staticmethod(lambda _instant: None)

    def receive_data(self, data: bytes) -> None:
        if b"+CMGS=" in data:  # it may stand behind the question for PDU mode, in one line
            self.on_submit(time.monotonic())
        super().receive_data(data)

    def attach(self, write: Callable[[bytes], object]) -> None:
        def tapped(data: bytes) -> None:
            write(data)
            if b"+CMTI" in data:
                self.on_told(time.monotonic())
            if b"+CMGL:" in data or b"+CMGR:" in data:
                self.on_read(time.monotonic())

        super().attach(tapped)

    async def submit(self) -> float:
        """Wait for the next AT+CMGS; its instant."""
        instant: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.on_submit = lambda now: instant.done() or instant.set_result(now)
        async with asyncio.timeout(_PATIENCE_S):
            return await instant


@asynccontextmanager
async def tapped_modem(folder: Path, settings: SimSettings | None = None) -> AsyncIterator[tuple[TappedModem, Path]]:
    """The modem on a pseudo-terminal, and its port. No report comes while anything is measured, unless asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    port = folder / "modem0"
    modem = TappedModem(settings or SimSettings(report_delay=3600.0))
    end = PtyEnd(modem, port)
    await end.open()
    try:
        yield modem, port
    finally:
        await end.close()
        modem.close()
