"""TP-PI and the optional fields that it announces (3GPP TS 23.040, 9.2.3.27), at the end of reports."""

from dataclasses import dataclass

from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.errors import TpduError, put_octet, take_octet
from drivers.tpdu.user_data import UserData

_PID = 0x01
_DCS = 0x02
_UDL = 0x04
_EXTENSION = 0x80
_RESERVED = 0x78


@dataclass(frozen=True, slots=True)
class OptionalFields:
    """TP-PID, TP-DCS and TP-UD; None where TP-PI leaves them out."""

    tp_pid: int | None = None
    tp_dcs: int | None = None
    tp_ud: UserData | None = None

    @classmethod
    def decode(cls, tpdu: bytes, indicator: int, at: int, udhi: bool) -> "OptionalFields":
        """What `indicator` (the first octet of TP-PI) announces, from offset `at`. Without TP-DCS it is taken as 0."""
        tp_pid = tp_dcs = tp_ud = None
        if indicator & _PID:
            tp_pid, at = take_octet(tpdu, at, "TP-PID"), at + 1
        if indicator & _DCS:
            tp_dcs, at = take_octet(tpdu, at, "TP-DCS"), at + 1
        if indicator & _UDL:
            tp_ud, _ = UserData.decode(tpdu, at, udhi, DataCoding.from_octet(tp_dcs or 0))
        return cls(tp_pid, tp_dcs, tp_ud)

    @property
    def indicator(self) -> int:
        """TP-PI."""
        present = ((_PID, self.tp_pid), (_DCS, self.tp_dcs), (_UDL, self.tp_ud))
        return sum(bit for bit, value in present if value is not None)

    def encode(self, at: int) -> bytes:
        """The fields without TP-PI."""
        octets = b""
        if self.tp_pid is not None:
            octets += bytes([put_octet(self.tp_pid, at, "TP-PID")])
        if self.tp_dcs is not None:
            octets += bytes([put_octet(self.tp_dcs, at + len(octets), "TP-DCS")])
        if self.tp_ud is not None:
            octets += self.tp_ud.encode(DataCoding.from_octet(self.tp_dcs or 0), at + len(octets))
        return octets


def take_indicator(tpdu: bytes, at: int) -> tuple[int, int]:
    """The first octet of TP-PI at offset `at`, and the offset behind its last one (bit 7 announces a further octet)."""
    indicator = octet = take_octet(tpdu, at, "TP-PI")
    while octet & _EXTENSION:
        at += 1
        octet = take_octet(tpdu, at, "TP-PI")
    return indicator, at + 1


def decode_trailing(tpdu: bytes, at: int, udhi: bool) -> OptionalFields:
    """What TP-PI at offset `at`, the end of the octets allowed, announces.

    Some modems fill a status report up behind its end. Octets that cannot be read and begin with a TP-PI of reserved
    bits are taken for such a filling: the report itself must not be lost with them.
    """
    if at >= len(tpdu):
        return OptionalFields()
    try:
        indicator, behind = take_indicator(tpdu, at)
        return OptionalFields.decode(tpdu, indicator, behind, udhi)
    except TpduError:
        if tpdu[at] & _RESERVED:
            return OptionalFields()
        raise
