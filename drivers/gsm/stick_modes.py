"""USB ids of sticks that are not in the mode in which they speak AT, and the command that changes it.

Data. Sources: usb_modeswitch, its options and device data (12d1:1f01, 12d1:1446, 19d2:2000, 1bbb:f000); its forum's
topic 1734 and the ofono list of January 2018 (Huawei's message that leads to ports instead of a network card); gammu
issues 486 and 517 (E3372, E3531); balena-os issue 445 (12d1:14dc); asterisk-chan-dongle issue 279 and lteforum.at
(firmware). A stick of which a serial port is there is in order, whatever its id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What the stick is just now."""

    STORAGE = "storage"
    NETWORK = "network"
    UNBOUND = "unbound"


@dataclass(frozen=True, slots=True)
class WrongMode:
    """What is plugged in, and what to do. `mend` is one sentence with the command in it."""

    mode: Mode
    mend: str


# Huawei's message for any of its sticks of later years: leads to serial ports, where the firmware has them.
_TO_PORTS = "55534243123456780000000000000011063000000100010000000000000000"
_FIRMWARE = (
    "; firmware 22 (HiLink) has no ports at all and has to be replaced by stick firmware (21). "
    "Never write AT^SETPORT without its entry 12, the AT port: such a stick cannot be spoken to any more"
)


def _switch(usb_id: str, option: str) -> str:
    vendor, product = usb_id.split(":")
    return f"usb_modeswitch -v {vendor} -p {product} {option}"


def _storage(usb_id: str, option: str) -> WrongMode:
    kept = f"the package usb-modeswitch does so at every plugging in, or by /etc/usb_modeswitch.d/{usb_id}"
    return WrongMode(Mode.STORAGE, f"run: {_switch(usb_id, option)} ({kept})")


def _network(usb_id: str) -> WrongMode:
    return WrongMode(Mode.NETWORK, f"run: {_switch(usb_id, f'-M {_TO_PORTS}')}{_FIRMWARE}")


def _unbound(usb_id: str) -> WrongMode:
    new_id = "/sys/bus/usb-serial/drivers/option1/new_id"
    return WrongMode(Mode.UNBOUND, f"run: modprobe option && echo {usb_id.replace(':', ' ')} > {new_id}")


WRONG_MODES: Mapping[str, WrongMode] = {
    # -J is Huawei's own message, -K ejects the disc.
    **{each: _storage(each, f"-M {_TO_PORTS}") for each in ("12d1:1f01", "12d1:157d")},
    **{each: _storage(each, "-J") for each in ("12d1:1446", "12d1:1520")},
    **{each: _storage(each, "-K") for each in ("19d2:2000", "1bbb:f000")},
    **{each: _network(each) for each in ("12d1:14db", "12d1:14dc")},
    **{each: _unbound(each) for each in ("12d1:1442", "12d1:155e", "12d1:1506", "12d1:1001", "19d2:0031", "1e0e:9001")},
}

_WORDS: Mapping[Mode, str] = {
    Mode.STORAGE: "is in storage mode: it shows its disc of drivers instead of a modem",
    Mode.NETWORK: "is in network (HiLink) mode: it is a network card without an AT port",
    Mode.UNBOUND: "has AT ports, and no driver of the kernel has taken them",
}


def wrong_mode(usb_id: str, places_with_ports: Collection[str], place: str) -> WrongMode | None:
    """What is wrong with the stick plugged in at `place`; None when nothing is known to be."""
    return None if place in places_with_ports else WRONG_MODES.get(usb_id)


def words_of(mode: Mode) -> str:
    """What a mode means, after the stick's name."""
    return _WORDS[mode]
