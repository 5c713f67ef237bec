"""What is left of a line in a trace: names, codes and small numbers stay, whatever may be a person's does not.

The rule is a list of what may be shown, not of what must be hidden: a text that nobody expects is filled too. It knows
the dialogue as far as it says which line is a PDU, a text, or an echo. TS 27.005, 27.007; families as in `at.urc`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from enum import Enum, auto

from drivers.at.parameters import parse_parameters
from drivers.at.results import parse_final
from drivers.at.urc import body_of, is_hexadecimal, name_of
from drivers.tpdu import Origin
from drivers.trace.pdu_redaction import redact_pdu
from drivers.trace.placeholders import Placeholders, filled
from drivers.trace.redaction_rules import Rule, redact_parameters, rule_of

_COMMAND = re.compile(r"([+^*#$%!&][A-Z0-9_]+)(.*)", re.IGNORECASE | re.DOTALL)
_CHAIN = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_DIAL = re.compile(r"(D)(.*)", re.IGNORECASE | re.DOTALL)
_BASIC = re.compile(r"[A-Z&\\0-9=?]{0,12}", re.IGNORECASE)
_LONG_RUN = re.compile(r"[0-9]{7,}")
_NUMBER_LINE = re.compile(r"[+0-9]{5,}F?")

# Announce that the next line is a PDU, or, in text mode, a text.
_HEADERS = frozenset({"+CMGR", "+CMGL", "+CMT", "+CDS", "+CBM", "+CMGW"})
_NEWS_IN_TEXT = frozenset({"+CMTI", "+CDSI", "+CBMI", "+CREG", "+CGREG", "+CEREG", *_HEADERS})
_PROMPTED = frozenset({"+CMGS", "+CMGW", "+CMGC"})
# Answered by a line without a name that says what the modem is.
_IDENTIFYING = frozenset({"+CGMI", "+CGMM", "+CGMR", "+GMI", "+GMM", "+GMR", "I"})
_MAX_ECHOES = 16


class _Awaited(Enum):
    NOTHING = auto()
    PDU = auto()
    TEXT = auto()


class Redactor:
    """One dialogue's lines, in their order. With `secrets_only` a PIN is all that is replaced."""

    def __init__(self, placeholders: Placeholders, *, secrets_only: bool = False) -> None:
        self._placeholders = placeholders
        self._secrets_only = secrets_only
        self._running = ""
        self._awaited = self._payload = _Awaited.NOTHING
        self._prompted = self._telling_secret = False
        self._length: int | None = None
        self._payload_length: int | None = None
        self._echoes: OrderedDict[str, str] = OrderedDict()

    # --- to the modem

    def sent(self, line: str, *, ends_payload: bool = False) -> str:
        """A line to the modem, without its end."""
        pending = line.strip()
        shown = self._payload_line(line) if self._prompted else self._command_line(line)
        if ends_payload:
            self._prompted, self._payload = False, _Awaited.NOTHING
        if pending:
            self._echoes[pending] = shown.strip()
            while len(self._echoes) > _MAX_ECHOES:
                self._echoes.popitem(last=False)
        return shown

    def _payload_line(self, line: str) -> str:
        if self._secrets_only:
            return line
        if self._payload is _Awaited.PDU and is_hexadecimal(line):
            return self._pdu(line, self._payload_length, Origin.MOBILE)
        return filled(line)

    def _command_line(self, line: str) -> str:
        if line[:2].upper() != "AT":
            return line if line in {"A/", "+++", ""} or self._secrets_only else filled(line)
        commands = _CHAIN.split(line[2:])
        return line[:2] + ";".join(self._command(command) for command in commands)

    def _command(self, command: str) -> str:
        found = _COMMAND.fullmatch(command)
        if found is None:
            return self._basic(command)
        name, rest = found.group(1), found.group(2)
        self._running = name.upper()
        if self._running in _PROMPTED and rest.startswith("="):
            self._expect_payload(rest[1:])
        self._telling_secret = False
        if rest in {"", "?", "=?"}:
            return command
        rule = rule_of(self._running, command=True)
        self._telling_secret = rule is Rule.SECRET
        if self._secrets_only and rule is not Rule.SECRET:
            return command
        return name + rest[:1] + redact_parameters(rest[1:], rule, self._placeholders)

    def _expect_payload(self, parameters: str) -> None:
        length = parse_parameters(parameters)[:1]
        in_pdu_mode = bool(length) and isinstance(length[0], int) and length[0] <= 0xFF
        self._payload = _Awaited.PDU if in_pdu_mode else _Awaited.TEXT
        self._payload_length = length[0] if length and isinstance(length[0], int) else None

    def _basic(self, command: str) -> str:
        self._running = command[:1].upper()
        dialled = _DIAL.fullmatch(command)
        if self._secrets_only or (dialled is None and _BASIC.fullmatch(command)):
            return command
        if dialled is None:
            return filled(command)
        return dialled.group(1) + self._placeholders.number(dialled.group(2))

    # --- from the modem

    def received(self, line: str) -> str:
        """A line from the modem, without its end."""
        bare = line.strip()
        if bare == ">":
            self._prompted = self._payload is not _Awaited.NOTHING
        if not bare or bare == ">":
            return line
        echo = self._echoes.get(bare) or self._echoes.get(bare.removeprefix("> "))
        if echo is not None:
            return line.replace(bare.removeprefix("> "), echo)
        if self._is_piece_of_echo(bare):
            return filled(line)
        return line if self._secrets_only else line.replace(bare, self._answer(bare))

    def _is_piece_of_echo(self, line: str) -> bool:
        """An echo that came in pieces may break off in a number, or in a PIN."""
        if self._secrets_only:
            return self._telling_secret and parse_final(line) is None and not name_of(line)
        return line[:2].upper() == "AT"

    def _answer(self, line: str) -> str:
        if parse_final(line) is not None:  # also for the next command, which may be no payload
            self._awaited = self._payload = _Awaited.NOTHING
            self._prompted = False
            self._running = ""  # what comes from now on answers nothing: the rest of a text, perhaps
            return _LONG_RUN.sub(lambda found: self._placeholders.digits(found.group()), line)
        name = name_of(line)
        if self._awaited is _Awaited.TEXT and name not in _NEWS_IN_TEXT:
            return filled(line)
        if self._awaited is _Awaited.PDU and is_hexadecimal(line):
            self._awaited = _Awaited.NOTHING
            return self._pdu(line, self._length, Origin.NETWORK)
        if not name:
            return self._unnamed(line)
        if name in _HEADERS:
            self._expect_message(name, body_of(line))
        body = body_of(line)
        if name == line.upper():
            return line
        return line[: len(line) - len(body)] + redact_parameters(body, rule_of(name), self._placeholders)

    def _expect_message(self, name: str, body: str) -> None:
        """PDU mode ends a header with the count of octets; text mode has a quoted status or number in it."""
        parameters = parse_parameters(body)
        states = parameters[1:2] if name == "+CMGL" else parameters[:1]
        textual = name in {"+CMGR", "+CMGL"} and any(isinstance(each, str) for each in states)
        textual = textual or (name == "+CMT" and len(parameters) > 2)
        last = parameters[-1] if parameters else None
        self._length = last if isinstance(last, int) else None
        self._awaited = _Awaited.TEXT if textual else _Awaited.PDU

    def _unnamed(self, line: str) -> str:
        if self._running in _IDENTIFYING:
            return _LONG_RUN.sub(lambda found: self._placeholders.digits(found.group()), line)
        if _NUMBER_LINE.fullmatch(line):
            return self._placeholders.number(line.removesuffix("F")) + ("F" if line.endswith("F") else "")
        return "F" * len(line) if is_hexadecimal(line) else filled(line)

    def _pdu(self, line: str, length: int | None, origin: Origin) -> str:
        shown = redact_pdu(bytes.fromhex(line), length, origin, self._placeholders).hex()
        return shown.upper() if line.upper() == line else shown
