"""Codes as owners hand them in: a list, or a CSV file whose first column, or the one called `code`, has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 64
COLUMN: Final = "code"
_SEPARATORS: Final = ",;\t"
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class RejectedCode:
    """A line (1-based; of a list, its place) that is not taken, and why."""

    line: int
    code: str
    reason: str


class NotText(Exception):
    """The file is neither UTF-8 nor readable as CSV; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class CodesRead:
    """The codes in their order, each once; how many came twice; what is not taken."""

    words: Sequence[str]
    twice: int
    rejected: Sequence[RejectedCode]


def codes_of_csv(octets: bytes) -> CodesRead:
    """Read a CSV file in UTF-8, or else in Windows-1252; a first line that says `code` names the column."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    try:
        return _read(_cells(text.removeprefix(_BOM)))
    except csv.Error as error:
        raise NotText(f"cannot be read as CSV: {error}") from None


def codes_of_list(words: Iterable[str]) -> CodesRead:
    """The same of a list."""
    return _read(enumerate(words, 1))


def _cells(text: str) -> Iterator[tuple[int, str]]:
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    column = 0
    for at, row in enumerate(reader):
        names = [cell.strip().lower() for cell in row]
        if at == 0 and COLUMN in names:
            column = names.index(COLUMN)
        elif any(names):
            yield reader.line_num, row[column] if column < len(row) else ""


def _read(cells: Iterable[tuple[int, str]]) -> CodesRead:
    words: dict[str, None] = {}
    rejected: list[RejectedCode] = []
    twice = 0
    for line, cell in cells:
        word = cell.strip()
        fault = _fault(word)
        if fault is not None:
            rejected.append(RejectedCode(line, *fault))
        elif word in words:
            twice += 1
        else:
            words[word] = None
    return CodesRead(list(words), twice, rejected)


def _fault(word: str) -> tuple[str, str] | None:
    if not word:
        return "code_empty", "there is no code"
    if len(word) > MOST_CHARACTERS:
        return "code_too_long", f"has more than {MOST_CHARACTERS} characters"
    if not word.isprintable():
        return "code_unprintable", "has characters that cannot be seen"
    return None
