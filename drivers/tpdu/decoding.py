"""Which TPDU the octets are (3GPP TS 23.040, 9.2.3.1): TP-MTI means another type in each direction."""

from collections.abc import Callable
from enum import StrEnum

from drivers.tpdu.command import SmsCommand
from drivers.tpdu.deliver import SmsDeliver
from drivers.tpdu.deliver_report import SmsDeliverReport
from drivers.tpdu.errors import TpduError, take_octet
from drivers.tpdu.status_report import SmsStatusReport
from drivers.tpdu.submit import SmsSubmit
from drivers.tpdu.submit_report import SmsSubmitReport

Tpdu = SmsDeliver | SmsSubmit | SmsStatusReport | SmsDeliverReport | SmsSubmitReport | SmsCommand


class Origin(StrEnum):
    """Who sent the TPDU."""

    NETWORK = "network"
    MOBILE = "mobile"


def _reserved(data: bytes) -> Tpdu:
    raise TpduError("TP-MTI", 0, f"is {data[0] & 0x03}, which no mobile may send")


# By TP-MTI. The reserved value 3 is to be handled as a DELIVER when it comes from the network.
_TYPES: dict[Origin | None, tuple[Callable[[bytes], Tpdu], ...]] = {
    Origin.NETWORK: (
        SmsDeliver.from_bytes,
        SmsSubmitReport.from_bytes,
        SmsStatusReport.from_bytes,
        SmsDeliver.from_bytes,
    ),
    Origin.MOBILE: (SmsDeliverReport.from_bytes, SmsSubmit.from_bytes, SmsCommand.from_bytes, _reserved),
    # What a modem's store holds: received messages and reports, and messages to be sent.
    None: (SmsDeliver.from_bytes, SmsSubmit.from_bytes, SmsStatusReport.from_bytes, SmsDeliver.from_bytes),
}


def decode(tpdu: bytes, origin: Origin | None = None) -> Tpdu:
    """The TPDU in `tpdu` (without service centre); TpduError is the only error, whatever the octets.

    Without `origin` TP-MTI 0 and 3 are read as DELIVER, 1 as SUBMIT, 2 as STATUS-REPORT.
    """
    return _TYPES[origin][take_octet(tpdu, 0, "TP-MTI") & 0x03](tpdu)
