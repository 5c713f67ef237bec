"""From the name of a port to the device that it means now, and back from an open descriptor to its device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from drivers.gsm.discovery import SerialPort, by_id_port, port_at, serial_ports
from drivers.gsm.port_names import DeviceName, PortName, UsbName
from drivers.transport.held import is_open_port
from drivers.transport.roots import Roots

_BY_ID = "serial/by-id"


def device_of(name: DeviceName, roots: Roots) -> Path:
    """The path to open. What sysfs says of a by-id name goes before the link: where no udev runs the link is old, or
    not there at all."""
    path = roots.path_of(name.path)
    if path.parent == roots.dev / _BY_ID:
        port = by_id_port(path, roots, serial_ports(roots))
        if port is not None:
            return port.device
    return path


def stick_of(device: Path, roots: Roots) -> str:
    """What two modems cannot share: the stick behind the device, else the device itself."""
    port = port_at(device, roots)
    return str(device.resolve()) if port is None else port.stick


def open_device(descriptor: int, name: PortName, roots: Roots) -> Path | None:
    """The device on which `descriptor` is open and alive, if `name` may mean it."""
    return next((device for device in _meant(name, roots) if is_open_port(descriptor, str(device))), None)


def _meant(name: PortName, roots: Roots) -> Iterator[Path]:
    if isinstance(name, DeviceName):
        yield device_of(name, roots)
        return
    for port in serial_ports(roots):
        if not isinstance(name, UsbName) or is_at(port, name):
            yield port.device


def is_at(port: SerialPort, name: UsbName) -> bool:
    """Whether the port is at this place of the USB."""
    return port.usb_path == name.device and name.interface in {None, port.interface}
