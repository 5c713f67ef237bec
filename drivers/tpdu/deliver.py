"""SMS-DELIVER (3GPP TS 23.040, 9.2.2.1): what the network brings."""

from dataclasses import dataclass

from drivers.tpdu import first_octet as first
from drivers.tpdu.address import Address
from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.errors import put_octet, take_octet
from drivers.tpdu.timestamp import TimeStamp
from drivers.tpdu.user_data import UserData


@dataclass(frozen=True, slots=True)
class SmsDeliver:
    """`tp_mms` is the bit as it is sent: True says that no more messages wait in the service centre (9.2.3.2)."""

    tp_oa: Address
    tp_scts: TimeStamp
    tp_ud: UserData
    tp_pid: int = 0
    tp_dcs: int = 0
    tp_mms: bool = True
    tp_lp: bool = False
    tp_sri: bool = False
    tp_rp: bool = False

    @property
    def data_coding(self) -> DataCoding:
        """The meaning of TP-DCS."""
        return DataCoding.from_octet(self.tp_dcs)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsDeliver":
        """The DELIVER in `data` (without service centre); octets behind TP-UD are passed over.

        The reserved TP-MTI 3 is read as DELIVER too (9.2.3.1).
        """
        flags = first.take_first_octet(data, first.MessageType.DELIVER, first.MessageType.RESERVED)
        tp_oa, at = Address.decode(data, 1, "TP-OA")
        tp_pid = take_octet(data, at, "TP-PID")
        tp_dcs = take_octet(data, at + 1, "TP-DCS")
        tp_scts, at = TimeStamp.decode(data, at + 2, "TP-SCTS")
        tp_ud, _ = UserData.decode(data, at, bool(flags & first.UDHI), DataCoding.from_octet(tp_dcs))
        return cls(
            tp_oa,
            tp_scts,
            tp_ud,
            tp_pid,
            tp_dcs,
            bool(flags & first.MMS_OR_RD),
            bool(flags & first.LP),
            bool(flags & first.REPORT),
            bool(flags & first.RP),
        )

    def to_bytes(self) -> bytes:
        """The octets without service centre."""
        octets = bytes([self._first_octet()]) + self.tp_oa.to_bytes("TP-OA", 1)
        octets += bytes(
            (put_octet(self.tp_pid, len(octets), "TP-PID"), put_octet(self.tp_dcs, len(octets) + 1, "TP-DCS"))
        )
        octets += self.tp_scts.to_bytes("TP-SCTS", len(octets))
        return octets + self.tp_ud.encode(self.data_coding, len(octets))

    def _first_octet(self) -> int:
        udhi = self.tp_ud.has_header
        return first.bits(mms=self.tp_mms, lp=self.tp_lp, report=self.tp_sri, udhi=udhi, rp=self.tp_rp)
