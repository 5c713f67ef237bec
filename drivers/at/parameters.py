"""The grammar of parameters in commands and information text: ``1,"REC UNREAD",,`` (V.250, 5.4.2; TS 27.007, 4).

Reading is forgiving (a missing closing quote ends with the line) unless `strict` is asked for; both roles use it.
Nothing here knows what a parameter means.
"""

from __future__ import annotations

from typing import TypeAlias


class ParameterError(ValueError):
    """The text does not follow the grammar (only raised by strict reading, and for values that cannot be written)."""


class Bare(str):
    """A string constant written without quotes: ``READY``, hexadecimal octets, a list in brackets."""

    __slots__ = ()


Parameter: TypeAlias = int | str | Bare | None

_MAX_INTEGER_DIGITS = 10


def split_parameters(text: str, *, strict: bool = False) -> tuple[str, ...]:
    """Cut at the commas that stand outside quotes and brackets; the pieces are trimmed and otherwise untouched."""
    if not text.strip():
        return ()
    pieces: list[str] = []
    start, quoted, depth = 0, False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth <= 0:
            pieces.append(text[start:position].strip())
            start = position + 1
    if strict and (quoted or depth):
        raise ParameterError("a quote or bracket is not closed")
    pieces.append(text[start:].strip())
    return tuple(pieces)


def parse_parameters(text: str, *, strict: bool = False) -> tuple[Parameter, ...]:
    """Each parameter as a value: digits are int, quoted text is str, other text is `Bare`, nothing is None.

    A number of more than ten digits stays `Bare`: it is an identity (IMEI, ICCID), whose leading zeros count.
    """
    return tuple(_value(piece, strict=strict) for piece in split_parameters(text, strict=strict))


def _value(piece: str, *, strict: bool) -> Parameter:
    if not piece:
        return None
    if piece.startswith('"'):
        body = piece[1:-1] if len(piece) > 1 and piece.endswith('"') else piece[1:]
        if strict and '"' in body:
            raise ParameterError("a quote stands inside a string constant")
        return body
    digits = piece[1:] if piece[0] == "-" else piece
    if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_INTEGER_DIGITS:
        return int(piece)
    return Bare(piece)


def format_parameters(*values: Parameter) -> str:
    """Write values as a parameter list: int as digits, `Bare` as it is, str in quotes, None as nothing."""
    return ",".join(_text(value) for value in values)


def _text(value: Parameter) -> str:
    if value is None:
        return ""
    if isinstance(value, Bare):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if '"' in value or "\r" in value or "\n" in value or not value.isascii():
        raise ParameterError("a string constant cannot hold quotes, line ends or characters beyond IRA")
    return f'"{value}"'


def parse_alternatives(text: str) -> tuple[tuple[str, ...], ...]:
    """Read the answer to a test command: ``("SM","ME"),(0-3,7)`` gives ``(("SM", "ME"), ("0", "1", "2", "3", "7"))``.

    Ranges are written out when both ends are small numbers; a value without brackets is a list of one.
    """
    return tuple(_alternatives(piece) for piece in split_parameters(text))


def _alternatives(piece: str) -> tuple[str, ...]:
    inner = piece.removeprefix("(").removesuffix(")")
    values: list[str] = []
    for item in split_parameters(inner):
        values.extend(_written_out(item))
    return tuple(values)


def _written_out(item: str) -> list[str]:
    low, dash, high = item.partition("-")
    if (
        dash
        and low.isascii()
        and low.isdigit()
        and high.isascii()
        and high.isdigit()
        and len(low) <= 3
        and len(high) <= 3
    ):
        return [str(number) for number in range(int(low), int(high) + 1)]
    return [item.strip('"')]
