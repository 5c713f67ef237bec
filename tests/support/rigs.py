"""A simulated modem and the driver on it, over each kind of line; the line can be unplugged and plugged in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.at.commands import PIN_STATE, AtCommand
from drivers.catalogue import build_modem
from drivers.errors import PortMissing, TransportLost
from drivers.gsm.ladder import RepairPolicy
from drivers.gsm.settings import Deadlines, ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import PtyEnd, SimSettings, SimulatedModem, TcpEnd, TransportEnd
from drivers.transport.base import Receiver, Transport
from drivers.transport.loopback import loopback_pair
from drivers.transport.trace import TracedTransport, WireObserver


@dataclass(frozen=True, slots=True)
class QuickDeadlines(Deadlines):
    """The same but for +CPIN?: families that answer it without the OK are waited for each time."""

    def of(self, command: AtCommand) -> float:
        return min(Deadlines.of(self, command), 0.5) if command == PIN_STATE else Deadlines.of(self, command)


# Short enough for a test of what happens when they pass, long enough for a busy machine.
QUICK_REPAIR = RepairPolicy(
    look=0.05,
    held_longest=0.2,
    mend_longest=0.4,
    person=0.05,
    person_longest=0.2,
    after_reset=0.1,
    rest=0.4,
    longest_rest=1.6,
    calm=0.5,
)
QUICK = QuickDeadlines(
    attention=0.2,
    probe=0.2,
    quiet=0.05,
    prompt=0.4,
    submit=0.4,
    factor=0.1,
    pause=0.02,
    reopen=0.05,
    repair=QUICK_REPAIR,
)
# For tests that wait for a command's deadline: those of the longer commands are a fifth of a second and more.
HASTY = replace(QUICK, factor=0.02)


class OctetWise:
    """A transport that hands over one octet at a time: the most finely cut reads there are."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._receiver: Receiver | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        await self._inner.open(self)

    async def write(self, data: bytes) -> None:
        for at in range(len(data)):
            await self._inner.write(data[at : at + 1])

    async def close(self) -> None:
        self._receiver = None
        await self._inner.close()

    def data_received(self, data: bytes) -> None:
        for at in range(len(data)):
            if self._receiver is not None:
                self._receiver.data_received(data[at : at + 1])

    def transport_lost(self, error: TransportLost) -> None:
        if self._receiver is not None:
            self._receiver.transport_lost(error)


class Rig:
    """One modem and its supervisor. Subclasses say what the line is."""

    def __init__(self, settings: SimSettings) -> None:
        self.simulated = SimulatedModem(settings)

    def supervise(self, deadlines: Deadlines = QUICK, **more: object) -> ModemSupervisor:
        """A fresh supervisor on this line, as after a restart of the daemon."""
        raise NotImplementedError

    async def plug(self) -> None:
        raise NotImplementedError

    async def unplug(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        await self.unplug()
        self.simulated.close()


class SerialRig(Rig):
    def __init__(self, settings: SimSettings, folder: Path) -> None:
        super().__init__(settings)
        self._link = folder / "modem0"
        self._end: PtyEnd | None = None

    def supervise(self, deadlines: Deadlines = QUICK, **more: object) -> ModemSupervisor:
        return build_modem(ModemSettings("m", str(self._link), deadlines=deadlines, **more))  # type: ignore[arg-type]

    async def plug(self) -> None:
        self._end = PtyEnd(self.simulated, self._link)
        await self._end.open()

    async def unplug(self) -> None:
        if self._end is not None:
            await self._end.close()
            self._end = None


class TcpRig(Rig):
    def __init__(self, settings: SimSettings) -> None:
        super().__init__(settings)
        self._url = ""
        self._end: TcpEnd | None = None

    def supervise(self, deadlines: Deadlines = QUICK, **more: object) -> ModemSupervisor:
        return build_modem(ModemSettings("m", self._url, deadlines=deadlines, **more))  # type: ignore[arg-type]

    async def plug(self) -> None:
        port = int(self._url.rsplit(":", 1)[1]) if self._url else 0
        self._end = TcpEnd(self.simulated, "127.0.0.1", port)
        await self._end.open()
        self._url = self._end.name

    async def unplug(self) -> None:
        if self._end is not None:
            await self._end.close()
            self._end = None


class LoopbackRig(Rig):
    """In this process; `wrap` puts something between the driver and its end of the line."""

    def __init__(self, settings: SimSettings, wrap: Callable[[Transport], Transport] = lambda inner: inner) -> None:
        super().__init__(settings)
        self._wrap = wrap
        self.observer: WireObserver | None = None
        """Whom the lines of openings from now on are shown to."""
        self._plugged = False
        self._end: TransportEnd | None = None

    def supervise(self, deadlines: Deadlines = QUICK, **more: object) -> ModemSupervisor:
        settings = ModemSettings("m", "loopback:", deadlines=deadlines, **more)  # type: ignore[arg-type]
        return ModemSupervisor(settings, lambda: self._observed(self._wrap(_Line(self))))

    def _observed(self, line: Transport) -> Transport:
        return line if self.observer is None else TracedTransport(line, self.observer)

    async def plug(self) -> None:
        self._plugged = True

    async def unplug(self) -> None:
        self._plugged = False
        if self._end is not None:
            await self._end.close()
            self._end = None

    async def connect(self) -> Transport:
        if not self._plugged:
            raise PortMissing("there is no device loopback:")
        near, far = loopback_pair()
        self._end = TransportEnd(self.simulated, far)
        await self._end.open()
        return near


class _Line:
    """The driver's end, connected when it is opened."""

    name = "loopback:"

    def __init__(self, rig: LoopbackRig) -> None:
        self._rig = rig
        self._near: Transport | None = None

    async def open(self, receiver: Receiver) -> None:
        self._near = await self._rig.connect()
        await self._near.open(receiver)

    async def write(self, data: bytes) -> None:
        assert self._near is not None
        await self._near.write(data)

    async def close(self) -> None:
        if self._near is not None:
            await self._near.close()
