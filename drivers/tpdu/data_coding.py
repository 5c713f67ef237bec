"""TP-DCS, the data coding scheme (3GPP TS 23.038, clause 4): an octet as a value."""

from dataclasses import dataclass
from enum import StrEnum


class Alphabet(StrEnum):
    """How the characters of TP-UD are coded; the words of `tocsin decode`."""

    GSM7 = "gsm7"
    EIGHT_BIT = "8bit"
    UCS2 = "ucs2"


class CodingGroup(StrEnum):
    """The coding groups of bits 7 to 4."""

    GENERAL = "general"
    AUTO_DELETE = "automatic deletion"
    RESERVED = "reserved"
    WAITING_DISCARD = "message waiting, discard"
    WAITING_STORE = "message waiting, store"
    WAITING_STORE_UCS2 = "message waiting, store, UCS-2"
    CLASS = "data coding and message class"


class WaitingKind(StrEnum):
    """What waits for the subscriber (bits 1 and 0 of the message waiting groups)."""

    VOICEMAIL = "voicemail"
    FAX = "fax"
    EMAIL = "email"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """A message waiting indication: what waits, and whether the indication is switched on."""

    kind: WaitingKind
    active: bool


@dataclass(frozen=True, slots=True)
class DataCoding:
    """What one value of TP-DCS means. `message_class` is 0 (flash) to 3, or None where the octet carries none."""

    octet: int
    group: CodingGroup
    alphabet: Alphabet
    message_class: int | None = None
    compressed: bool = False
    waiting: MessageWaiting | None = None

    @classmethod
    def from_octet(cls, octet: int) -> "DataCoding":
        """The meaning of TP-DCS `octet` (0 to 255)."""
        return _CODINGS[octet]

    @property
    def packed(self) -> bool:
        """TP-UDL counts septets (23.040, 9.2.3.16); where it is False it counts octets."""
        return self.alphabet is Alphabet.GSM7 and not self.compressed


def dcs_of(alphabet: Alphabet, message_class: int | None = None) -> int:
    """TP-DCS of the general group for uncompressed text; `message_class` 0 to 3 or None."""
    octet = _ALPHABETS.index(alphabet) << 2
    return octet if message_class is None else 0x10 | octet | message_class


_ALPHABETS = (Alphabet.GSM7, Alphabet.EIGHT_BIT, Alphabet.UCS2, Alphabet.GSM7)  # the fourth is reserved: 7 bit default
_KINDS = tuple(WaitingKind)


def _general(octet: int) -> DataCoding:
    group = CodingGroup.AUTO_DELETE if octet & 0x40 else CodingGroup.GENERAL
    message_class = octet & 0x03 if octet & 0x10 else None
    return DataCoding(octet, group, _ALPHABETS[octet >> 2 & 0x03], message_class, bool(octet & 0x20))


def _waiting(octet: int) -> DataCoding:
    groups = (CodingGroup.WAITING_DISCARD, CodingGroup.WAITING_STORE, CodingGroup.WAITING_STORE_UCS2)
    group = groups[(octet >> 4) - 0xC]
    alphabet = Alphabet.UCS2 if group is CodingGroup.WAITING_STORE_UCS2 else Alphabet.GSM7
    waiting = MessageWaiting(_KINDS[octet & 0x03], bool(octet & 0x08))
    return DataCoding(octet, group, alphabet, waiting=waiting)


def _coding(octet: int) -> DataCoding:
    if octet < 0x80:
        return _general(octet)
    if octet < 0xC0:  # "any reserved codings shall be assumed to be the GSM 7 bit default alphabet"
        return DataCoding(octet, CodingGroup.RESERVED, Alphabet.GSM7)
    if octet < 0xF0:
        return _waiting(octet)
    alphabet = Alphabet.EIGHT_BIT if octet & 0x04 else Alphabet.GSM7
    return DataCoding(octet, CodingGroup.CLASS, alphabet, octet & 0x03)


_CODINGS = tuple(_coding(octet) for octet in range(256))
