"""Addresses: TP-DA, TP-OA, TP-RA (3GPP TS 23.040, 9.1.2.5) and the service centre (3GPP TS 24.011, 8.2.5.1)."""

import re
from dataclasses import dataclass
from enum import IntEnum

from drivers.tpdu.errors import TpduError, take, take_octet
from drivers.tpdu.gsm7 import DEFAULT
from drivers.tpdu.semi_octets import DIGITS, decode_digits, encode_digits
from drivers.tpdu.septets import pack, unpack

MAX_DIGITS = 20
MAX_CHARACTERS = 11
_MAX_SERVICE_CENTRE = 11  # the type of address and ten octets of digits


class TypeOfNumber(IntEnum):
    """Bits 6 to 4 of the type of address."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6
    RESERVED = 7


class NumberingPlan(IntEnum):
    """Bits 3 to 0 of the type of address; the reserved values are kept so that nothing is lost."""

    UNKNOWN = 0
    ISDN = 1
    RESERVED_2 = 2
    DATA = 3
    TELEX = 4
    SC_SPECIFIC_5 = 5
    SC_SPECIFIC_6 = 6
    RESERVED_7 = 7
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    RESERVED_11 = 11
    RESERVED_12 = 12
    RESERVED_13 = 13
    RESERVED_14 = 14
    RESERVED_15 = 15


_TYPES = tuple(TypeOfNumber)
_PLANS = tuple(NumberingPlan)
_NUMBER = re.compile(r"(\+?)([0-9*#][0-9*#abc]*)")
_SEPARATED_NUMBER = re.compile(r"\+.*|[0-9*#\s().,/-]*")


@dataclass(frozen=True, slots=True)
class Address:
    """`value` holds digits (0-9 * # a b c, no leading "+"), or the text of an alphanumeric address."""

    value: str
    ton: TypeOfNumber = TypeOfNumber.UNKNOWN
    npi: NumberingPlan = NumberingPlan.ISDN

    @classmethod
    def from_text(cls, text: str) -> "Address":
        """ "+336…" is international, "12345" and "*100#" of unknown type, "Clinic" alphanumeric.

        TpduError for an empty text, one too long, and a number with separators in it.
        """
        number = _NUMBER.fullmatch(text)
        if number:
            ton = TypeOfNumber.INTERNATIONAL if number[1] else TypeOfNumber.UNKNOWN
            address = cls(number[2], ton)
        elif _SEPARATED_NUMBER.fullmatch(text):
            raise TpduError("address", 0, "is neither a number of digits alone nor a name")
        else:
            address = cls(text, TypeOfNumber.ALPHANUMERIC, NumberingPlan.UNKNOWN)
        address.to_bytes()
        return address

    @classmethod
    def decode(cls, tpdu: bytes, at: int, field: str) -> "tuple[Address, int]":
        """The address at offset `at` and the offset behind it. Its length counts useful semi-octets."""
        length = take_octet(tpdu, at, field)
        kind = take_octet(tpdu, at + 1, field)
        octets = take(tpdu, at + 2, (length + 1) // 2, field)
        return cls._of(kind, octets, length), at + 2 + len(octets)

    @classmethod
    def _of(cls, kind: int, octets: bytes, semi_octets: int) -> "Address":
        ton, npi = _TYPES[kind >> 4 & 0x07], _PLANS[kind & 0x0F]
        if ton is TypeOfNumber.ALPHANUMERIC:
            # Whole septets within the useful semi-octets: what is left over can only be padding, and is no "@".
            return cls(DEFAULT.decode(unpack(octets, semi_octets * 4 // 7)), ton, npi)
        return cls(decode_digits(octets, semi_octets), ton, npi)

    @property
    def text(self) -> str:
        """As people write it: with "+" where it is international."""
        return "+" + self.value if self.ton is TypeOfNumber.INTERNATIONAL else self.value

    def to_bytes(self, field: str = "address", at: int = 0) -> bytes:
        """Length, type of address, semi-octets; TpduError names `field` and `at`."""
        length, octets = self._semi_octets(field, at)
        return bytes((length, self._kind)) + octets

    @classmethod
    def from_service_centre(cls, octets: bytes) -> "Address":
        """The RP address in `octets`: type of address and digits, at least one octet."""
        return cls._of(octets[0], octets[1:], 2 * (len(octets) - 1))

    def to_service_centre(self) -> bytes:
        """The field before the TPDU: its length counts octets, the type of address included."""
        _, octets = self._semi_octets("SMSC", 0)
        return bytes((len(octets) + 1, self._kind)) + octets

    @property
    def _kind(self) -> int:
        return 0x80 | self.ton << 4 | self.npi

    def _semi_octets(self, field: str, at: int) -> tuple[int, bytes]:
        if self.ton is TypeOfNumber.ALPHANUMERIC:
            return self._characters(field, at)
        if not DIGITS.issuperset(self.value):
            raise TpduError(field, at, "has a character that is no digit (0-9 * # a b c)")
        if len(self.value) > MAX_DIGITS:
            raise TpduError(field, at, f"has {len(self.value)} digits, at most {MAX_DIGITS} fit")
        return len(self.value), encode_digits(self.value)

    def _characters(self, field: str, at: int) -> tuple[int, bytes]:
        try:
            septets = DEFAULT.encode(self.value)
        except UnicodeEncodeError:
            raise TpduError(field, at, "has a character that is not in the GSM 7 bit default alphabet") from None
        if len(septets) > MAX_CHARACTERS:
            raise TpduError(field, at, f"needs {len(septets)} septets, at most {MAX_CHARACTERS} fit")
        return (len(septets) * 7 + 3) // 4, pack(septets)


def split_smsc(pdu: bytes) -> tuple[Address | None, bytes]:
    """Service centre and TPDU of what a modem takes and gives (27.005, 3.1); None where the field is empty."""
    length = take_octet(pdu, 0, "SMSC")
    if length == 0:
        return None, pdu[1:]
    if length > _MAX_SERVICE_CENTRE:
        raise TpduError("SMSC", 0, f"is said to be {length} octets long, at most {_MAX_SERVICE_CENTRE} fit")
    octets = take(pdu, 1, length, "SMSC")
    return Address.from_service_centre(octets), pdu[1 + length :]


def join_smsc(smsc: Address | None, tpdu: bytes) -> bytes:
    """`tpdu` behind the service centre field; None means the one that the SIM knows."""
    return (bytes(1) if smsc is None else smsc.to_service_centre()) + tpdu
