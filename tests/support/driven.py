"""A driver on a scripted modem, its lines, and what it has told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from support.rigs import QUICK
from support.scripted_modem import ScriptedLine, ScriptedModem

from drivers.errors import PortMissing
from drivers.events import ModemEvent, ModemState, ModemStateChanged
from drivers.gsm.pin_ledger import PinLedger
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor


class Driven:
    """A supervisor on a scripted modem, its lines, and what it has told."""

    def __init__(self, modem: ScriptedModem, *, pins: PinLedger | None = None, **settings: object) -> None:
        self.modem = modem
        self.lines: list[ScriptedLine] = []
        self.events: list[ModemEvent] = []
        #: How often the making of a line fails by a mistake of ours, and whether there is a device at all.
        self.mistakes = 0
        self.away = False
        #: How often it was looked for in vain.
        self.missed = 0
        made = ModemSettings("m", "scripted:", **{"deadlines": QUICK, **settings})  # type: ignore[arg-type]
        self.supervisor = ModemSupervisor(made, self._line, pins=pins, spread=lambda: 0.0)
        self._task: asyncio.Task[None] | None = None

    def _line(self) -> ScriptedLine:
        if self.mistakes:
            self.mistakes -= 1
            raise ZeroDivisionError
        if self.away:
            self.missed += 1
            raise PortMissing("there is no device scripted:")
        self.lines.append(ScriptedLine(self.modem))
        return self.lines[-1]

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen())
        await self.supervisor.start()

    async def ready(self) -> None:
        await self.start()
        await asyncio.wait_for(self.supervisor.wait_ready(), 5)

    async def _listen(self) -> None:
        async for event in self.supervisor.events():
            self.events.append(event)

    async def stop(self) -> None:
        await asyncio.wait_for(self.supervisor.stop(), 10)
        if self._task is not None:
            await self._task

    @property
    def line(self) -> ScriptedLine:
        return self.lines[-1]

    @property
    def messages(self) -> list[ModemEvent]:
        return [event for event in self.events if not isinstance(event, ModemStateChanged)]

    @property
    def states(self) -> list[ModemState]:
        return [event.state for event in self.events if isinstance(event, ModemStateChanged)]


Drive = Callable[..., Driven]
