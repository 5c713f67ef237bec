"""A list as it was asked for: a table for people, JSON for programs, CSV for spreadsheets.

A cell of CSV that begins as a formula does is run by whoever opens the file (owasp.org, "CSV Injection"), and what
people write to us stands in those cells. So such a cell gets an apostrophe in front, numbers with their + too: it is
then a text to every spreadsheet. `--json` is the form in which nothing is changed.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import click

from gateway.cli.options import invocation
from gateway.cli.output import Document, clean, print_document, print_table

# Without it Excel takes UTF-8 for the code page of the machine.
_BOM: Final = "\ufeff"
_FORMULA: Final = frozenset("=+-@\u2212")
_APOSTROPHE: Final = "'"
# Where Excel's list separator is another than the comma it cuts there, quotes or not; so does a line break.
_CUT: Final = re.compile(r"([;|\n])")
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_LEADING: Final = ("\t", "\r", "\n")


def print_list(
    found: Iterable[Document],
    heads: Sequence[str],
    row: Callable[[Document], Sequence[object]],
    columns: Sequence[str],
    nothing: str,
) -> None:
    """Each document as the invocation wants it. `columns` are its fields in CSV, `a.b` the field b of a; `nothing` is
    said of no rows."""
    wanted = invocation()
    if wanted.json and wanted.csv:
        raise click.UsageError("--csv and --json cannot both be given")
    if wanted.csv:
        _print_csv(columns, found)
    elif wanted.json:
        for one in found:
            print_document(one)
    else:
        print_table(heads, [row(one) for one in found], nothing)


def guarded(text: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe stands in front of what begins as a formula does, and so within
    the cell behind what a spreadsheet may cut at. Other control characters than line breaks are shown escaped."""
    # First what is left out: a formula may stand behind it.
    shown = "\n".join(clean(line) if line else "" for line in _LINE_ENDS.split(text))
    safe = "".join(_APOSTROPHE + piece if _begins_formula(piece) else piece for piece in _CUT.split(shown))
    return _APOSTROPHE + safe if text[:1] in _LEADING else safe


def _begins_formula(piece: str) -> bool:
    """Blanks, what is not seen, quotes, and the forms of East Asian widths are looked through."""
    for character in unicodedata.normalize("NFKC", piece):
        if not (character == '"' or character.isspace() or unicodedata.category(character) in ("Cf", "Cc", "Mn")):
            return character in _FORMULA
    return False


def _print_csv(columns: Sequence[str], found: Iterable[Document]) -> None:
    """RFC 4180, each cell in quotes; as octets, whatever this terminal's encoding is."""
    out = sys.stdout.buffer
    out.write((_BOM + _line(columns)).encode())
    for one in found:
        out.write(_line([guarded(_text(one, column)) for column in columns]).encode(errors="replace"))
    out.flush()


def _line(cells: Sequence[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n"


def _text(one: Document, column: str) -> str:
    value: object = one
    for name in column.split("."):
        value = value.get(name) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return "" if value is None else str(value)  # pyright: ignore[reportUnknownArgumentType]
