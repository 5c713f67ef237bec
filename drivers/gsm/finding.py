"""The transport of a port that has to be found first: it looks anew at every opening.

So a stick is followed to whatever name it comes back under, without a restart and without any event of udev. What is
named by IMEI, or by a USB device with several ports, is asked before it is used; a port that turns out to be another
modem's is closed again, untouched but for the questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from drivers.errors import PortBusy, PortForbidden, PortMissing, TransportError, TransportLost
from drivers.gsm.asking import Talk
from drivers.gsm.devices import device_of, is_at, open_device, stick_of
from drivers.gsm.discovery import SerialPort, serial_ports
from drivers.gsm.port_names import DeviceName, ImeiName, PortName, UsbName
from drivers.gsm.port_order import in_order
from drivers.gsm.sticks import Answers, Sticks, sticks_here
from drivers.transport.base import Receiver, Transport
from drivers.transport.held import PortKeeper, let_go
from drivers.transport.holders import busy_text, holder_if_in_use
from drivers.transport.roots import Roots

#: Makes the transport of a device by its path; the keeper is handed on.
Opener: TypeAlias = Callable[[str, PortKeeper | None], Transport]


class FoundTransport:
    """`port` is as it was written and `name` what it means; `modem` is who wants it."""

    def __init__(
        self, port: str, name: PortName, modem: str, opener: Opener, *, roots: Roots, keeper: PortKeeper | None = None
    ) -> None:
        self._port = port
        self._name = name
        self._modem = modem
        self._opener = opener
        self._roots = roots
        self._keeper = keeper
        self._inner: Transport | None = None
        self._claimed: str | None = None
        #: Why its modem will be silent, if that is known already.
        self.remark: str | None = None

    @property
    def name(self) -> str:
        return self._port

    async def open(self, receiver: Receiver) -> None:
        if self._inner is not None:
            raise TransportError(f"{self._port} is open already")
        try:
            if not await self._take_over(receiver):
                await self._find(receiver)
        except BaseException:
            await self.close()
            raise

    async def write(self, data: bytes) -> None:
        if self._inner is None:
            raise TransportLost(f"{self._port} is closed")
        await self._inner.write(data)

    async def close(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            await inner.close()
        if self._claimed is not None:
            sticks_here().release(self._claimed, self._modem)
            self._claimed = None

    # --- a port that an earlier process left open

    async def _take_over(self, receiver: Receiver) -> bool:
        """The answer to a submit may be in it, so nothing is asked; the driver checks who it is afterwards."""
        descriptor = None if self._keeper is None else self._keeper.take()
        if self._keeper is None or descriptor is None:
            return False
        device = open_device(descriptor, self._name, self._roots)
        if device is None:
            let_go(descriptor)
            self._keeper.forget()
            raise TransportLost(f"{self._port} is gone (it was left open, and is another device now)")
        await self._use(device, receiver, _Handed(self._keeper, descriptor))
        return True

    # --- looking for it

    async def _find(self, receiver: Receiver) -> None:
        match self._name:
            case DeviceName():
                await self._open_named(device_of(self._name, self._roots), receiver)
            case UsbName(_, interface):
                ports = [port for port in await self._ports() if is_at(port, self._name)]
                if not ports:
                    raise PortMissing(f"there is no serial port at {self._port}")
                if interface is not None:
                    await self._open_named(ports[0].device, receiver)
                else:
                    await self._open_stick(ports, receiver)
            case ImeiName():
                await self._search(self._name, receiver)

    async def _ports(self) -> list[SerialPort]:
        # Some attributes wait for a device that is just being reset.
        return await asyncio.to_thread(serial_ports, self._roots)

    async def _open_named(self, device: Path, receiver: Receiver) -> None:
        # Another of our modems may be asking it, for a second, who it is.
        async with sticks_here().lock(str(device)):
            await self._use(device, receiver, self._keeper)

    async def _use(self, device: Path, receiver: Receiver, keeper: PortKeeper | None) -> None:
        self._claim(stick_of(device, self._roots))
        self._inner = self._opener(str(device), keeper)
        await self._inner.open(receiver)

    def _claim(self, stick: str) -> None:
        sticks_here().claim(stick, self._modem, self._port)
        self._claimed = stick

    async def _open_stick(self, ports: list[SerialPort], receiver: Receiver) -> None:
        """Open the port of a stick that answers AT."""
        self._claim(ports[0].stick)
        found = await self._ask(ports, who=False)
        if found is None:
            if not sticks_here().is_mute(sticks_here().answers(ports)):
                raise PortMissing(f"no port of {self._port} answers AT ({_names(ports)})")
            await self._open_mute(ports, receiver)
            return
        self._inner = found.transport
        found.hand_over(receiver)

    async def _open_mute(self, ports: list[SerialPort], receiver: Receiver) -> None:
        """Open the likeliest port of a stick that should answer: what is done about silence begins with an open port,
        which a reset can be written to."""
        last = sticks_here().answers(ports).last_port
        port = min(in_order(ports), key=lambda port: port.name != last)
        self.remark = f"the stick is there, none of its ports answers ({_names(ports)})"
        await self._open_named(port.device, receiver)

    # --- the search by IMEI

    async def _search(self, name: ImeiName, receiver: Receiver) -> None:
        """Where it was last; then wherever it is not known who is there."""
        sticks = sticks_here()
        groups = _by_stick(await self._ports())
        known = [group for group in groups if name.fits(sticks.answers(group).imei)]
        for group in known:
            self._claim(group[0].stick)
            if await self._meet(name, [group], receiver):
                return
            sticks.release(group[0].stick, self._modem)
        if not await self._meet(name, [group for group in groups if self._may_ask(sticks, group)], receiver):
            if mute := next((group for group in groups if self._is_mute(sticks, name, group)), None):
                await self._open_mute(mute, receiver)
                return
            raise PortMissing(f"no modem with the IMEI of {self._modem} answers ({len(groups)} looked at)")

    def _may_ask(self, sticks: Sticks, group: list[SerialPort]) -> bool:
        answers = sticks.answers(group)
        owned = sticks.owner(group[0].stick)
        return group[0].usb_path is not None and owned is None and answers.imei is None and sticks.may_ask(answers)

    def _is_mute(self, sticks: Sticks, name: ImeiName, group: list[SerialPort]) -> bool:
        """Whether it is the one that is meant, as it said when it still answered."""
        answers = sticks.answers(group)
        free = sticks.owner(group[0].stick) in {None, self._modem}
        return free and answers.imei is None and name.fits(answers.last_imei)

    async def _meet(self, name: ImeiName, groups: list[list[SerialPort]], receiver: Receiver) -> bool:
        """Ask these sticks, all at once, who they are; keep the one that is meant, and close the others."""
        opened: list[tuple[str, _Asked]] = []
        refusals: list[TransportError] = []

        async def ask(group: list[SerialPort]) -> None:
            try:
                found = await self._ask(group, who=True)
            except TransportError as error:
                refusals.append(error)
                return
            if found is not None:
                opened.append((group[0].stick, found))

        try:
            await asyncio.gather(*map(ask, groups))
            for place, (stick, found) in enumerate(opened):
                if name.fits(found.imei):
                    self._claim(stick)
                    del opened[place]
                    self._inner = found.transport
                    found.hand_over(receiver)
                    return True
        finally:
            for _, found in opened:
                await found.transport.close()
        if refusals:
            raise _most_telling(refusals)
        return False

    # --- asking one stick

    async def _ask(self, ports: list[SerialPort], *, who: bool) -> _Asked | None:
        """An open port of the stick that answers AT, the likeliest first, and with `who` its IMEI remembered.

        A port that is in use ends the search: its stick has another master.
        """
        sticks = sticks_here()
        answers = sticks.answers(ports)
        for port in _remembered_first(in_order(ports), answers):
            found = await self._ask_port(port, answers, who=who)
            if found is not None:
                return found
        sticks.silent(answers)
        return None

    async def _ask_port(self, port: SerialPort, answers: Answers, *, who: bool) -> _Asked | None:
        async with sticks_here().lock(str(port.device)):
            holder = await asyncio.to_thread(holder_if_in_use, port.device, self._roots)
            if holder is not None:
                raise PortBusy(busy_text(str(port.device), holder, self._roots))
            keeper = None if self._keeper is None else _Deferred(self._keeper)
            transport = self._opener(str(port.device), keeper)
            talk = Talk(transport)
            try:
                await transport.open(talk)
                if await talk.answers():
                    answers.imei = await talk.imei() if who else answers.imei
                    answers.port = port.name
                    return _Asked(transport, talk, keeper, answers.imei)
            except (PortMissing, TransportLost):
                await transport.close()
                return None
            except BaseException:
                await transport.close()
                raise
            await transport.close()
            return None


class _Deferred:
    """Keeps nothing until the port is known to be the one: the manager has room for one port of each modem."""

    def __init__(self, keeper: PortKeeper) -> None:
        self._keeper = keeper
        self._descriptor = -1
        self._adopted = False

    def take(self) -> int | None:
        return None

    def keep(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def forget(self) -> None:
        if self._adopted:
            self._keeper.forget()

    def adopt(self) -> None:
        """It is the one."""
        self._adopted = True
        self._keeper.keep(self._descriptor)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An open port that has answered."""

    transport: Transport
    talk: Talk
    keeper: _Deferred | None
    imei: str | None

    def hand_over(self, receiver: Receiver) -> None:
        """It is the one: whoever wanted it has it from now on."""
        if self.keeper is not None:
            self.keeper.adopt()
        self.talk.hand_over(receiver)


class _Handed:
    """A keeper that gives this one descriptor, and for the rest does as the real one."""

    def __init__(self, keeper: PortKeeper, descriptor: int) -> None:
        self._keeper = keeper
        self._descriptor: int | None = descriptor

    def take(self) -> int | None:
        descriptor, self._descriptor = self._descriptor, None
        return descriptor

    def keep(self, descriptor: int) -> None:
        self._keeper.keep(descriptor)

    def forget(self) -> None:
        self._keeper.forget()


def _by_stick(ports: Iterable[SerialPort]) -> list[list[SerialPort]]:
    groups: dict[str, list[SerialPort]] = {}
    for port in ports:
        groups.setdefault(port.stick, []).append(port)
    return list(groups.values())


def _remembered_first(ports: list[SerialPort], answers: Answers) -> list[SerialPort]:
    return sorted(ports, key=lambda port: port.name != answers.port)


def _most_telling(refusals: list[TransportError]) -> TransportError:
    """A missing permission is what somebody can mend."""
    return next((each for each in refusals if isinstance(each, PortForbidden)), refusals[0])


def _names(ports: Iterable[SerialPort]) -> str:
    return ", ".join(port.name for port in ports)
