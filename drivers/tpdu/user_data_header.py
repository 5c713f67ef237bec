"""TP-UDH, the header in front of the text (3GPP TS 23.040, 9.2.3.24): information elements, known or not."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from drivers.tpdu.errors import TpduError, put_octet


class ElementIdentifier(IntEnum):
    """Information Element Identifiers that the codec itself reads; every other one is kept as it is."""

    CONCATENATION_8 = 0x00
    CONCATENATION_16 = 0x08
    SINGLE_SHIFT = 0x24
    LOCKING_SHIFT = 0x25


@dataclass(frozen=True, slots=True)
class InformationElement:
    """Identifier (0 to 255) and data of one information element."""

    iei: int
    data: bytes

    def to_bytes(self) -> bytes:
        """Identifier, length, data."""
        iei = put_octet(self.iei, 0, "TP-UDH IEI")
        return bytes((iei, put_octet(len(self.data), 1, "TP-UDH IEIDL"))) + self.data


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Part `sequence` (from 1) of `total` parts that share `reference` (9.2.3.24.1 with 8 bits, 9.2.3.24.8 with 16)."""

    reference: int
    total: int
    sequence: int
    bits: Literal[8, 16] = 8

    def to_element(self) -> InformationElement:
        """The information element; TpduError where a number does not fit."""
        if not 0 <= self.reference < 1 << self.bits:
            raise TpduError("TP-UDH", 0, f"reference {self.reference} does not fit {self.bits} bits")
        if not 1 <= self.sequence <= self.total <= 255:
            raise TpduError("TP-UDH", 0, f"there is no part {self.sequence} of {self.total}; at most 255 are possible")
        iei = ElementIdentifier.CONCATENATION_8 if self.bits == 8 else ElementIdentifier.CONCATENATION_16
        return InformationElement(
            iei, self.reference.to_bytes(self.bits // 8, "big") + bytes((self.total, self.sequence))
        )


def concatenation_of(element: InformationElement) -> Concatenation | None:
    """The concatenation in `element`; None for another element and for impossible numbers, which are to be ignored."""
    if (element.iei, len(element.data)) not in ((0x00, 3), (0x08, 4)):
        return None
    *reference, total, sequence = element.data
    if not 1 <= sequence <= total:
        return None
    return Concatenation(int.from_bytes(reference, "big"), total, sequence, 8 if element.iei == 0 else 16)


def language_element(iei: ElementIdentifier, language: int) -> InformationElement:
    """National language single (0x24) or locking (0x25) shift (9.2.3.24.15, 9.2.3.24.16)."""
    return InformationElement(iei, bytes([language]))


def languages_of(udh: tuple[InformationElement, ...]) -> tuple[int, int]:
    """National Language Identifiers (locking, single); 0 where the header names none."""
    locking = single = 0
    for element in udh:
        if len(element.data) == 1:
            if element.iei == ElementIdentifier.LOCKING_SHIFT:
                locking = element.data[0]
            elif element.iei == ElementIdentifier.SINGLE_SHIFT:
                single = element.data[0]
    return locking, single


def decode_elements(octets: bytes) -> tuple[InformationElement, ...] | None:
    """The elements in `octets` (the header without UDHL); None where a length leads out of them."""
    elements: list[InformationElement] = []
    at = 0
    while at < len(octets):
        behind = at + 2 + (octets[at + 1] if at + 1 < len(octets) else len(octets))
        if behind > len(octets):
            return None
        elements.append(InformationElement(octets[at], octets[at + 2 : behind]))
        at = behind
    return tuple(elements)
