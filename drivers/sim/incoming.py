"""What the network hands to a station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """The TPDUs that come from the network to a mobile."""

    DELIVER = auto()
    STATUS_REPORT = auto()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A PDU, service centre field included, that waits for the equipment.

    `message_class` is that of TP-DCS (23.038, 4). `taken` is called once it has been stored or acknowledged.
    """

    kind: Kind
    pdu: bytes
    message_class: int | None = None
    taken: Callable[[], None] | None = None
