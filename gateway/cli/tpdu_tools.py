"""`tocsin decode` and `tocsin encode`: TPDUs for people. All knowledge of TPDUs is in `drivers.tpdu`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import click

from drivers.tpdu import (
    Address,
    Origin,
    SmsDeliver,
    SmsSubmit,
    TimeStamp,
    TpduError,
    build_submits,
    describe,
    join_smsc,
    reason_of,
    segment,
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DECODE_EXAMPLE = """\b
Examples:
  tocsin decode 07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07
  tocsin decode --json --no-smsc --from mobile < pdus.txt
"""
_ENCODE_EXAMPLE = """\b
Examples:
  tocsin encode +33612345678 "Bonjour"
  tocsin encode +33612345678 "Bonjour" --validity 6h --class 0 --json
  tocsin encode Clinic "Bonjour" --deliver 2026-11-22T12:00:00+01:00
"""


@click.command(help=f"Say what PDUs hold: those given, or one a line on standard input.\n\n{_DECODE_EXAMPLE}")
@click.argument("pdus", nargs=-1, metavar="[HEX]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--no-smsc", is_flag=True, help="The octets do not begin with the service centre field.")
@click.option(
    "--from", "origin", type=click.Choice([word.value for word in Origin]), help="Who sent them; TP-MTI does not tell."
)
def decode(pdus: tuple[str, ...], *, as_json: bool, no_smsc: bool, origin: str | None) -> None:
    sender = Origin(origin) if origin else None
    failed = False
    for index, line in enumerate(pdus or _lines_of_standard_input()):
        record = _record(line, smsc=not no_smsc, origin=sender)
        failed |= "error" in record
        if as_json:
            click.echo(json.dumps(record))
        else:
            _print_record(record, blank_line=index > 0)
    if failed:
        raise SystemExit(1)


def _lines_of_standard_input() -> Iterator[str]:
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield text


def _record(line: str, *, smsc: bool, origin: Origin | None) -> dict[str, Any]:
    try:
        return describe(_octets(line), smsc=smsc, origin=origin)
    except TpduError as error:
        return {"error": {"field": error.field, "octet": error.octet, "message": error.message}}


def _octets(line: str) -> bytes:
    digits = "".join(line.split())
    wrong = re.search(r"[^0-9A-Fa-f]", digits)
    if wrong:
        raise TpduError("PDU", wrong.start() // 2, "has a character that is no hexadecimal digit")
    if len(digits) % 2:
        raise TpduError("PDU", len(digits) // 2, "has an odd number of hexadecimal digits")
    return bytes.fromhex(digits)


def _print_record(record: dict[str, Any], *, blank_line: bool) -> None:
    if blank_line:
        click.echo()
    if "error" in record:
        error = record["error"]
        click.echo(f"error: {error['field']} at octet {error['octet']}: {error['message']}")
        return
    for name, value in record.items():
        if value is not None:
            _say(f"{name.replace('_', ' ') + ':':<24}{_shown(name, value)}")


def _say(line: str) -> None:
    """Print what a stranger may have written: nothing in it may steer the terminal or be unknown to it."""
    printable = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(printable.encode(encoding, "backslashreplace").decode(encoding))


def _shown(name: str, value: Any) -> str:
    if name == "concat":
        return f"part {value['sequence']} of {value['total']}, reference {value['reference']} ({value['bits']} bits)"
    if name == "status":
        reason = reason_of(value)
        return f"{value} ({reason})" if reason else str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _duration(_context: click.Context, _parameter: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    written = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if not written or int(written[1]) == 0:
        raise click.BadParameter("write a number and a unit: 90s, 15m, 24h, 30d")
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


def _address(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return Address.from_text(text)
    except TpduError as error:
        raise click.BadParameter(error.message) from None


def _number(context: click.Context, parameter: click.Parameter, text: str | None) -> Address | None:
    address = _address(context, parameter, text)
    if address and not address.value.isdecimal():
        raise click.BadParameter("is not a number")
    return address


def _stamp(_context: click.Context, _parameter: click.Parameter, text: str | None) -> TimeStamp | None:
    if text is None:
        return None
    try:
        return TimeStamp.from_datetime(datetime.fromisoformat(text))
    except TpduError as error:
        raise click.BadParameter(error.message) from None
    except ValueError:
        raise click.BadParameter("write a time as 2026-11-22T12:00:00+01:00") from None


@click.command(help=f"Print the PDUs that carry TEXT to TO, one a line.\n\n{_ENCODE_EXAMPLE}")
@click.argument("to", callback=_address)
@click.argument("text")
@click.option("--smsc", callback=_number, metavar="NUMBER", help="Service centre; else the one that the SIM knows.")
@click.option("--no-smsc", is_flag=True, help="Leave the service centre field out.")
@click.option(
    "--reference", type=click.IntRange(0, 0xFFFF), default=0, help="Of the parts; above 255 it takes 16 bits."
)
@click.option("--validity", callback=_duration, metavar="DURATION", help="How long the network tries: 15m, 24h, 7d.")
@click.option("--class", "message_class", type=click.IntRange(0, 3), help="Message class; 0 is a flash message.")
@click.option("--no-report", is_flag=True, help="Ask for no status report.")
@click.option("--national-tables", is_flag=True, help="Allow national language shift tables.")
@click.option("--deliver", callback=_stamp, metavar="TIME", help="SMS-DELIVER from TO at TIME instead of SMS-SUBMIT.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the length for AT+CMGS.")
def encode(
    to: Address,
    text: str,
    *,
    smsc: Address | None,
    no_smsc: bool,
    reference: int,
    validity: timedelta | None,
    message_class: int | None,
    no_report: bool,
    national_tables: bool,
    deliver: TimeStamp | None,
    as_json: bool,
) -> None:
    if smsc and no_smsc:
        raise click.UsageError("--smsc and --no-smsc exclude each other")
    bits: Literal[8, 16] = 16 if reference > 0xFF else 8
    try:
        submits = build_submits(
            segment(text, national_tables=national_tables, bits=bits),
            to,
            reference=reference,
            bits=bits,
            validity=validity,
            status_report=not no_report,
            message_class=message_class,
        )
        tpdus = [(_delivered(submit, deliver) if deliver else submit).to_bytes() for submit in submits]
    except TpduError as error:
        raise click.ClickException(f"{error.field}: {error.message}") from None
    for tpdu in tpdus:
        _print_pdu(tpdu if no_smsc else join_smsc(smsc, tpdu), len(tpdu), as_json=as_json)


def _delivered(submit: SmsSubmit, stamp: TimeStamp) -> SmsDeliver:
    """What the recipient gets, were `tp_da` its sender."""
    return SmsDeliver(submit.tp_da, stamp, submit.tp_ud, submit.tp_pid, submit.tp_dcs)


def _print_pdu(pdu: bytes, length: int, *, as_json: bool) -> None:
    digits = pdu.hex().upper()
    click.echo(json.dumps({"pdu": digits, "length": length}) if as_json else digits)
