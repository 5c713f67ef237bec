"""Values of attributes: what each type takes, from JSON, from a cell of CSV and from the store. Pure.

A date is kept as "YYYY-MM-DD", everything else as JSON has it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Final

from gateway.people.contact import ATTRIBUTE_TYPES, AttributeValue
from gateway.people.contacts_fields import LONGEST_TEXT, FieldRefused, line_of

NUMBER, BOOL, DATE, TEXT = ATTRIBUTE_TYPES
# Beyond this JSON readers do not agree about whole numbers.
_MOST: Final = 2**53
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DATE: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|([0-9]{1,2})([/.-])([0-9]{1,2})\5([0-9]{4})")
# What begins with 0 is a code (of a post office, of a client) and no number.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:[.,][0-9]{1,9})?")
_TRUE: Final = frozenset({"true", "yes", "oui", "vrai", "ja", "wahr", "sí", "si", "sim", "vero", "verdadero"})
_FALSE: Final = frozenset({"false", "no", "non", "faux", "nein", "falsch", "não", "nao", "falso", "nee"})
_WANTED: Final = {
    NUMBER: "must be a number",
    BOOL: "must be true or false",
    DATE: "must be a date such as 1957-03-14",
    TEXT: "must be a text",
}
#: Countries that write the month before the day.
MONTH_FIRST: Final = frozenset({"US", "FM", "MH", "PW"})


def given(kind: str, value: object) -> AttributeValue:
    """The value of this type that JSON gives. Raises `FieldRefused`."""
    if kind == TEXT and isinstance(value, str):
        return line_of(value, LONGEST_TEXT)
    if kind == DATE and isinstance(value, str) and (day := _iso(value)) is not None:
        return day
    if kind == BOOL and isinstance(value, bool):
        return value
    if kind == NUMBER and isinstance(value, int | float) and not isinstance(value, bool) and _is_fit(value):
        return value
    raise FieldRefused("bad_value", _WANTED[kind])


def kind_of(value: object) -> str:
    """The type that a value of JSON has by itself: what an attribute becomes that nobody declared."""
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, str):
        return DATE if _iso(value) is not None else TEXT
    raise FieldRefused("bad_value", "must be a number, true or false, a date or a text")


def read(kind: str, cell: str, *, month_first: bool = False) -> AttributeValue:
    """The value of this type that a cell of CSV holds, which is not empty. Raises `FieldRefused`."""
    return reader_of(kind, month_first=month_first)(cell)


def reader_of(kind: str, *, month_first: bool = False) -> Callable[[str], AttributeValue]:
    """What reads the cells of a column of this type, as `read` does."""
    if kind == TEXT:
        return _text
    fits = partial(_day, month_first=month_first) if kind == DATE else _READ[kind]

    def read_cell(cell: str) -> AttributeValue:
        found = fits(cell.strip())
        if found is None:
            raise FieldRefused("bad_value", _WANTED[kind])
        return found

    return read_cell


def _text(cell: str) -> str:
    return line_of(cell, LONGEST_TEXT)


def loaded(kind: str | None, kept: object) -> AttributeValue | None:
    """A value as the store has it; None for one that is not of the attribute's type: it is missing."""
    if kind == DATE:
        return _iso(kept) if isinstance(kept, str) else None
    if kind == BOOL:
        return kept if isinstance(kept, bool) else None
    if kind == NUMBER:
        return kept if isinstance(kept, int | float) and not isinstance(kept, bool) else None
    return kept if isinstance(kept, str) else None


def as_kept(value: AttributeValue) -> int | float | bool | str:
    """The value as the store and JSON have it."""
    return value.isoformat() if isinstance(value, date) else value


def as_cell(value: AttributeValue) -> str:
    """The value as a cell of CSV that is read back as the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # Never 1e+22, which is no number of a form.
        return f"{value:.9f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return str(value)


def converted(value: AttributeValue, kind: str, *, month_first: bool = False) -> AttributeValue | None:
    """The value as one of another type; None where it has none."""
    try:
        return read(kind, as_cell(value), month_first=month_first)
    except FieldRefused:
        return None


class Guess:
    """Which types the cells of a column have in common: the first of number, true/false and date that all have."""

    def __init__(self, *, month_first: bool = False) -> None:
        self._left = [NUMBER, BOOL, DATE]
        self._month_first = month_first
        self._seen = False

    def look(self, cells: Iterable[str]) -> None:
        """Take these cells into account; empty ones say nothing."""
        for cell in cells:
            if not self._left and self._seen:
                return
            if stripped := cell.strip():
                self._seen = True
                self._left = [kind for kind in self._left if self._fits(kind, stripped)]

    @property
    def kind(self) -> str | None:
        """The type; None where there was no value."""
        if not self._seen:
            return None
        return self._left[0] if self._left else TEXT

    def _fits(self, kind: str, cell: str) -> bool:
        if kind == DATE:
            return _day(cell, month_first=self._month_first) is not None
        return _READ[kind](cell) is not None


def _is_fit(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _MOST


def _iso(text: str) -> date | None:
    return _date_of(*map(int, found.groups())) if (found := _ISO.fullmatch(text)) else None


def _day(cell: str, *, month_first: bool) -> date | None:
    found = _DATE.fullmatch(cell) if len(cell) <= 10 else None
    if found is None:
        return None
    if found[1]:
        return _date_of(int(found[1]), int(found[2]), int(found[3]))
    day, month = int(found[4]), int(found[6])
    # Only a slash is written between them where the month comes first.
    return _date_of(int(found[7]), *((day, month) if month_first and found[5] == "/" else (month, day)))


def _date_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(cell: str) -> int | float | None:
    if not _NUMBER.fullmatch(cell):
        return None
    return int(cell) if cell.lstrip("-").isdigit() else float(cell.replace(",", "."))


def _truth(cell: str) -> bool | None:
    word = cell.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


_READ: Final = {NUMBER: _number, BOOL: _truth}
