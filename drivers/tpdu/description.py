"""A PDU as the flat record that `tocsin decode --json` prints. Its field names are public; add, never rename."""

from collections.abc import Callable
from typing import Any

from drivers.tpdu.address import Address, TypeOfNumber, split_smsc
from drivers.tpdu.command import SmsCommand
from drivers.tpdu.decoding import Origin, Tpdu, decode
from drivers.tpdu.deliver import SmsDeliver
from drivers.tpdu.deliver_report import SmsDeliverReport
from drivers.tpdu.errors import TpduError
from drivers.tpdu.status_report import SmsStatusReport
from drivers.tpdu.submit import SmsSubmit
from drivers.tpdu.submit_report import SmsSubmitReport
from drivers.tpdu.timestamp import TimeStamp
from drivers.tpdu.user_data import UserData
from drivers.tpdu.validity import AbsoluteValidity, Validity

FIELDS = (
    "type",
    "smsc",
    "address",
    "address_type",
    "reference",
    "pid",
    "dcs",
    "encoding",
    "class",
    "text",
    "data",
    "udh",
    "concat",
    "timestamp",
    "discharge_timestamp",
    "status",
    "validity",
    "status_report_request",
)
Description = dict[str, Any]


def describe(pdu: bytes, *, smsc: bool = True, origin: Origin | None = None) -> Description:
    """The record of `pdu`, with the keys of FIELDS; the octets start with the service centre field if `smsc`.

    TpduError counts its octets in `pdu`.
    """
    centre, tpdu = split_smsc(pdu) if smsc else (None, pdu)
    try:
        value = decode(tpdu, origin)
    except TpduError as error:
        raise error.moved(len(pdu) - len(tpdu)) from None
    record: Description = dict.fromkeys(FIELDS)
    return record | {"smsc": centre and centre.text} | _DESCRIPTIONS[type(value)](value)


def _deliver(tpdu: SmsDeliver) -> Description:
    return {"type": "SMS-DELIVER", "timestamp": _time(tpdu.tp_scts)} | _address(tpdu.tp_oa) | _content(tpdu)


def _submit(tpdu: SmsSubmit) -> Description:
    head = {"type": "SMS-SUBMIT", "reference": tpdu.tp_mr, "validity": _validity(tpdu.tp_vp)}
    return head | {"status_report_request": tpdu.tp_srr} | _address(tpdu.tp_da) | _content(tpdu)


def _status_report(tpdu: SmsStatusReport) -> Description:
    times = {"timestamp": _time(tpdu.tp_scts), "discharge_timestamp": _time(tpdu.tp_dt)}
    head = {"type": "SMS-STATUS-REPORT", "reference": tpdu.tp_mr, "status": tpdu.tp_st}
    return head | times | _address(tpdu.tp_ra) | _content(tpdu)


def _deliver_report(tpdu: SmsDeliverReport) -> Description:
    return {"type": "SMS-DELIVER-REPORT", "failure_cause": tpdu.tp_fcs} | _content(tpdu)


def _submit_report(tpdu: SmsSubmitReport) -> Description:
    head = {"type": "SMS-SUBMIT-REPORT", "failure_cause": tpdu.tp_fcs, "timestamp": _time(tpdu.tp_scts)}
    return head | _content(tpdu)


def _command(tpdu: SmsCommand) -> Description:
    head = {"type": "SMS-COMMAND", "reference": tpdu.tp_mr, "pid": tpdu.tp_pid, "dcs": 0, "encoding": "8bit"}
    about = {"command": tpdu.tp_ct, "message_number": tpdu.tp_mn, "data": tpdu.tp_cd.hex()}
    return head | about | {"status_report_request": tpdu.tp_srr} | _address(tpdu.tp_da)


_DESCRIPTIONS: dict[type[Tpdu], Callable[[Any], Description]] = {
    SmsDeliver: _deliver,
    SmsSubmit: _submit,
    SmsStatusReport: _status_report,
    SmsDeliverReport: _deliver_report,
    SmsSubmitReport: _submit_report,
    SmsCommand: _command,
}


def _address(address: Address) -> Description:
    return {"address": address.text, "address_type": _ADDRESS_TYPES[address.ton]}


_ADDRESS_TYPES = {ton: ton.name.lower().replace("_", "-") for ton in TypeOfNumber}


def _content(tpdu: SmsDeliver | SmsSubmit | SmsStatusReport | SmsDeliverReport | SmsSubmitReport) -> Description:
    """TP-PID, TP-DCS and TP-UD; where TP-PI leaves them out, their values are those that a receiver is to assume."""
    coding = tpdu.data_coding
    head = {
        "pid": tpdu.tp_pid or 0,
        "dcs": coding.octet,
        "encoding": coding.alphabet.value,
        "class": coding.message_class,
    }
    return head | (_user_data(tpdu.tp_ud) if tpdu.tp_ud is not None else {})


def _user_data(user_data: UserData) -> Description:
    concat = user_data.concatenation
    return {
        "text": user_data.text,
        "data": None if user_data.data is None else user_data.data.hex(),
        "udh": user_data.header.hex() if user_data.has_header else None,
        "concat": concat
        and {
            "reference": concat.reference,
            "total": concat.total,
            "sequence": concat.sequence,
            "bits": concat.bits,
        },
    }


def _time(stamp: TimeStamp) -> str | None:
    moment = stamp.datetime
    return None if moment is None else moment.isoformat()


def _validity(validity: Validity | None) -> int | str | None:
    if isinstance(validity, AbsoluteValidity):
        return _time(validity.until)
    period = validity and validity.period
    return None if period is None else int(period.total_seconds())
