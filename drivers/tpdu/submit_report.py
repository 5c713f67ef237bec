"""SMS-SUBMIT-REPORT (3GPP TS 23.040, 9.2.2.2a): the service centre's answer to an SMS-SUBMIT or SMS-COMMAND."""

from dataclasses import dataclass

from drivers.tpdu import first_octet as first
from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.deliver_report import put_cause, take_cause
from drivers.tpdu.parameters import OptionalFields, take_indicator
from drivers.tpdu.timestamp import TimeStamp
from drivers.tpdu.user_data import UserData


@dataclass(frozen=True, slots=True)
class SmsSubmitReport:
    """`tp_fcs` is None in the report that comes with RP-ACK. Optional fields are None where TP-PI leaves them out."""

    tp_scts: TimeStamp
    tp_fcs: int | None = None
    tp_pid: int | None = None
    tp_dcs: int | None = None
    tp_ud: UserData | None = None

    @property
    def data_coding(self) -> DataCoding:
        """The meaning of TP-DCS, of 0 where it is left out (9.2.3.27)."""
        return DataCoding.from_octet(self.tp_dcs or 0)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsSubmitReport":
        """The report in `data` (without service centre); TP-FCS is told from TP-PI as in SMS-DELIVER-REPORT."""
        flags = first.take_first_octet(data, first.MessageType.SUBMIT)
        tp_fcs, at = take_cause(data, 1)
        indicator, at = take_indicator(data, at)
        tp_scts, at = TimeStamp.decode(data, at, "TP-SCTS")
        fields = OptionalFields.decode(data, indicator, at, bool(flags & first.UDHI))
        return cls(tp_scts, tp_fcs, fields.tp_pid, fields.tp_dcs, fields.tp_ud)

    def to_bytes(self) -> bytes:
        """The octets without service centre."""
        fields = OptionalFields(self.tp_pid, self.tp_dcs, self.tp_ud)
        udhi = self.tp_ud is not None and self.tp_ud.has_header
        octets = bytes([first.bits(udhi=udhi) | first.MessageType.SUBMIT]) + put_cause(self.tp_fcs, 1)
        octets += bytes([fields.indicator])
        octets += self.tp_scts.to_bytes("TP-SCTS", len(octets))
        return octets + fields.encode(len(octets))
