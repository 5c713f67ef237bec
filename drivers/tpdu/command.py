"""SMS-COMMAND (3GPP TS 23.040, 9.2.2.4): a mobile asks the service centre about an earlier SMS-SUBMIT."""

from dataclasses import dataclass
from enum import IntEnum

from drivers.tpdu import first_octet as first
from drivers.tpdu.address import Address
from drivers.tpdu.errors import put_octet, take, take_octet


class CommandType(IntEnum):
    """The defined values of TP-CT (9.2.3.19)."""

    ENQUIRY = 0
    CANCEL_REPORT_REQUEST = 1
    DELETE = 2
    ENABLE_REPORT_REQUEST = 3


@dataclass(frozen=True, slots=True)
class SmsCommand:
    """`tp_mn` is TP-MR of the message it is about; `tp_cd` the command data, with a header where `tp_udhi` says so."""

    tp_da: Address
    tp_ct: int
    tp_mn: int
    tp_mr: int = 0
    tp_pid: int = 0
    tp_cd: bytes = b""
    tp_srr: bool = False
    tp_udhi: bool = False

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsCommand":
        """The COMMAND in `data` (without service centre)."""
        flags = first.take_first_octet(data, first.MessageType.STATUS_REPORT)
        tp_mr, tp_pid, tp_ct, tp_mn = (
            take_octet(data, at, field) for at, field in enumerate(("TP-MR", "TP-PID", "TP-CT", "TP-MN"), 1)
        )
        tp_da, at = Address.decode(data, 5, "TP-DA")
        tp_cd = take(data, at + 1, take_octet(data, at, "TP-CDL"), "TP-CD")
        srr, udhi = bool(flags & first.REPORT), bool(flags & first.UDHI)
        return cls(tp_da, tp_ct, tp_mn, tp_mr, tp_pid, tp_cd, srr, udhi)

    def to_bytes(self) -> bytes:
        """The octets without service centre."""
        flags = first.bits(report=self.tp_srr, udhi=self.tp_udhi) | first.MessageType.STATUS_REPORT
        numbers = (("TP-MR", self.tp_mr), ("TP-PID", self.tp_pid), ("TP-CT", self.tp_ct), ("TP-MN", self.tp_mn))
        octets = bytes([flags]) + bytes(put_octet(value, at, field) for at, (field, value) in enumerate(numbers, 1))
        octets += self.tp_da.to_bytes("TP-DA", 5)
        return octets + bytes([put_octet(len(self.tp_cd), len(octets), "TP-CDL")]) + self.tp_cd
