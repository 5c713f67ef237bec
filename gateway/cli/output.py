"""What commands print: tables for people, JSON documents for programs. Nothing printed can steer a terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import click

#: A JSON object as the HTTP interface gives it.
Document: TypeAlias = dict[str, Any]

# ECMA-48: control sequences, operating system commands, and the other escapes of two octets.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -~]?|\x9b[0-?]*[ -/]*[@-~]")
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp", "Co", "Cn"})
# Marks that turn the direction of what follows; other format characters are part of emoji and scripts.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_NOTHING = "-"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEAR = timedelta(days=334)
_GAP = "  "


def print_document(document: Mapping[str, object]) -> None:
    """One document on one line. Characters outside ASCII are escaped, so that no terminal is steered by them."""
    click.echo(json.dumps(document, separators=(",", ":")))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> None:
    """Aligned columns under their heads; on a terminal a row is cut at its width. `nothing` is said of no rows."""
    if not rows:
        click.echo(nothing, err=True)
        return
    cells = [list(heads), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    most = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in cells:
        text = _GAP.join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(text if most is None else _cut(text, most))


def print_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    """Names and values below each other; values of nothing are left out."""
    shown = [(name, clean(value)) for name, value in pairs if value not in (None, "", [])]
    widest = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:{widest}}{_GAP}{value}")


def clean(value: object) -> str:
    """A value in one line: escape sequences gone, what remains of control characters shown escaped."""
    if value is None or value == "":
        return _NOTHING
    return "".join(map(_seen, _ESCAPES.sub("", str(value))))


def local_time(value: str | None) -> str:
    """A time of the interface in this machine's zone; `-` for none."""
    if value is None:
        return _NOTHING
    try:
        return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return value


def short_time(value: str) -> str:
    """The same without what goes without saying: the day if it is today, the year if it is within eleven months."""
    from gateway.clock import SystemClock, to_datetime

    try:
        moment = datetime.fromisoformat(value).astimezone()
    except ValueError:
        return value
    now = to_datetime(SystemClock().now_us()).astimezone()
    if moment.date() == now.date():
        return moment.strftime("%H:%M")
    near = abs(moment - now) < _NEAR
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.strftime('%H:%M' if near else '%Y %H:%M')}"


def _seen(character: str) -> str:
    if character in _DIRECTIONS or unicodedata.category(character) in _UNSEEN:
        return character.encode("unicode_escape").decode("ascii")
    return character


def _width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, most: int) -> str:
    """The beginning of the text that fits, with … where something is left out."""
    taken = 0
    for place, character in enumerate(text):
        taken += _columns(character)
        if taken > most:
            return _fit(text[:place], most - 1) + "…"
    return text


def _fit(text: str, most: int) -> str:
    while text and _width(text) > most:
        text = text[:-1]
    return text
