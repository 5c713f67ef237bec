"""The serial ports of this machine, with the USB device behind each, as sysfs shows them.

It reads files and links alone and opens no port. Sources: Linux, Documentation/ABI/testing/sysfs-bus-usb and
sysfs-class-tty; udev's 60-serial.rules for the names of /dev/serial/by-id.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.transport.roots import Roots

#: Drivers of cables: each port of theirs is a line of its own, with any device at its other end.
CABLE_DRIVERS = frozenset({"ftdi_sio", "pl2303", "cp210x", "ch341", "ch341-uart", "mos7840", "mos7720", "xr_serial"})

_INTERFACE = re.compile(r"(?P<device>\d+-\d+(?:\.\d+)*):(?P<interface>\d+\.\d+)")
_MOST_OCTETS = 256
_LONGEST_CHAIN = 8
_BY_ID = Path("serial/by-id")


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One tty. What is not on the USB has no `usb_path`. `device` is the path to open; `name` is the kernel's."""

    name: str
    device: Path
    driver: str | None = None
    usb_path: str | None = None
    interface: str | None = None
    interface_number: int | None = None
    interface_class: int | None = None
    interface_subclass: int | None = None
    interface_protocol: int | None = None
    vendor: str | None = None
    product: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    product_name: str | None = None
    #: Counts the enumerations of its bus: another number is another plugging in.
    plugged: str | None = None
    port_number: int | None = None

    @property
    def usb_id(self) -> str | None:
        """Vendor and product, such as ``12d1:1506``."""
        return f"{self.vendor}:{self.product}" if self.vendor and self.product else None

    @property
    def is_cable(self) -> bool:
        """Whether it is an adapter's line: then its neighbours are other devices."""
        return self.driver in CABLE_DRIVERS

    @property
    def stick(self) -> str:
        """What this port is a part of: its USB device, or for a cable the port alone."""
        return self.name if self.usb_path is None or self.is_cable else self.usb_path

    @property
    def by_id(self) -> str | None:
        """The name that udev gives its link, also where no udev runs."""
        if self.usb_path is None or self.interface_number is None:
            return None
        words = [self.manufacturer or self.vendor or "", self.product_name or self.product or "", self.serial or ""]
        name = f"usb-{'_'.join(_udev_word(word) for word in words if word)}-if{self.interface_number:02x}"
        return name if self.port_number is None else f"{name}-port{self.port_number}"


def serial_ports(roots: Roots) -> list[SerialPort]:
    """Every tty with a device behind it, by name, those of the USB first; one that vanishes meanwhile is left out."""
    found: list[SerialPort] = []
    with contextlib.suppress(OSError):
        for entry in (roots.sys / "class/tty").iterdir():
            port = serial_port(entry.name, roots)
            if port is not None:
                found.append(port)
    return sorted(found, key=lambda port: (port.usb_path is None, *_natural(port.name)))


def serial_port(name: str, roots: Roots) -> SerialPort | None:
    """The tty of that name; None when there is none, or nothing behind it."""
    link = roots.sys / "class/tty" / name / "device"
    try:
        place = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    plain = SerialPort(name=name, device=roots.dev / name, driver=_driver(place))
    interface = _interface_above(place, roots.sys)
    if interface is None:
        return plain if _is_fitted(roots.sys / "class/tty" / name) else None
    return _on_usb(plain, place, interface)


def _on_usb(plain: SerialPort, place: Path, interface: Path) -> SerialPort | None:
    usb = interface.parent
    found = _INTERFACE.fullmatch(interface.name)
    vendor, product = _word(usb / "idVendor"), _word(usb / "idProduct")
    if found is None or vendor is None or product is None:
        return None
    return SerialPort(
        name=plain.name,
        device=plain.device,
        driver=_driver(interface) or plain.driver,
        usb_path=found["device"],
        interface=found["interface"],
        interface_number=_hex(interface / "bInterfaceNumber"),
        interface_class=_hex(interface / "bInterfaceClass"),
        interface_subclass=_hex(interface / "bInterfaceSubClass"),
        interface_protocol=_hex(interface / "bInterfaceProtocol"),
        vendor=vendor.lower(),
        product=product.lower(),
        serial=_word(usb / "serial"),
        manufacturer=_word(usb / "manufacturer"),
        product_name=_word(usb / "product"),
        plugged=_word(usb / "devnum"),
        port_number=_number(place / "port_number"),
    )


def port_at(path: Path, roots: Roots) -> SerialPort | None:
    """The port to which a path below `dev` leads, link by link; None for any other device."""
    for _ in range(_LONGEST_CHAIN):
        if path.parent == roots.dev:
            found = serial_port(path.name, roots)
            if found is not None:
                return found
        try:
            path = Path(os.path.normpath(path.parent / path.readlink()))
        except OSError:
            return None
    return None


def by_id_port(path: Path, roots: Roots, ports: Sequence[SerialPort]) -> SerialPort | None:
    """The one port that udev would link at `path` in /dev/serial/by-id, if it ran here; None when several would be."""
    if path.parent != roots.dev / _BY_ID:
        return None
    fitting = [port for port in ports if port.by_id == path.name]
    return fitting[0] if len(fitting) == 1 else None


def by_id_links(roots: Roots) -> dict[str, Path]:
    """The links of /dev/serial/by-id that are there: port name → link."""
    found: dict[str, Path] = {}
    with contextlib.suppress(OSError):
        for link in sorted((roots.dev / _BY_ID).iterdir()):
            if (port := port_at(link, roots)) is not None:
                found[port.name] = link
    return found


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device of the USB that may have no serial port at all."""

    path: str
    usb_id: str
    name: str


def usb_devices(roots: Roots) -> Iterator[UsbDevice]:
    """Every USB device but hubs' roots."""
    with contextlib.suppress(OSError):
        for entry in sorted((roots.sys / "bus/usb/devices").iterdir()):
            vendor, product = _word(entry / "idVendor"), _word(entry / "idProduct")
            if vendor and product and not entry.name.startswith("usb"):
                words = (_word(entry / "manufacturer"), _word(entry / "product"))
                name = " ".join(word for word in words if word)
                yield UsbDevice(entry.name, f"{vendor}:{product}".lower(), name)


def _interface_above(place: Path, top: Path) -> Path | None:
    """The USB interface that a tty's device is, or is below."""
    stop = top.resolve()
    for folder in (place, *place.parents):
        if folder == stop:
            return None
        if _INTERFACE.fullmatch(folder.name):
            return folder
    return None


def _is_fitted(entry: Path) -> bool:
    """The kernel has entries for more serial chips than there are: those of type 0 are none."""
    return _word(entry / "type") not in {None, "0"}


def _driver(place: Path) -> str | None:
    try:
        return (place / "driver").readlink().name
    except OSError:
        return None


def _word(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_OCTETS).decode("utf-8", "replace")
    except OSError:
        return None
    return "".join(character for character in text if character.isprintable()).strip() or None


def _hex(path: Path) -> int | None:
    with contextlib.suppress(ValueError):
        return int(_word(path) or "", 16)
    return None


def _number(path: Path) -> int | None:
    word = _word(path)
    return int(word) if word is not None and word.isdecimal() else None


def _udev_word(text: str) -> str:
    """As udev writes a string into a file's name: runs of blanks, and what may not stand there, become `_`."""
    return re.sub(r"[^0-9A-Za-z#+\-.:=@_]", "_", re.sub(r"\s+", "_", text.strip()))


def _natural(name: str) -> tuple[str, int]:
    digits = re.search(r"\d+$", name)
    return (name[: digits.start()], int(digits.group())) if digits else (name, -1)
