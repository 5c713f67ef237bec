"""SMS-DELIVER-REPORT (3GPP TS 23.040, 9.2.2.1a): a mobile's answer to an SMS-DELIVER or SMS-STATUS-REPORT."""

from dataclasses import dataclass

from drivers.tpdu import first_octet as first
from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.errors import put_octet, take_octet
from drivers.tpdu.parameters import OptionalFields, take_indicator
from drivers.tpdu.user_data import UserData

FIRST_CAUSE = 0x80  # values of TP-FCS below are reserved (9.2.3.22)


@dataclass(frozen=True, slots=True)
class SmsDeliverReport:
    """`tp_fcs` is None in the report that comes with RP-ACK. Optional fields are None where TP-PI leaves them out."""

    tp_fcs: int | None = None
    tp_pid: int | None = None
    tp_dcs: int | None = None
    tp_ud: UserData | None = None

    @property
    def data_coding(self) -> DataCoding:
        """The meaning of TP-DCS, of 0 where it is left out (9.2.3.27)."""
        return DataCoding.from_octet(self.tp_dcs or 0)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsDeliverReport":
        """The report in `data` (without service centre).

        Only the layer below knows whether TP-FCS is there. Its values start at 0x80, where TP-PI would announce a
        further octet of itself, which no version of the specification has: so the octet itself tells.
        """
        flags = first.take_first_octet(data, first.MessageType.DELIVER)
        tp_fcs, at = take_cause(data, 1)
        indicator, at = take_indicator(data, at)
        fields = OptionalFields.decode(data, indicator, at, bool(flags & first.UDHI))
        return cls(tp_fcs, fields.tp_pid, fields.tp_dcs, fields.tp_ud)

    def to_bytes(self) -> bytes:
        """The octets without service centre."""
        fields = OptionalFields(self.tp_pid, self.tp_dcs, self.tp_ud)
        udhi = self.tp_ud is not None and self.tp_ud.has_header
        octets = bytes([first.bits(udhi=udhi) | first.MessageType.DELIVER]) + put_cause(self.tp_fcs, 1)
        octets += bytes([fields.indicator])
        return octets + fields.encode(len(octets))


def take_cause(tpdu: bytes, at: int) -> tuple[int | None, int]:
    """TP-FCS at offset `at` where there is one, and the offset behind it."""
    octet = take_octet(tpdu, at, "TP-PI")
    return (octet, at + 1) if octet >= FIRST_CAUSE else (None, at)


def put_cause(tp_fcs: int | None, at: int) -> bytes:
    """TP-FCS, or nothing; TpduError for a reserved value, which nobody could tell from TP-PI."""
    if tp_fcs is None:
        return b""
    return bytes([put_octet(tp_fcs if tp_fcs >= FIRST_CAUSE else -1, at, "TP-FCS")])
