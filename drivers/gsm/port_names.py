"""The forms in which a configuration names a port: by its device, its IMEI, its place on the USB, its address.

Pure: whether there is such a port is for `discovery` and `finding`. Sources: TS 23.003, 6.2.1 (IMEI) and annex B (its
check digit); Linux, Documentation/driver-api/usb/usb.rst (bus-port.port:configuration.interface).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from drivers.errors import PortMissing

IMEI_SCHEME = "imei:"
USB_SCHEME = "usb:"

_USB = re.compile(r"(?P<device>[1-9]\d*-[1-9]\d*(?:\.[1-9]\d*)*)(?::(?P<interface>\d+\.\d+))?")
_IMEI = re.compile(r"\d{15}")
# Type allocation code and serial number; what follows is a check digit, a zero, or a version of the software.
_OF_IMEI = 14


@dataclass(frozen=True, slots=True)
class DeviceName:
    """A path below /dev, or any other device."""

    path: str


@dataclass(frozen=True, slots=True)
class ImeiName:
    """The modem with this IMEI, in whatever socket it is plugged."""

    imei: str

    def fits(self, told: str | None) -> bool:
        """Whether a modem that tells this number is the one."""
        return told is not None and told[:_OF_IMEI] == self.imei[:_OF_IMEI]


@dataclass(frozen=True, slots=True)
class UsbName:
    """Whatever is plugged into this socket: a device such as ``1-1.4``, and of it the interface ``1.2`` if named."""

    device: str
    interface: str | None


PortName: TypeAlias = DeviceName | ImeiName | UsbName


def parse_port_name(port: str) -> PortName:
    """Read a port; ValueError with a sentence for its owner when it can be none."""
    if port.startswith(IMEI_SCHEME):
        return _imei(port.removeprefix(IMEI_SCHEME))
    if port.startswith(USB_SCHEME):
        return _usb(port.removeprefix(USB_SCHEME))
    return DeviceName(port)


def _imei(digits: str) -> ImeiName:
    if not _IMEI.fullmatch(digits):
        raise ValueError("imei: takes the 15 digits that the modem's label and AT+CGSN show")
    if check_digit(digits[:_OF_IMEI]) != digits[_OF_IMEI]:
        raise ValueError("imei: the last digit does not fit the others: one of the 15 is mistyped")
    return ImeiName(digits)


def _usb(place: str) -> UsbName:
    found = _USB.fullmatch(place)
    if found is None:
        raise ValueError('usb: takes a place such as "usb:1-1.4", or with an interface "usb:1-1.4:1.2"')
    return UsbName(found["device"], found["interface"])


def require_named(port: str, imei: str | None) -> None:
    """Raise `PortMissing` when `port` names an IMEI and the modem behind it tells another one."""
    name = parse_port_name(port)
    if isinstance(name, ImeiName) and imei is not None and not name.fits(imei):
        raise PortMissing("another modem than the one with this IMEI is at its port")


def check_digit(digits: str) -> str:
    """The digit that follows `digits` (TS 23.003, annex B.2): doubled digits from the right count by their sum."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
