"""Which of a stick's several ports is likely to answer AT: a table by USB id, and otherwise by what the ports say.

Sources: the port rules of ModemManager's plugins huawei (by interface class), zte, simtech, quectel, sierra, telit,
ublox and cinterion. The table only orders the questions: a port that is asked and does not answer is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.gsm.discovery import SerialPort

#: Interfaces that answer AT, the best first. The key is vendor:product, or the vendor alone for the rest of its family.
AT_INTERFACES: Mapping[str, tuple[int, ...]] = {
    "12d1": (2, 1, 0, 3),
    "12d1:1001": (2, 1, 0),
    "19d2": (1, 2, 3, 0),
    "19d2:0031": (2, 1, 3, 0),
    "19d2:0117": (1, 2, 0),
    "1e0e:9001": (2, 3),
    "1e0e:9011": (2, 4, 3),
    "2c7c": (2, 3),
    "05c6:9215": (2, 3),
    "1199": (3, 2),
    "1bc7": (0, 2, 1, 3),
    "1bc7:1010": (3, 2),
    "1bc7:1011": (1, 2),
    "1bc7:1201": (1, 2, 4, 5),
    "1546": (0, 2, 4, 6),
    "1546:1010": (6,),
    "1e2d": (0, 2, 4),
    "1e2d:0061": (2, 0),
    "2001:7d01": (0, 1, 2, 3),
}
#: Interfaces that are never asked: the makers' and ModemManager's rules set them aside.
NOT_ASKED: Mapping[str, frozenset[int]] = {
    "1546:1010": frozenset({2, 4, 8}),
    "1e2d:0061": frozenset({6, 8}),
}

# Huawei tells by subclass and protocol of its vendor-specific interfaces what they are (its "pcui" is the AT port).
_HUAWEI = "12d1"
_VENDOR_SPECIFIC = 0xFF
_PCUI = {(0x01, 0x02), (0x02, 0x02), (0x06, 0x02)}
_LAST = 99


def in_order(ports: Sequence[SerialPort]) -> list[SerialPort]:
    """The ports of one stick, in the order in which they should be asked."""
    asked = [port for port in ports if not _set_aside(port)]
    return sorted(asked, key=lambda port: (_rank(port), port.interface_number or 0, port.name))


def _set_aside(port: SerialPort) -> bool:
    return port.interface_number in NOT_ASKED.get(port.usb_id or "", frozenset())


def _rank(port: SerialPort) -> int:
    kind = port.interface_subclass, port.interface_protocol
    if port.vendor == _HUAWEI and port.interface_class == _VENDOR_SPECIFIC and kind in _PCUI:
        return -1
    known = AT_INTERFACES.get(port.usb_id or "") or AT_INTERFACES.get(port.vendor or "") or ()
    number = port.interface_number
    return known.index(number) if number is not None and number in known else _LAST
