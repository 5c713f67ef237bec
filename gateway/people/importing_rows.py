"""Rows of a CSV file as contacts: read, checked and brought into their normal form, or rejected with a word and a
sentence that repeats nothing.

Done in the process beside the gateway (`gateway.people.aside`), some tenths of a second at a time: each job is told
where it begins and says where it ended, so that it may be done again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.address import NumberInvalid
from gateway.people.attributes_values import Guess, as_kept, reader_of
from gateway.people.contact import AttributeValue
from gateway.people.contacts import kept_json
from gateway.people.contacts_fields import CHECKS, LONGEST_NAME, FieldRefused, name_of, tags_of
from gateway.people.exporting_cells import unguarded_cell
from gateway.people.importing_columns import DELIMITERS, NUMBER, TAGS, Head, head_of
from gateway.people.importing_numbers import normal_number
from gateway.people.importing_text import Lines, TooLong
from gateway.rules.numbers import Numbers

#: The longest record, in octets: one that is not closed must not swallow the file.
LONGEST_RECORD: Final = 64 * 1024
#: Rows and octets of one job.
_ROWS, _OCTETS = 2000, 512 * 1024
_SPLIT: Final = str.maketrans(dict.fromkeys(";|/", ","))
#: What the fields of a row are called in its tuple, behind line and number.
ROW_FIELDS: Final = (*CHECKS,)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one file are read; goes to the other process with each job."""

    path: Path
    head: Head
    country: str | None
    month_first: bool
    #: What `gateway.rules.numbers.Numbers` is made of: countries, own numbers, allowed numbers.
    numbers: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    #: Tags of all rows.
    tags: tuple[str, ...] = ()


class Place(NamedTuple):
    """Between two records: the octet of the file, and how many lines are behind."""

    octet: int = 0
    line: int = 0


class Row(NamedTuple):
    """One contact of the file; a field that its row leaves empty is None. `attributes` and `tags` as they are kept."""

    line: int
    number: str
    name: str | None
    email: str | None
    push: str | None
    timezone: str | None
    country: str | None
    language: str | None
    attributes: str
    tags: tuple[str, ...]


class Rejection(NamedTuple):
    """A row that is not taken: its line (the first of the file is 1), a word, a sentence."""

    line: int
    code: str
    reason: str


@dataclass(slots=True)
class Group:
    """What a job has read."""

    rows: list[Row] = field(default_factory=list[Row])
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    place: Place = field(default_factory=Place)
    over: bool = False


