"""Who the modem and its SIM are, which network serves them, how strong: all of it optional, none of it trusted.

Sources: TS 27.007, 5.1 to 5.4 (identification), 7.3 (+COPS), 8.5 (+CSQ), 8.18 (+CRSM); ITU-T E.118 (ICCID).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.at.commands import IMEI, MANUFACTURER, MODEL, OPERATOR, SERVICE_CENTRE, SIGNAL, AtCommand
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.events import ModemIdentity
from drivers.gsm.channel import AtChannel

_MAX_TEXT = 64
_DIGITS = re.compile(r"\d{14,17}")
_CARD = re.compile(r"\d{18,20}")
# The beginning or the end of a number that news has cut in two; the rest of it may pass for a whole one.
_PIECE = re.compile(r'(?:\W?\w+: ?)?[\dFf"]{1,6}')
_NO_SIGNAL = 99


async def read_equipment(channel: AtChannel) -> ModemIdentity:
    """What the modem says of itself, without the SIM."""
    return ModemIdentity(
        manufacturer=await _text(channel, MANUFACTURER),
        model=await _text(channel, MODEL),
        imei=await _imei(channel),
    )


async def _text(channel: AtChannel, command: AtCommand) -> str | None:
    for line in await channel.optional(command) or ():
        text = _printable(body_of(line) if name_of(line) == command.name else line)
        if text:
            return text
    return None


def _printable(text: str) -> str:
    kept = "".join(character for character in text if character.isprintable())
    return kept.strip().strip('"').strip()[:_MAX_TEXT]


async def _imei(channel: AtChannel) -> str | None:
    for line in _whole(await channel.optional(IMEI)):
        found = _DIGITS.search(line)
        if found is not None:
            return found.group()
    return None


def _whole(lines: Sequence[str] | None) -> Sequence[str]:
    """The lines of an answer that holds a number; none if it came in pieces."""
    return () if lines is None or any(_PIECE.fullmatch(line.strip()) for line in lines) else lines


async def read_iccid(channel: AtChannel, commands: Sequence[AtCommand]) -> tuple[str | None, AtCommand | None]:
    """The SIM's serial number by the first command that the modem knows, and that command."""
    for command in commands:
        for line in _whole(await channel.optional(command)):
            number = _iccid(line, swapped=command.name == "+CRSM")
            if number is not None:
                return number, command
    return None, None


def _iccid(line: str, *, swapped: bool) -> str | None:
    digits = body_of(line)
    if swapped:  # the file holds the digits of each octet in reverse order
        parameters = parse_parameters(digits)
        octets = str(parameters[2]) if len(parameters) > 2 and parameters[2] is not None else ""
        digits = "".join(octets[at + 1 : at + 2] + octets[at : at + 1] for at in range(0, len(octets), 2))
    found = _CARD.search(digits)
    return None if found is None else found.group()


async def read_operator(channel: AtChannel) -> str | None:
    """The operator's name as the modem has it."""
    for line in await channel.optional(OPERATOR) or ():
        parameters = parse_parameters(body_of(line))
        if name_of(line) == OPERATOR.name and len(parameters) > 2 and parameters[2] is not None:
            return _printable(str(parameters[2])) or None
    return None


async def read_signal(channel: AtChannel) -> int | None:
    """The signal in dBm: <rssi> 0 to 31 stands for -113 to -51 in steps of two."""
    for line in await channel.optional(SIGNAL) or ():
        parameters = parse_parameters(body_of(line))
        if name_of(line) == SIGNAL.name and parameters and isinstance(parameters[0], int):
            strength = parameters[0]
            return -113 + 2 * strength if 0 <= strength < min(_NO_SIGNAL, 32) else None
    return None


async def read_service_centre(channel: AtChannel) -> str | None:
    """The address of the service centre on the SIM; None where none is set (TS 27.005, 3.3.1)."""
    for line in await channel.optional(SERVICE_CENTRE) or ():
        parameters = parse_parameters(body_of(line))
        if name_of(line) == SERVICE_CENTRE.name and parameters and parameters[0]:
            return _printable(str(parameters[0])) or None
    return None
