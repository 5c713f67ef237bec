"""A command line that a person gives by hand: what may be asked of a modem while it also sends and receives.

What would cost money, a try of the PIN or a stored message, and what would change the line under the gateway's feet,
is refused here. The grammar is that of V.250, 5.2 and 5.3: blanks mean nothing, basic commands stand side by side,
extended ones may follow them without a semicolon.
"""

from __future__ import annotations

import re

from drivers.at.commands import AtCommand
from drivers.at.urc import ANY_NAME
from drivers.errors import CommandFailed, CommandRefusedHere, CommandTimeout
from drivers.gsm.channel import AtChannel

_LONGEST = 400

# Why a command is refused, by its name; "=" stands for its writing form alone.
_MONEY = "it would send something, or call somebody"
_SECRET = "it is about a PIN or a password"  # noqa: S105 - not a password
_LINE = "it would change how the modem speaks or where it keeps messages"
_RESET = "there is `tocsin modems reset` for it"
_OFF = "it would switch the modem off"
_SIM = "it would write to the SIM"
_REFUSED: dict[str, str] = {
    "+CMGS": _MONEY,
    "+CMSS": _MONEY,
    "+CMGC": _MONEY,
    "+CMGW": _MONEY,
    "+CNMA": "it would confirm what is not stored yet",
    "+CMGD=": "it would delete what is not stored yet",
    "+CKPD": _MONEY,
    "+CGSMS=": _LINE,
    "+CPIN": _SECRET,
    "+CLCK": _SECRET,
    "+CPWD": _SECRET,
    "+CSIM": "it speaks to the SIM itself",
    "+CGLA": "it speaks to the SIM itself",
    "+CACM=": _SECRET,
    "+CAMM=": _SECRET,
    "+CPUC=": _SECRET,
    "+CMGF=": _LINE,
    "+CPMS=": _LINE,
    "+CSMS=": _LINE,
    "+CNMI=": _LINE,
    "+CSCS=": _LINE,
    "+CMUX": _LINE,
    "+IPR=": _LINE,
    "+ICF=": _LINE,
    "+IFC=": _LINE,
    "+CGDATA": _MONEY,
    "+CMAR=": _SECRET,
    "+CMGDA=": "it would delete what is not stored yet",
    "+CSCA=": "there is smsc in the configuration for it",
    "+CSAS": _SIM,
    "+CRES": _LINE,
    "+CPBW=": _SIM,
    "+CCFC=": "it would change where calls go",
    "+CUSD=": "there is `tocsin modems ussd` for it",
    "+CFUN=": _RESET,
    "^RESET": _RESET,
    "#REBOOT": _RESET,
    "^SETPORT=": "it would change which ports the modem has",
    "$QCPWRDN": _OFF,
    "+CPOF": _OFF,
    "+CPOWD": _OFF,
    "+CPWROFF": _OFF,
    "+QPOWD": _OFF,
    "#SHDN": _OFF,
    "^SMSO": _OFF,
}
_READING = re.compile(r"\+CPIN\?|\+CPINC?\?|\+CPIN=\?")
# Reading a file of the SIM is allowed: READ BINARY, READ RECORD, GET RESPONSE (TS 27.007, 8.18).
_SIM_READING = re.compile(r"\+CRSM=(?:176|178|192)\b|\+CRSM=\?")
# What sends under a name of its own (#CMGS, +QCMGS, +CMGSEX, ^HCMGS: some without a prompt), what asks for more with a
# prompt, and whatever has to do with secret numbers, in any family.
_PATTERNS = (
    (re.compile(r"[#^$%!*+&][A-Z0-9]*CM(?:G[SWC]|SS)[A-Z0-9]*"), _MONEY),
    (re.compile(r"[#^$%!*+&][A-Z0-9]*(?:SEND|PUT|SSENDEXT|USOWR|SMSMOD)[A-Z0-9]*"), _MONEY),
    (re.compile(r"[#^$%!*+&][A-Z0-9]*(?:PIN|PUK|PWD|CHV|LOCK|SIMLOCK)[A-Z0-9]*"), _SECRET),
)
_EXTENDED = re.compile(r"[+^*#$%!][A-Z][A-Z0-9_]*(?:=\??|\?)?")
_BASIC = re.compile(r"(&?[A-Z])(\d*)(=\d*|\?)?")
# Those whose value may be asked for. In a dial string a question mark is passed over (V.250, 6.3): D is no question.
_BASIC_ASKED = frozenset("EQVS")
_BASIC_REFUSED = {
    "D": _MONEY,
    "A": _MONEY,
    "O": _LINE,
    "Z": _LINE,
    "&F": _LINE,
    "&W": _LINE,
    "E": _LINE,
    "Q": _LINE,
    "V": _LINE,
    "S": _LINE,
}


def checked(line: str, seconds: float) -> AtCommand:
    """The command of a line that may be given; raises `CommandRefusedHere`."""
    text = line.strip()
    bare = re.sub(r'"[^"]*"?', '""', text).replace(" ", "").upper()
    if not text.isascii() or not text.isprintable() or len(text) > _LONGEST or not bare.startswith("AT"):
        raise CommandRefusedHere("a command line is AT and what follows it, in printable ASCII")
    why = _why_extended(bare) or _why_basic(bare)
    if why is not None:
        raise CommandRefusedHere(f"this command is not given by hand: {why}")
    return AtCommand(text, within=seconds, also=frozenset(_names(bare)))


def _names(bare: str) -> set[str]:
    """The names that the answer may bear: any at all where a basic command asks, none where nothing is asked."""
    if bare == "AT":
        return set()
    found = {re.split(r"[=?]", each)[0] for each in _EXTENDED.findall(bare)}
    return {ANY_NAME} if not bare.startswith("AT+") or not found else found


def _why_extended(bare: str) -> str | None:
    for found in _EXTENDED.finditer(bare):
        written = found.group()
        name = re.split(r"[=?]", written)[0]
        rest = bare[found.start() :]
        if name == "+CRSM" and not _SIM_READING.match(rest):
            return _SIM
        if _READING.match(written):
            continue
        if name in _REFUSED:
            return _REFUSED[name]
        if written.endswith("=") and written in _REFUSED:
            return _REFUSED[written]
        for pattern, why in _PATTERNS:
            if pattern.fullmatch(name) and not written.endswith("?"):
                return why
    return None


def _why_basic(bare: str) -> str | None:
    """Basic commands stand side by side until an extended one, and begin again behind a semicolon."""
    for piece in bare[2:].split(";"):
        basic = _EXTENDED.split(piece, maxsplit=1)[0]
        for found in _BASIC.finditer(basic):
            why = _BASIC_REFUSED.get(found.group(1))
            if why is not None and not (found.group(3) == "?" and found.group(1) in _BASIC_ASKED):
                return why
        if basic and not _BASIC.match(basic):
            return "it is not understood"
    return None


async def converse(channel: AtChannel, line: str, seconds: float) -> tuple[str, ...]:
    """The lines of the answer, the final result last, if it has one; raises `CommandRefusedHere`, `CommandTimeout`."""
    command = checked(line, seconds)
    try:
        return (*await channel.execute(command), "OK")
    except CommandFailed as error:
        return (*error.lines, error.result)
    except CommandTimeout as error:
        if command.bare is None or not error.lines:
            raise
        return error.lines