class _Rejected(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__()
        self.code = code
        self.reason = reason


def read_head(path: Path, delimiter: str | None, wanted: Mapping[str, str], types: Mapping[str, str]) -> Head:
    """The head of a file. Raises `InvalidRequest`."""
    line, said, _ = _first(path)
    return head_of(line, delimiter or said, wanted, types)


def behind_head(path: Path) -> Place:
    """Where the rows of a file begin."""
    return _first(path)[2]


def _first(path: Path) -> tuple[str, str | None, Place]:
    """The line of heads, the delimiter that a line before it says, and the place behind them."""
    with path.open("rb") as file:
        lines = Lines(file, 0, 0, longest=LONGEST_RECORD)
        line, delimiter = _head_line(lines), None
        # A spreadsheet's own line: sep=;
        if line.startswith("sep=") and line[4:] in DELIMITERS:
            line, delimiter = _head_line(lines), line[4:]
        return line, delimiter, Place(lines.octet, lines.line)


def _head_line(lines: Lines) -> str:
    lines.begin()
    try:
        return next(lines).lstrip("\ufeff").rstrip("\r\n")
    except StopIteration:
        return ""
    except TooLong:
        lines.give_up()
        return ""


def survey(plan: Plan, place: Place, guesses: dict[int, Guess]) -> tuple[dict[int, Guess], Place, bool]:
    """Look at the cells of the next rows, to find of what type each column is that nobody declared: by its place."""
    group = Group(place=place)
    columns: dict[int, list[str]] = {at: [] for at in guesses}
    for _, cells in _records(plan, group):
        for at, seen in columns.items():
            if at < len(cells):
                seen.append(cells[at])
    for at, seen in columns.items():
        guesses[at].look(seen)
    return guesses, group.place, group.over


def unfit(plan: Plan, place: Place, columns: frozenset[int]) -> tuple[frozenset[int], Place, bool]:
    """Which of these columns have a cell in the next rows that is none of their field's."""
    group, found = Group(place=place), set[int]()
    for _, cells in _records(plan, group):
        for at in columns - found:
            if at < len(cells) and (cell := cells[at].strip()):
                try:
                    CHECKS[plan.head.targets[at].field](cell)
                except FieldRefused:
                    found.add(at)
    return frozenset(found), group.place, group.over


def read_rows(plan: Plan, place: Place) -> Group:
    """The next rows of the file."""
    group = Group(place=place)
    reader = _Reader(plan)
    for line, cells in _records(plan, group):
        try:
            group.rows.append(reader.row(line, cells))
        except _Rejected as rejected:
            group.rejections.append(Rejection(line, rejected.code, rejected.reason))
        except FieldRefused as refused:
            group.rejections.append(Rejection(line, refused.word, f"{reader.at} {refused.sentence}"))
    return group


def _records(plan: Plan, group: Group) -> Iterator[tuple[int, list[str]]]:
    """The next records that are not empty, with the number of their first line."""
    with plan.path.open("rb") as file:
        lines = Lines(file, *group.place, longest=LONGEST_RECORD)
        end, count = lines.octet + _OCTETS, 0
        reader = csv.reader(lines, delimiter=plan.head.delimiter, strict=True)
        while count + len(group.rejections) < _ROWS and lines.octet < end:
            lines.begin()
            line = lines.line + 1
            try:
                cells = next(reader)
            except StopIteration:
                group.over = True
                break
            except (TooLong, csv.Error, UnicodeDecodeError) as error:
                group.rejections.append(_unreadable(line, error))
                lines.give_up()
                reader = csv.reader(lines, delimiter=plan.head.delimiter, strict=True)
                continue
            if any(cells):
                count += 1
                yield line, cells
        group.place = Place(lines.octet, lines.line)


def _unreadable(line: int, error: Exception) -> Rejection:
    # The csv module, too, knows fields that are too long.
    if isinstance(error, TooLong) or "limit" in str(error):
        said = f"the row is longer than {LONGEST_RECORD // 1024} KiB; is a quote open?"
        return Rejection(line, "too_long", said)
    return Rejection(line, "bad_value", "the quotes of the row are wrong")


class _Reader:
    """Makes contacts of rows."""

    def __init__(self, plan: Plan) -> None:
        targets = plan.head.targets
        self._plan = plan
        self._numbers = Numbers(*plan.numbers)
        self._width = len(targets)
        self._number_at = next(at for at, each in enumerate(targets) if each.field == NUMBER)
        self._fields = [(at, ROW_FIELDS.index(each.field)) for at, each in enumerate(targets) if each.field in CHECKS]
        self._tags_at = next((at for at, each in enumerate(targets) if each.field == TAGS), None)
        named = [(at, each) for at, each in enumerate(targets) if each.field == "attributes"]
        # By name, so that what is kept is in order.
        self._attributes: list[tuple[int, str, Callable[[str], AttributeValue]]] = [
            (at, each.name, reader_of(each.kind or "text", month_first=plan.month_first))
            for at, each in sorted(named, key=lambda pair: pair[1].name)
        ]
        self._parts = [at for at, each in sorted(named, key=lambda pair: pair[1].part) if each.part]
        #: Which column is being read, for a sentence.
        self.at = ""

    def row(self, line: int, cells: list[str]) -> Row:
        """The contact of one record. Raises `_Rejected` or `FieldRefused`."""
        self.at = "the row"
        cells = self._fitted(cells)
        number = self._number(cells[self._number_at])
        fields: list[str | None] = [None] * len(ROW_FIELDS)
        for at, place in self._fields:
            if cell := cells[at].strip():
                self.at = ROW_FIELDS[place]
                fields[place] = CHECKS[self.at](cell) or None
        attributes = self._read_attributes(cells)
        if self._parts and fields[0] is None:
            self.at = "name"
            fields[0] = name_of(" ".join(cells[at].strip() for at in self._parts)[: LONGEST_NAME * 4]) or None
        return Row._make((line, number, *fields, attributes, self._read_tags(cells)))

    def _fitted(self, cells: list[str]) -> list[str]:
        """As many cells as there are columns."""
        if len(cells) > self._width:
            if any(cell.strip() for cell in cells[self._width :]):
                raise _Rejected("bad_value", "the row has more cells than the first line has columns")
            cells = cells[: self._width]
        elif len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        joined = "".join(cells)
        if "\ufffd" in joined:
            raise _Rejected("bad_value", "the row has octets that are not of the file's charset")
        return [unguarded_cell(cell) for cell in cells] if "'" in joined else cells

    def _number(self, cell: str) -> str:
        written = cell.strip()
        if not written:
            raise _Rejected("number_invalid", "there is no number")
        try:
            number = normal_number(written, self._plan.country)
        except NumberInvalid as error:
            raise _Rejected("number_invalid", f"number {error}") from None
        refusal = self._numbers.refusal(number)
        if refusal is not None:
            raise _Rejected("number_not_allowed", f"number {refusal}")
        return number

    def _read_attributes(self, cells: list[str]) -> str:
        values: dict[str, Any] = {}
        for at, name, read in self._attributes:
            cell = cells[at]
            if cell and not cell.isspace():
                self.at = name
                values[name] = as_kept(read(cell))
        return kept_json(values) if values else "{}"

    def _read_tags(self, cells: list[str]) -> tuple[str, ...]:
        if self._tags_at is None or not (cell := cells[self._tags_at].strip()):
            return self._plan.tags
        self.at = "tags"
        written = (each.strip() for each in cell.translate(_SPLIT).split(","))
        return tags_of((*(each for each in written if each), *self._plan.tags))
