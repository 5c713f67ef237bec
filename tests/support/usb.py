"""Sticks on a USB that does not exist: folders as sysfs and /dev show them, with pseudo-terminals for ttys.

A stick has one to four ports, of which one answers AT by a simulated modem. It can be plugged in anywhere, under any
tty numbers, and unplugged at any octet. Only the files that `drivers.gsm.discovery` is meant to read are made.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import shutil
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from drivers.at.equipment import Equipment
from drivers.sim.modem import SimulatedModem

_READ = 16 * 1024


class Line:
    """A pseudo-terminal as the far end of a tty; `hear` gets what the daemon writes."""

    def __init__(self, hear: Callable[[bytes], object] = lambda _data: None) -> None:
        self._hear = hear
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self.heard = bytearray()
        asyncio.get_running_loop().add_reader(self.master, self._read)

    @property
    def is_open(self) -> bool:
        return self.master >= 0

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self.master, _READ)
            self.heard += data
            self._hear(data)

    def write(self, data: bytes) -> None:
        if self.is_open:
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, data)

    def close(self) -> None:
        if self.is_open:
            asyncio.get_running_loop().remove_reader(self.master)
            # The master last: with it the daemon's end hangs up, and nothing else is open any more.
            os.close(self._slave)
            os.close(self.master)
            self.master = -1


@dataclass
class Trap:
    """Pulls the stick out when `octets` have passed on its AT port: from the daemon, or with `told` towards it.

    With `reaches` the modem still gets what the daemon wrote, but nobody hears its answer.
    """

    octets: bytes
    told: bool = False
    reaches: bool = False
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


class Stick:
    """A USB modem. `at` says which of its interfaces answers; the others hear and are silent."""

    def __init__(
        self,
        modem: SimulatedModem,
        *,
        usb_id: str = "12d1:1001",
        interfaces: int = 3,
        at: int = 2,
        serial: str = "",
        driver: str = "option",
        maker: str = "HUAWEI Technology",
        product: str = "HUAWEI Mobile",
    ) -> None:
        self.modem = modem
        self.usb_id, self.interfaces, self.at, self.driver = usb_id, interfaces, at, driver
        self.words = {"manufacturer": maker, "product": product, "serial": serial}
        self.lines: list[Line] = []
        self.trap: Trap | None = None
        self._passed = bytearray()
        self.on_unplugged: Callable[[], None] = lambda: None

    def connect(self) -> list[str]:
        """Power: a terminal for each interface; the modem starts as after any power-up."""
        self.lines = [
            Line(self._hear if number == self.at else lambda _data: None) for number in range(self.interfaces)
        ]
        self.modem._equipment = Equipment(echo=self.modem.settings.echo)
        self.modem.station.restart()
        self.modem.station.equipment.functionality = 1
        self.modem.attach(self._tell)
        self.modem.station.reception.pump()
        return [line.path for line in self.lines]

    def disconnect(self) -> None:
        """No power: what was going to happen inside does not happen, and the network keeps what comes for it."""
        self.modem.detach()
        if self.modem._timer:
            self.modem._timer.cancel()
        self.modem.station.equipment.functionality = 0
        self.modem.station.reception.close()
        for line in self.lines:
            line.close()
        self.lines = []

    def arm(self, trap: Trap) -> Trap:
        self.trap = trap
        self._passed.clear()
        return trap

    def _hear(self, data: bytes) -> None:
        trap = self.trap
        if trap is None or trap.told:
            self.modem.receive_data(data)
            return
        self._passed += data
        if trap.octets not in self._passed:
            self.modem.receive_data(data)
            return
        if trap.reaches:
            self.modem.detach()
            self.modem.receive_data(data)
        self._spring(trap)

    def _tell(self, data: bytes) -> None:
        self.lines[self.at].write(data)
        trap = self.trap
        if trap is not None and trap.told:
            self._passed += data
            if trap.octets in self._passed:
                # Not from within the modem's own turn.
                asyncio.get_running_loop().call_soon(self._spring, trap)

    def _spring(self, trap: Trap) -> None:
        if self.trap is trap:
            self.trap = None
            self.on_unplugged()
            trap.sprung.set()


class Usb:
    """The tree below `folder`. Give its `environ` to a daemon, or its `roots` to whoever takes them."""

    def __init__(self, folder: Path, *, udev: bool = True) -> None:
        self.sys, self.dev = folder / "sys", folder / "dev"
        self.udev = udev
        self._count = 0
        self._places: dict[Stick, tuple[str, list[str]]] = {}
        for path in (self.sys / "class/tty", self.sys / "bus/usb/devices", self.sys / "devices/usb", self.dev):
            path.mkdir(parents=True)
        for bus, names in {"usb": ("option", "ftdi_sio", "cdc_acm"), "usb-serial": ("option1", "ftdi_sio")}.items():
            for name in names:
                (self.sys / "bus" / bus / "drivers" / name).mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        return {"TOCSIN_SYSFS": str(self.sys), "TOCSIN_DEV": str(self.dev)}

    def plug(self, stick: Stick, place: str, first_tty: int) -> None:
        """At `place`, such as 1-1.4; its ports are ttyUSB from `first_tty` on."""
        self._count += 1
        names = [f"ttyUSB{first_tty + number}" for number in range(stick.interfaces)]
        self._places[stick] = (place, names)
        device = self.sys / "devices/usb" / place
        _files(device, dict(zip(("idVendor", "idProduct"), stick.usb_id.split(":"), strict=True)))
        _files(device, {name: word for name, word in stick.words.items() if word} | {"devnum": str(self._count)})
        for number, (name, path) in enumerate(zip(names, stick.connect(), strict=True)):
            self._add_port(stick, device, number, name, path)
        (self.sys / "bus/usb/devices" / place).symlink_to(device)
        stick.on_unplugged = lambda: self.unplug(stick)

    def _add_port(self, stick: Stick, device: Path, number: int, name: str, path: str) -> None:
        interface = device / f"{device.name}:1.{number}"
        port = interface / name
        _files(interface, {"bInterfaceNumber": f"{number:02x}", "bInterfaceClass": "ff"})
        _files(interface, {"bInterfaceSubClass": "ff", "bInterfaceProtocol": "ff"})
        _files(port, {"port_number": "0"})
        (interface / "driver").symlink_to(self.sys / "bus/usb/drivers" / stick.driver)
        (port / "tty" / name).mkdir(parents=True)
        (port / "tty" / name / "device").symlink_to(port)
        (self.sys / "class/tty" / name).symlink_to(port / "tty" / name)
        (self.dev / name).symlink_to(path)
        if self.udev:
            link = self.dev / "serial/by-id" / self.by_id(stick, number)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../{name}")

    def line(self, name: str) -> Line:
        """The far end of a tty."""
        return next(stick.lines[names.index(name)] for stick, (_, names) in self._places.items() if name in names)

    @staticmethod
    def by_id(stick: Stick, number: int) -> str:
        words = "_".join(word.replace(" ", "_") for word in stick.words.values() if word)
        return f"usb-{words}-if{number:02x}-port0"

    def unplug(self, stick: Stick) -> None:
        """Everything of it is gone at once, and its terminals hang up."""
        place, names = self._places.pop(stick)
        for name in names:
            (self.sys / "class/tty" / name).unlink()
            (self.dev / name).unlink()
        (self.sys / "bus/usb/devices" / place).unlink()
        shutil.rmtree(self.sys / "devices/usb" / place)
        for link in (self.dev / "serial/by-id").glob("*"):
            if link.readlink().name in names:
                link.unlink()
        stick.disconnect()

    def close(self) -> None:
        for stick in list(self._places):
            self.unplug(stick)
            stick.modem.close()


def _files(folder: Path, contents: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text + "\n")
