"""How messages are shown to the terminal and taken from it: the two formats of +CMGF.

PDU mode shows octets; text mode shows header fields and a text in the character set of +CSCS.
Sources: 3GPP TS 27.005, 3.3.1, 3.4.1, 3.4.2, 3.4.3 and 4; 3GPP TS 27.007, 5.5.
"""

from __future__ import annotations

from drivers.at.codes import CmsError
from drivers.sim.answers import Lines, RefusedError
from drivers.sim.memory import Status, StoredMessage
from drivers.sim.state import CommandSettings
from drivers.tpdu import (
    Address,
    Origin,
    RelativeValidity,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    TimeStamp,
    Tpdu,
    TpduError,
    UserData,
    decode,
    split_smsc,
)
from drivers.tpdu.gsm7 import DEFAULT

WORDS = {
    Status.REC_UNREAD: "REC UNREAD",
    Status.REC_READ: "REC READ",
    Status.STO_UNSENT: "STO UNSENT",
    Status.STO_SENT: "STO SENT",
}
WITH_VALIDITY, WITH_REPORT = 0x10, 0x20


def routed(chosen: CommandSettings, name: str, pdu: bytes) -> Lines:
    """+CMT or +CDS with the message itself."""
    if not chosen.text_mode:
        alpha = "," if name == "+CMT" else ""
        return f"{name}: {alpha}{_length(pdu)}", pdu.hex().upper()
    return _shown(chosen, f"{name}: ", pdu, Origin.NETWORK, listed=False)


def stored(chosen: CommandSettings, head: str, message: StoredMessage, *, listed: bool = False) -> Lines:
    """One message of +CMGR or, `listed`, of +CMGL; `head` is what stands before <stat>."""
    if not chosen.text_mode:
        return f"{head}{message.status.value},,{_length(message.pdu)}", message.pdu.hex().upper()
    origin = Origin.NETWORK if message.status in (Status.REC_UNREAD, Status.REC_READ) else Origin.MOBILE
    return _shown(chosen, f'{head}"{WORDS[message.status]}",', message.pdu, origin, listed=listed)


def submit(chosen: CommandSettings, destination: str, typed: bytes) -> bytes:
    """The PDU of a text typed at the prompt, with the parameters of +CSMP; CMS ERROR 305 for what cannot be sent."""
    try:
        message = SmsSubmit(
            tp_da=Address.from_text(destination),
            tp_ud=UserData(text=_typed_text(chosen, typed)),
            tp_pid=chosen.protocol,
            tp_dcs=chosen.coding,
            tp_vp=RelativeValidity(chosen.validity) if chosen.first_octet & WITH_VALIDITY else None,
            tp_srr=bool(chosen.first_octet & WITH_REPORT),
        )
        return b"\x00" + message.to_bytes()
    except ValueError:
        raise RefusedError(CmsError.INVALID_TEXT_MODE_PARAMETER) from None


def from_terminal(chosen: CommandSettings, text: str) -> str:
    """A string parameter in the set of +CSCS: hexadecimal when that is UCS2; CMS ERROR 305 when it is not."""
    if chosen.character_set != "UCS2":
        return text
    try:
        return bytes.fromhex(text).decode("utf-16-be")
    except ValueError:
        raise RefusedError(CmsError.INVALID_TEXT_MODE_PARAMETER) from None


def to_terminal(chosen: CommandSettings, text: str) -> str:
    """`text`, all of the GSM default alphabet, in the set of +CSCS; IRA shows question marks for what it has not."""
    if chosen.character_set == "UCS2":
        return text.encode("utf-16-be", "replace").hex().upper()
    if chosen.character_set == "GSM":
        return DEFAULT.encode(text).decode("ascii")
    return text.encode("ascii", "replace").decode("ascii")


def _typed_text(chosen: CommandSettings, typed: bytes) -> str:
    if chosen.character_set == "GSM":
        return DEFAULT.decode(bytes(octet & 0x7F for octet in typed))
    return from_terminal(chosen, typed.decode("ascii"))


