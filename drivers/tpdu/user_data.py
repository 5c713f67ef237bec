"""TP-UDL and TP-UD (3GPP TS 23.040, 9.2.3.16 and 9.2.3.24): header and text or octets, in the alphabet of TP-DCS."""

from dataclasses import dataclass, field

from drivers.tpdu.data_coding import Alphabet, DataCoding
from drivers.tpdu.errors import TpduError, put_octet, take, take_octet
from drivers.tpdu.gsm7 import DEFAULT, Gsm7Alphabet, gsm7_alphabet
from drivers.tpdu.septets import octets_for, pack_to_int, unpack
from drivers.tpdu.user_data_header import (
    Concatenation,
    InformationElement,
    concatenation_of,
    decode_elements,
    languages_of,
)

MAX_OCTETS = 140


@dataclass(frozen=True, slots=True)
class UserData:
    """Text (GSM 7 bit, UCS-2) or octets (8-bit data, compressed text): the other one is None.

    `udh` holds the information elements. A header whose lengths are wrong is to be ignored as a whole (9.2.3.24): then
    `udh` is empty and `malformed_udh` keeps its octets without UDHL. `units` is what decoding found behind the header
    (septets one in each byte, or octets); it lets `reassembly` mend a character that a sender cut in two.
    """

    text: str | None = None
    data: bytes | None = None
    udh: tuple[InformationElement, ...] = ()
    malformed_udh: bytes = b""
    units: bytes = field(default=b"", compare=False, repr=False)

    @classmethod
    def decode(cls, tpdu: bytes, at: int, udhi: bool, coding: DataCoding) -> "tuple[UserData, int]":
        """The user data whose TP-UDL is at offset `at`, and the offset behind them."""
        udl = take_octet(tpdu, at, "TP-UDL")
        octets = take(tpdu, at + 1, octets_for(udl) if coding.packed else udl, "TP-UD")
        header = _header(octets, at + 1) if udhi else b""
        elements = decode_elements(header[1:]) if header else ()
        units = _units(octets, udl, len(header), coding, at)
        text, data = content_of(units, elements or (), coding)
        malformed = header[1:] if elements is None else b""
        return cls(text, data, elements or (), malformed, units), at + 1 + len(octets)

    @property
    def has_header(self) -> bool:
        """TP-UDHI (9.2.3.23)."""
        return bool(self.udh or self.malformed_udh)

    @property
    def header(self) -> bytes:
        """The octets of the information elements, without UDHL."""
        return b"".join(element.to_bytes() for element in self.udh) or self.malformed_udh

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part of which message this is, by the last element that says so (9.2.3.24); None for a whole one."""
        for element in reversed(self.udh):
            concatenation = concatenation_of(element)
            if concatenation is not None:
                return concatenation
        return None

    @property
    def alphabet(self) -> Gsm7Alphabet:
        """The GSM 7 bit alphabet that the header chooses."""
        return gsm7_alphabet(*languages_of(self.udh)) if self.udh else DEFAULT

    def encode(self, coding: DataCoding, at: int) -> bytes:
        """TP-UDL and TP-UD; TpduError where the content does not suit `coding` or is longer than 140 octets."""
        header = self.header
        if header:
            header = bytes([put_octet(len(header), at, "TP-UDHL")]) + header
        if coding.packed:
            udl, octets = self._encode_septets(header, at)
        else:
            octets = header + self._encode_octets(coding, at)
            udl = len(octets)
        if len(octets) > MAX_OCTETS:
            raise TpduError("TP-UD", at, f"is {len(octets)} octets long, at most {MAX_OCTETS} fit")
        return bytes([udl]) + octets

    def _encode_septets(self, header: bytes, at: int) -> tuple[int, bytes]:
        if self.text is None:
            raise TpduError("TP-UD", at, "GSM 7 bit user data needs a text")
        try:
            septets = self.alphabet.encode(self.text)
        except UnicodeEncodeError as error:
            raise TpduError("TP-UD", at, f"character {error.start} is not in the GSM 7 bit alphabet") from None
        skipped = _septets_of(len(header))
        udl = skipped + len(septets)
        if udl > MAX_OCTETS * 8 // 7:
            raise TpduError("TP-UD", at, f"is {udl} septets long, at most {MAX_OCTETS * 8 // 7} fit")
        value = pack_to_int(septets) << 7 * skipped | int.from_bytes(header, "little")
        return udl, value.to_bytes(octets_for(udl), "little")

    def _encode_octets(self, coding: DataCoding, at: int) -> bytes:
        if coding.alphabet is not Alphabet.UCS2 or coding.compressed:
            if self.data is None:
                raise TpduError("TP-UD", at, "8-bit data and compressed text need octets")
            return self.data
        if self.text is None:
            raise TpduError("TP-UD", at, "UCS-2 user data needs a text")
        try:
            return self.text.encode("utf-16-be")
        except UnicodeEncodeError:
            raise TpduError("TP-UD", at, "has half of a surrogate pair") from None


def _header(octets: bytes, at: int) -> bytes:
    if not octets:
        raise TpduError("TP-UDHL", at, "missing: TP-UDHI announces a header in empty user data")
    length = octets[0]
    if length >= len(octets):
        raise TpduError("TP-UDHL", at, f"counts {length} octets, {len(octets) - 1} are left")
    return octets[: length + 1]


def _septets_of(header: int) -> int:
    """Septets that a header of so many octets, UDHL included, takes with its fill bits (9.2.3.24)."""
    return (header * 8 + 6) // 7


def _units(octets: bytes, udl: int, header: int, coding: DataCoding, at: int) -> bytes:
    if not coding.packed:
        return octets[header:]
    skipped = _septets_of(header)
    if skipped > udl:
        raise TpduError("TP-UDL", at, f"counts {udl} septets, the header takes {skipped}")
    return unpack(octets, udl)[skipped:]


def content_of(
    units: bytes, udh: tuple[InformationElement, ...], coding: DataCoding
) -> tuple[str | None, bytes | None]:
    """Text or octets of `units`, one of them None; `udh` chooses the shift tables."""
    if coding.packed:
        alphabet = gsm7_alphabet(*languages_of(udh)) if udh else DEFAULT
        return alphabet.decode(units), None
    if coding.alphabet is Alphabet.UCS2 and not coding.compressed:
        return units.decode("utf-16-be", "replace"), None
    return None, units
