"""SMS-STATUS-REPORT (3GPP TS 23.040, 9.2.2.3): what became of an SMS-SUBMIT or an SMS-COMMAND."""

from dataclasses import dataclass

from drivers.tpdu import first_octet as first
from drivers.tpdu.address import Address
from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.errors import put_octet, take_octet
from drivers.tpdu.parameters import OptionalFields, decode_trailing
from drivers.tpdu.status import StatusOutcome, outcome_of
from drivers.tpdu.timestamp import TimeStamp
from drivers.tpdu.user_data import UserData


@dataclass(frozen=True, slots=True)
class SmsStatusReport:
    """`tp_srq` is True for the report on a command; `tp_mms` as in SMS-DELIVER; optional fields are None if absent."""

    tp_mr: int
    tp_ra: Address
    tp_scts: TimeStamp
    tp_dt: TimeStamp
    tp_st: int = 0
    tp_mms: bool = True
    tp_lp: bool = False
    tp_srq: bool = False
    tp_pid: int | None = None
    tp_dcs: int | None = None
    tp_ud: UserData | None = None

    @property
    def data_coding(self) -> DataCoding:
        """The meaning of TP-DCS, of 0 where it is left out (9.2.3.27)."""
        return DataCoding.from_octet(self.tp_dcs or 0)

    @property
    def outcome(self) -> StatusOutcome:
        """What TP-ST says."""
        return outcome_of(self.tp_st)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsStatusReport":
        """The STATUS-REPORT in `data` (without service centre)."""
        flags = first.take_first_octet(data, first.MessageType.STATUS_REPORT)
        tp_mr = take_octet(data, 1, "TP-MR")
        tp_ra, at = Address.decode(data, 2, "TP-RA")
        tp_scts, at = TimeStamp.decode(data, at, "TP-SCTS")
        tp_dt, at = TimeStamp.decode(data, at, "TP-DT")
        tp_st = take_octet(data, at, "TP-ST")
        fields = decode_trailing(data, at + 1, bool(flags & first.UDHI))
        return cls(
            tp_mr,
            tp_ra,
            tp_scts,
            tp_dt,
            tp_st,
            bool(flags & first.MMS_OR_RD),
            bool(flags & first.LP),
            bool(flags & first.REPORT),
            fields.tp_pid,
            fields.tp_dcs,
            fields.tp_ud,
        )

    def to_bytes(self) -> bytes:
        """The octets without service centre; TP-PI only where an optional field follows it."""
        octets = bytes((self._first_octet(), put_octet(self.tp_mr, 1, "TP-MR"))) + self.tp_ra.to_bytes("TP-RA", 2)
        octets += self.tp_scts.to_bytes("TP-SCTS", len(octets))
        octets += self.tp_dt.to_bytes("TP-DT", len(octets))
        octets += bytes([put_octet(self.tp_st, len(octets), "TP-ST")])
        fields = OptionalFields(self.tp_pid, self.tp_dcs, self.tp_ud)
        if fields.indicator:
            octets += bytes([fields.indicator]) + fields.encode(len(octets) + 1)
        return octets

    def _first_octet(self) -> int:
        udhi = self.tp_ud is not None and self.tp_ud.has_header
        flags = first.bits(mms=self.tp_mms, lp=self.tp_lp, report=self.tp_srq, udhi=udhi)
        return flags | first.MessageType.STATUS_REPORT
