"""The command line of V.250 as equipment reads it: one body of text in, one `Command` at a time out.

It knows the syntax alone. Which commands exist, what they mean and how a line reaches us is for others.
Sources: ITU-T V.250 (07/2003), clauses 5.2 (command lines), 5.3 (basic syntax) and 5.4 (extended syntax).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from drivers.at.parameters import split_parameters


class Form(StrEnum):
    """What a command asks for: V.250, 5.4.3 (action) and 5.4.4 (parameter, reading and testing commands)."""

    EXECUTE = "execute"
    READ = "read"
    SET = "set"
    TEST = "test"


class CommandLineError(ValueError):
    """The rest of the line follows no syntax of V.250; what stood before it has been executed (5.2.2, 5.4.2)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a line: `+CMGS=23` is `Command("+CMGS", Form.SET, "23")`.

    `name` is in capitals with its leading character. `value` is the text after `=`, or the digits of a basic
    command (`ATE0` is `Command("E", Form.EXECUTE, "0")`), or the dial string of `D`.
    """

    name: str
    form: Form
    value: str = ""

    @property
    def parameters(self) -> tuple[str | None, ...]:
        """The sub-parameters of `value` (5.4.2): strings without quotation marks, None where one is left out."""
        return tuple(_constant(piece) for piece in split_parameters(self.value))

    @property
    def number(self) -> int:
        """The number of a basic command; a missing one is zero (5.3.1)."""
        return int(self.value or "0")


_EXTENDED = re.compile(r"([+^*#$%!_@][A-Z][A-Z0-9!%\-./:_]*)(=\?|\?|=)?", re.IGNORECASE | re.ASCII)
_REGISTER = re.compile(r"S(\d{1,3})(\?|=)(\d*)", re.IGNORECASE | re.ASCII)
_BASIC = re.compile(r"([&\\]?[A-Z])(\d{0,9})", re.IGNORECASE | re.ASCII)
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2})")
_FORMS = {"?": Form.READ, "=": Form.SET, "=?": Form.TEST, None: Form.EXECUTE}


def strip_blanks(body: str) -> str:
    """The body without control characters, and without spaces outside string constants (5.2.1, 5.2.2)."""
    pieces = re.split(r'("[^"]*"?)', "".join(character for character in body if character >= " "))
    return "".join(piece if piece.startswith('"') else piece.replace(" ", "") for piece in pieces)


def next_command(body: str, position: int) -> tuple[Command, int] | None:
    """The command that begins at `position` of a body without blanks, and the position after it; None at the end.

    Raises CommandLineError where no command can begin or the one that begins is malformed.
    """
    while position < len(body) and body[position] == ";":
        position += 1
    if position == len(body):
        return None
    rest = body[position:]
    if extended := _EXTENDED.match(rest):
        command, length = _extended(rest, extended)
    elif rest[0] in "Dd":
        command, length = Command("D", Form.EXECUTE, rest[1:]), len(rest)
    elif register := _REGISTER.match(rest):
        form = _FORMS[register[2]]
        command, length = Command(f"S{int(register[1])}", form, register[3]), register.end()
    elif basic := _BASIC.match(rest):
        command, length = Command(basic[1].upper(), Form.EXECUTE, basic[2]), basic.end()
    else:
        raise CommandLineError("no command begins here")
    return command, position + length


def _extended(rest: str, head: re.Match[str]) -> tuple[Command, int]:
    """An extended command runs to the next `;` outside a string, or to the end of the line (5.4.1)."""
    end = _end_of_command(rest)
    form = _FORMS[head[2]]
    value = rest[head.end() : end]
    if value and form is not Form.SET:
        raise CommandLineError("something stands after the command that is no parameter")
    if value.count('"') % 2:
        raise CommandLineError("a string has no end")
    return Command(head[1].upper(), form, value), end


def _end_of_command(text: str) -> int:
    """Where the next `;` outside string constants stands, or the length of the text."""
    quoted = False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return index
    return len(text)


def _constant(piece: str) -> str | None:
    """A decimal constant as it stands, a string constant without its marks and with `\\hh` resolved (5.4.2.2)."""
    if not piece:
        return None
    if len(piece) > 1 and piece[0] == '"' == piece[-1]:
        return _ESCAPED.sub(lambda pair: chr(int(pair[1], 16)), piece[1:-1])
    return piece
