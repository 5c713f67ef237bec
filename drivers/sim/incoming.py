"""What the network hands to a station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from drivers.tpdu import DataCoding, Origin, SmsDeliver, SmsStatusReport, TpduError, decode, split_smsc


class Kind(Enum):
    """The TPDUs that come from the network to a mobile."""

    DELIVER = auto()
    STATUS_REPORT = auto()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A PDU, service centre field included, that waits for the equipment.

    `message_class` is that of TP-DCS (23.038, 4), `protocol` is TP-PID (23.040, 9.2.3.9); `taken` is called once it has
    been stored or acknowledged.
    """

    kind: Kind
    pdu: bytes
    message_class: int | None = None
    taken: Callable[[], None] | None = None
    protocol: int = 0


def incoming_from(pdu: bytes) -> Incoming:
    """Octets as a service centre sent them; what is no TPDU arrives as a message without class.

    TpduError when the service centre field is malformed or nothing follows it.
    """
    _centre, tpdu = split_smsc(pdu)
    if not tpdu:
        raise TpduError("TP-MTI", len(pdu), "missing: the octets end before it")
    try:
        message = decode(tpdu, Origin.NETWORK)
    except TpduError:
        return Incoming(Kind.DELIVER, pdu)
    if isinstance(message, SmsStatusReport):
        return Incoming(Kind.STATUS_REPORT, pdu)
    if not isinstance(message, SmsDeliver):
        return Incoming(Kind.DELIVER, pdu)
    return Incoming(Kind.DELIVER, pdu, DataCoding.from_octet(message.tp_dcs).message_class, protocol=message.tp_pid)
