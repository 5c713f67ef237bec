"""A PDU without its people: the same fields of the same lengths, other digits, and filler instead of user data.

What a replay needs stays: types, first octets, references, coding, times, status, concatenation (3GPP TS 23.040, 9.2).
Octets that are no PDU to us are replaced as a whole.
"""

from __future__ import annotations

from drivers.tpdu import Address, DataCoding, ElementIdentifier, Origin, TpduError, TypeOfNumber, decode
from drivers.tpdu import first_octet as first
from drivers.tpdu.septets import octets_for, pack_to_int
from drivers.tpdu.timestamp import LENGTH as TIMESTAMP
from drivers.tpdu.user_data_header import decode_elements
from drivers.tpdu.validity import ValidityFormat
from drivers.trace.placeholders import FILLER, Placeholders

# No length of a service centre field, so that a reader cannot take it for a PDU.
_NO_PDU = b"\xff"
_KEPT_ELEMENTS = frozenset(ElementIdentifier)
_VALIDITY = {
    ValidityFormat.NONE: 0,
    ValidityFormat.ENHANCED: TIMESTAMP,
    ValidityFormat.RELATIVE: 1,
    ValidityFormat.ABSOLUTE: TIMESTAMP,
}
# TP-PI (9.2.3.27): which of TP-PID, TP-DCS and TP-UDL follow.
_PI_PID, _PI_DCS, _PI_UD = 0x01, 0x02, 0x04


def redact_pdu(pdu: bytes, length: int | None, origin: Origin, placeholders: Placeholders) -> bytes:
    """`pdu` as a modem gives and takes it; `length` is the count of TPDU octets that stood beside it."""
    smsc = 0 if length == len(pdu) else 1 + pdu[0] if pdu else 0
    if length is None or len(pdu) - smsc != length:
        return _NO_PDU * len(pdu)
    try:
        octets = bytearray(pdu)
        if smsc > 1:
            _put(octets, 2, smsc - 2, _digits(bytes(octets[2:smsc]), 2 * (smsc - 2), placeholders))
        octets[smsc:] = _redact_tpdu(pdu[smsc:], origin, placeholders)
        decode(bytes(octets[smsc:]), origin)
    except (TpduError, IndexError):
        return _NO_PDU * len(pdu)
    return bytes(octets) if len(octets) == len(pdu) else _NO_PDU * len(pdu)


def _redact_tpdu(tpdu: bytes, origin: Origin, placeholders: Placeholders) -> bytes:
    decode(tpdu, origin)
    octets = bytearray(tpdu)
    kind = tpdu[0] & 0x03
    if origin is Origin.NETWORK and kind == first.MessageType.STATUS_REPORT:
        at = _address(octets, 2, placeholders) + 2 * TIMESTAMP + 1
        _trailing(octets, at)
    elif origin is Origin.NETWORK and kind != first.MessageType.SUBMIT:
        at = _address(octets, 1, placeholders)
        _user_data(octets, at + 2 + TIMESTAMP, tpdu[at + 1])
    elif origin is Origin.MOBILE and kind == first.MessageType.SUBMIT:
        at = _address(octets, 2, placeholders)
        _user_data(octets, at + 2 + _VALIDITY[ValidityFormat(tpdu[0] >> 3 & 0x03)], tpdu[at + 1])
    else:
        raise TpduError("TP-MTI", 0, "is none that a modem gives or takes")
    return bytes(octets)


def _put(octets: bytearray, at: int, length: int, replacement: bytes) -> None:
    if len(replacement) != length:
        raise TpduError("PDU", at, "cannot be replaced by as many octets")
    octets[at : at + length] = replacement


def _address(octets: bytearray, at: int, placeholders: Placeholders) -> int:
    """Replace the address at `at`; the offset behind it."""
    semi_octets, kind = octets[at], octets[at + 1]
    start, end = at + 2, at + 2 + (semi_octets + 1) // 2
    if kind >> 4 & 0x07 == TypeOfNumber.ALPHANUMERIC:
        septets = semi_octets * 4 // 7
        _put(octets, start, end - start, _filler_septets(septets).to_bytes(end - start, "little"))
    else:
        _put(octets, start, end - start, _digits(bytes(octets[start:end]), semi_octets, placeholders))
    return end


def _digits(octets: bytes, semi_octets: int, placeholders: Placeholders) -> bytes:
    """Other digits in as many octets, by the number as people write it."""
    number = Address.from_service_centre(b"\x81" + octets).value
    if number and len(number) >= semi_octets - 1:
        return Address(placeholders.number(number)).to_service_centre()[2:]
    return bytes(len(octets))  # fill characters between digits: no number


def _filler_septets(count: int) -> int:
    return pack_to_int(FILLER.encode() * count)


def _trailing(octets: bytearray, at: int) -> None:
    """The optional fields of a report (9.2.3.27)."""
    if at >= len(octets):
        return
    indicator = octets[at]
    behind = at + 1 + bool(indicator & _PI_PID)
    coding = 0
    if indicator & _PI_DCS and behind < len(octets):
        coding = octets[behind]
        behind += 1
    if indicator & 0x80 or not indicator & _PI_UD or behind >= len(octets):
        octets[at + 1 :] = bytes(len(octets) - at - 1)
    else:
        _user_data(octets, behind, coding)


def _user_data(octets: bytearray, at: int, dcs: int) -> None:
    """Fill TP-UD, whose length stands at `at`, up to the end; of a header what tells no secret is kept."""
    coding, udl = DataCoding.from_octet(dcs), octets[at]
    start, end = at + 1, at + 1 + (octets_for(udl) if coding.packed else udl)
    header = _header_octets(bytes(octets[start:end])) if octets[0] & first.UDHI else b""
    if coding.packed:
        taken = (len(header) * 8 + 6) // 7
        value = _filler_septets(max(udl - taken, 0)) << 7 * taken | int.from_bytes(header, "little")
        filler = value.to_bytes(end - start, "little")
    else:
        filler = header + _filler_octets(end - start - len(header), wide=coding.alphabet.value == "ucs2")
    _put(octets, start, end - start, filler)
    octets[end:] = bytes(len(octets) - end)


def _filler_octets(count: int, *, wide: bool) -> bytes:
    unit = FILLER.encode("utf-16-be" if wide else "ascii")
    return (unit * count)[:count]


def _header_octets(user_data: bytes) -> bytes:
    """UDHL and the information elements; the data of those that may hold anything is blanked (9.2.3.24)."""
    header = user_data[: user_data[0] + 1]
    elements = decode_elements(header[1:])
    if elements is None:
        return header[:1] + bytes(len(header) - 1)
    kept = (each.to_bytes() if each.iei in _KEPT_ELEMENTS else _blanked(each.iei, len(each.data)) for each in elements)
    return header[:1] + b"".join(kept)


def _blanked(iei: int, length: int) -> bytes:
    return bytes((iei, length)) + bytes(length)