def _shown(chosen: CommandSettings, head: str, pdu: bytes, origin: Origin, *, listed: bool) -> Lines:
    try:
        centre, tpdu = split_smsc(pdu)
        message = decode(tpdu, origin)
    except TpduError:
        # A client may have written anything into a slot; its octets are shown as 8-bit data are.
        return f'{head}"",', pdu.hex().upper()
    match message:
        case SmsStatusReport():
            return (head + _report_fields(chosen, message),)
        case SmsDeliver() | SmsSubmit():
            details = _details(chosen, message, centre, tpdu, listed=listed) if chosen.show_parameters else ""
            return head + _message_fields(chosen, message) + details, _content(chosen, message.tp_ud)
        case _:
            return f'{head}"",', _hex_of(message)


def _hex_of(message: Tpdu) -> str:
    return message.to_bytes().hex().upper()


def _report_fields(chosen: CommandSettings, report: SmsStatusReport) -> str:
    first = report.to_bytes()[0]
    address = f"{_quoted(chosen, report.tp_ra.text)},{_type_of(report.tp_ra)}"
    times = f'"{_time(report.tp_scts)}","{_time(report.tp_dt)}"'
    return f"{first},{report.tp_mr},{address},{times},{report.tp_st}"


def _message_fields(chosen: CommandSettings, message: SmsDeliver | SmsSubmit) -> str:
    if isinstance(message, SmsDeliver):
        return f'{_quoted(chosen, message.tp_oa.text)},,"{_time(message.tp_scts)}"'
    return f"{_quoted(chosen, message.tp_da.text)},"


def _details(
    chosen: CommandSettings, message: SmsDeliver | SmsSubmit, centre: Address | None, tpdu: bytes, *, listed: bool
) -> str:
    """What +CSDH=1 adds; +CMGL adds the type of address and the length alone."""
    address = message.tp_oa if isinstance(message, SmsDeliver) else message.tp_da
    user_data = message.tp_ud
    length = len(user_data.text if user_data.text is not None else user_data.data or b"")
    if listed:
        return f",{_type_of(address)},{length}"
    validity = ""
    if isinstance(message, SmsSubmit):
        validity = f",{message.tp_vp.octet}" if isinstance(message.tp_vp, RelativeValidity) else ","
    asked = f"{_quoted(chosen, centre.text)},{_type_of(centre)}" if centre else ","
    return f",{_type_of(address)},{tpdu[0]},{message.tp_pid},{message.tp_dcs}{validity},{asked},{length}"


def _content(chosen: CommandSettings, user_data: UserData) -> str:
    """A text in the terminal's set; octets, and texts that only UCS-2 can hold, as hexadecimal (3.1, <data>)."""
    if user_data.text is None:
        return (user_data.data or b"").hex().upper()
    if chosen.character_set != "UCS2" and not _in_default_alphabet(user_data.text):
        return user_data.text.encode("utf-16-be", "replace").hex().upper()
    return to_terminal(chosen, user_data.text)


def _in_default_alphabet(text: str) -> bool:
    try:
        DEFAULT.encode(text)
    except UnicodeEncodeError:
        return False
    return True


def _quoted(chosen: CommandSettings, text: str) -> str:
    return f'"{to_terminal(chosen, text)}"'


def _type_of(address: Address) -> int:
    return 0x80 | address.ton << 4 | address.npi


def _time(stamp: TimeStamp) -> str:
    """<scts> of 27.005, 3.1: the zone in quarters of an hour."""
    moment = stamp.datetime
    if moment is None:
        return ""
    offset = moment.utcoffset()
    quarters = round(offset.total_seconds() / 900) if offset else 0
    return f"{moment:%y/%m/%d,%H:%M:%S}{quarters:+03}"


def _length(pdu: bytes) -> int:
    """<length>: octets of the TPDU, without the service centre field."""
    return len(pdu) - 1 - pdu[0]
