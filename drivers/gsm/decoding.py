"""From the hexadecimal line that a modem gives to the event that it is."""

from __future__ import annotations

from drivers.events import DeliverReceived, PduUndecodable, Receipt, StatusReportReceived
from drivers.tpdu import Origin, SmsDeliver, SmsStatusReport, TpduError, decode, split_smsc

MessageEvent = DeliverReceived | StatusReportReceived | PduUndecodable


def message_event(pdu: str, length: int | None, receipt: Receipt) -> MessageEvent:
    """Read `pdu`; `length` is the octet count that the modem gave beside it, the service centre field not counted.

    By that count a modem is recognised that leaves out the service centre field altogether.
    """
    try:
        raw = bytes.fromhex(pdu)
    except ValueError:
        return PduUndecodable(pdu, TpduError("PDU", 0, "is not hexadecimal"), receipt)
    try:
        smsc, tpdu = (None, raw) if length == len(raw) else split_smsc(raw)
        decoded = decode(tpdu, Origin.NETWORK)
    except TpduError as error:
        return PduUndecodable(pdu, error, receipt)
    if isinstance(decoded, SmsDeliver):
        return DeliverReceived(decoded, smsc, raw, receipt)
    if isinstance(decoded, SmsStatusReport):
        return StatusReportReceived(decoded, raw, receipt)
    return PduUndecodable(pdu, TpduError("TP-MTI", 0, "is neither a message nor a report for us"), receipt)
