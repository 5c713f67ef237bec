"""SMS-SUBMIT (3GPP TS 23.040, 9.2.2.2): what a mobile sends."""

from dataclasses import dataclass

from drivers.tpdu import first_octet as first
from drivers.tpdu.address import Address
from drivers.tpdu.data_coding import DataCoding
from drivers.tpdu.errors import put_octet, take_octet
from drivers.tpdu.user_data import UserData
from drivers.tpdu.validity import Validity, decode_validity, format_of


@dataclass(frozen=True, slots=True)
class SmsSubmit:
    """TP-MR is chosen anew by most modems. TP-VPF and TP-UDHI follow from `tp_vp` and `tp_ud`."""

    tp_da: Address
    tp_ud: UserData
    tp_mr: int = 0
    tp_pid: int = 0
    tp_dcs: int = 0
    tp_vp: Validity | None = None
    tp_srr: bool = False
    tp_rd: bool = False
    tp_rp: bool = False

    @property
    def data_coding(self) -> DataCoding:
        """The meaning of TP-DCS."""
        return DataCoding.from_octet(self.tp_dcs)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SmsSubmit":
        """The SUBMIT in `data` (without service centre); octets behind TP-UD are passed over."""
        flags = first.take_first_octet(data, first.MessageType.SUBMIT)
        tp_mr = take_octet(data, 1, "TP-MR")
        tp_da, at = Address.decode(data, 2, "TP-DA")
        tp_pid = take_octet(data, at, "TP-PID")
        tp_dcs = take_octet(data, at + 1, "TP-DCS")
        tp_vp, at = decode_validity(flags >> 3 & 0x03, data, at + 2)
        tp_ud, _ = UserData.decode(data, at, bool(flags & first.UDHI), DataCoding.from_octet(tp_dcs))
        return cls(
            tp_da,
            tp_ud,
            tp_mr,
            tp_pid,
            tp_dcs,
            tp_vp,
            bool(flags & first.REPORT),
            bool(flags & first.MMS_OR_RD),
            bool(flags & first.RP),
        )

    def to_bytes(self) -> bytes:
        """The octets without service centre, as `AT+CMGS` counts them."""
        octets = bytes((self._first_octet(), put_octet(self.tp_mr, 1, "TP-MR"))) + self.tp_da.to_bytes("TP-DA", 2)
        octets += bytes(
            (put_octet(self.tp_pid, len(octets), "TP-PID"), put_octet(self.tp_dcs, len(octets) + 1, "TP-DCS"))
        )
        if self.tp_vp is not None:
            octets += self.tp_vp.to_bytes(len(octets))
        return octets + self.tp_ud.encode(self.data_coding, len(octets))

    def _first_octet(self) -> int:
        flags = first.bits(rd=self.tp_rd, report=self.tp_srr, udhi=self.tp_ud.has_header, rp=self.tp_rp)
        return flags | format_of(self.tp_vp) << 3 | first.MessageType.SUBMIT
