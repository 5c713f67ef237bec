"""Spans of hours, compiled: is a minute closed, and which is the next open one?

A minute is judged by what a clock on the wall shows at its beginning: date and time of day, nothing else. So a span in
the hour that spring leaves out does not happen that day, and one in the hour that autumn repeats happens twice. A span
over midnight belongs to the day on which it starts. Spans are written as `gateway.config.times.span` lets them through.

Minutes here are whole minutes since 1970-01-01T00:00Z (`_min`); days are proleptic Gregorian ordinals as
`datetime.date.toordinal` counts them. Nothing is searched minute by minute: a step leads to the next end of a span, or
to the next change of the zone's offset if that comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

DAY_MIN = 1440

#: Whether a day (its ordinal) is a public holiday.
IsHoliday: TypeAlias = Callable[[int], bool]
#: Closed pieces of a day: first minute, and the minute after the last one, ascending, apart from each other.
Pieces: TypeAlias = tuple[tuple[int, int], ...]
_Step: TypeAlias = "Callable[[Wall, Timetable, IsHoliday, int, int], int | None]"

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOLIDAYS = "holidays"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_DAYS_KEPT = 4096
# Beyond these no date can be made in every zone; a zone's offset there is that of the limit.
_FIRST_MIN = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(minutes=1)
_LAST_MIN = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A written span: the weekdays on which it starts (0 is Monday), or public holidays; from `start` to `end` in
    minutes of the day, `end` more than a day when it crosses midnight."""

    text: str
    weekdays: frozenset[int]
    holidays: bool
    start: int
    end: int

    def starts_on(self, weekday: int, holiday: bool) -> bool:
        """Whether it happens on a day."""
        return holiday if self.holidays else weekday in self.weekdays


def read_span(text: str) -> Span:
    """The span that is written as `21:00-08:00`, `sun`, `holidays`, `mon-fri 17:00-20:00` or `holidays 08:00-12:00`."""
    words = text.split()
    times = words.pop() if words and words[-1][0].isdigit() else "00:00-24:00"
    days = words[0] if words else "mon-sun"
    start, end = (int(time[:2]) * 60 + int(time[3:]) for time in times.split("-"))
    return Span(text, _weekdays(days), days == _HOLIDAYS, start, end if end > start else end + DAY_MIN)


def _weekdays(days: str) -> frozenset[int]:
    """`fri-mon` goes over the week's end."""
    if days == _HOLIDAYS:
        return frozenset()
    first, _, last = days.partition("-")
    start = _WEEK.index(first)
    length = (_WEEK.index(last or first) - start) % 7
    return frozenset((start + offset) % 7 for offset in range(length + 1))


class Timetable:
    """When it is closed: within `quiet` spans, and outside of `windows` where there are any."""

    def __init__(self, quiet: Iterable[str] = (), windows: Iterable[str] = ()) -> None:
        self.quiet = tuple(map(read_span, quiet))
        self.windows = tuple(map(read_span, windows))
        self.needs_holidays = any(span.holidays for span in (*self.quiet, *self.windows))
        self._kinds: dict[tuple[int, bool, bool], Pieces] = {}

    def __bool__(self) -> bool:
        """Whether it is ever closed, as far as one sees at a glance."""
        return bool(self.quiet or self.windows)

    def closed(self, day: int, is_holiday: IsHoliday) -> Pieces:
        """The closed pieces of a day."""
        known = self.needs_holidays
        kind = ((day + 6) % 7, known and is_holiday(day), known and is_holiday(day - 1))
        pieces = self._kinds.get(kind)
        if pieces is None:
            pieces = self._kinds[kind] = self._of_kind(*kind)
        return pieces

    def covering(self, spans: Sequence[Span], wall_min: int, is_holiday: IsHoliday) -> Iterable[Span]:
        """Those of `spans` that hold at a reading of the wall's clock."""
        day, minute = divmod(wall_min, DAY_MIN)
        day += _EPOCH_DAY
        for offset in (0, 1):
            weekday, holiday = (day - offset + 6) % 7, self.needs_holidays and is_holiday(day - offset)
            for span in spans:
                if span.starts_on(weekday, holiday) and span.start <= minute + offset * DAY_MIN < span.end:
                    yield span

    def _of_kind(self, weekday: int, holiday: bool, holiday_before: bool) -> Pieces:
        days = ((weekday, holiday, 0), ((weekday - 1) % 7, holiday_before, DAY_MIN))
        quiet = merged(_on_day(self.quiet, days))
        if not self.windows:
            return quiet
        return merged((*quiet, *_complement(merged(_on_day(self.windows, days)))))


def _on_day(spans: Sequence[Span], days: Iterable[tuple[int, bool, int]]) -> Iterable[tuple[int, int]]:
    """What of the spans falls within a day; `days` are it and the one before, with how long before it they began."""
    for weekday, holiday, before in days:
        for span in spans:
            if span.starts_on(weekday, holiday) and span.end > before:
                yield max(span.start - before, 0), min(span.end - before, DAY_MIN)


def merged(pieces: Iterable[tuple[int, int]]) -> Pieces:
    """The same pieces, apart and ascending."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _complement(pieces: Pieces) -> Pieces:
    """What of a day they leave."""
    ends = (0, *(end for _, end in pieces))
    starts = (*(start for start, _ in pieces), DAY_MIN)
    return tuple((end, start) for end, start in zip(ends, starts, strict=True) if end < start)


class Wall:
    """A clock on the wall of one zone. It relies on offsets that change at most once within a day, as all do: of those
    in the zone data base the nearest two are four days apart (`tests/gateway/rules/test_hours.py` looks)."""

    def __init__(self, name: str, zone: tzinfo) -> None:
        self.name = name
        self._zone = zone
        self._steady: dict[int, int | None] = {}

    def reading(self, at_min: int) -> int:
        """What it shows, as minutes since 1970-01-01T00:00 of its own time."""
        return at_min + self.offset(at_min)

    def offset(self, at_min: int) -> int:
        """How many minutes it is ahead of UTC; seconds of local mean time are dropped, since minutes are whole."""
        day = at_min // DAY_MIN
        try:
            steady = self._steady[day]
        except KeyError:
            steady = self._remember(day)
        return self._asked(at_min) if steady is None else steady

    def change(self, first_min: int, last_min: int) -> int | None:
        """The first minute after `first_min`, up to `last_min`, with another offset than that one; at most a day on."""
        before = self.offset(first_min)
        if self.offset(last_min) == before:
            return None
        low, high = first_min, last_min
        while high - low > 1:
            middle = (low + high) // 2
            if self._asked(middle) == before:
                low = middle
            else:
                high = middle
        return high

    def _remember(self, day: int) -> int | None:
        """The offset of a whole day, None if it changes within it."""
        if len(self._steady) >= _DAYS_KEPT:
            self._steady.clear()
        first = self._asked(day * DAY_MIN)
        steady = self._steady[day] = first if first == self._asked((day + 1) * DAY_MIN) else None
        return steady

    def _asked(self, at_min: int) -> int:
        moment = datetime.fromtimestamp(min(max(at_min, _FIRST_MIN), _LAST_MIN) * 60, self._zone)
        offset = moment.utcoffset()
        return 0 if offset is None else offset // timedelta(minutes=1)


class Openings:
    """The minutes in which all of some tables are open on all of some walls.

    What was found last is remembered: a queue asks again and again in the same night, and where nothing is ever open,
    as for a number that may be in any of forty zones, each look would go through hundreds of days.
    """

    def __init__(self, tables: Sequence[Timetable], walls: Sequence[Wall], is_holiday: IsHoliday) -> None:
        self._pairs = [(wall, table) for wall in walls for table in tables if table]
        self._is_holiday = is_holiday
        #: From and up to which minute nothing is open, and the minute after those if it was found to be.
        self._closed: tuple[int, int, int | None] = (0, -1, None)

    def first(self, at_min: int, limit_min: int) -> int | None:
        """The first from `at_min` on, up to `limit_min`; None without one."""
        since, last, found = self._closed
        if since <= at_min <= last:
            if found is not None or limit_min <= last:
                return found if found is not None and found <= limit_min else None
            return self._remember(since, self._forwards(last + 1, limit_min), limit_min)
        if at_min < since <= min(last, limit_min):
            # Only as far as it is not known: a look at any time of a year goes through most days once.
            before = self._forwards(at_min, since - 1)
            if before is None:
                self._closed = (at_min, last, found)
                return self.first(at_min, limit_min)
            return self._remember(at_min, before, limit_min) if before - at_min > last - since else before
        return self._remember(at_min, self._forwards(at_min, limit_min), limit_min)

    def _remember(self, since: int, found: int | None, limit_min: int) -> int | None:
        """Nothing is open from `since` up to what was found."""
        last = limit_min if found is None else found - 1
        if since <= last:
            self._closed = (since, last, found)
        return found

    def last(self, at_min: int, limit_min: int) -> int | None:
        """The last up to `at_min`, from `limit_min` on; None without one."""
        return self._agreed(last_open_before, at_min, limit_min)

    def _forwards(self, at_min: int, limit_min: int) -> int | None:
        return self._agreed(next_open, at_min, limit_min) if at_min <= limit_min else None

    def _agreed(self, step: _Step, at_min: int, limit_min: int) -> int | None:
        """Whoever is closed moves the minute on, until nobody does."""
        while True:
            before = at_min
            for wall, table in self._pairs:
                found = step(wall, table, self._is_holiday, at_min, limit_min)
                if found is None:
                    return None
                at_min = found
            if at_min == before:
                return at_min


def next_open(wall: Wall, table: Timetable, is_holiday: IsHoliday, at_min: int, limit_min: int) -> int | None:
    """The first minute from `at_min` on, up to `limit_min`, in which the table is open; None without one."""
    while at_min <= limit_min:
        minute, piece = _piece(wall, table, is_holiday, at_min)
        if piece is None:
            return at_min
        end_min = at_min + piece[1] - minute
        changed = wall.change(at_min, end_min - 1)
        at_min = end_min if changed is None else changed
    return None


def last_open_before(wall: Wall, table: Timetable, is_holiday: IsHoliday, at_min: int, limit_min: int) -> int | None:
    """The last minute up to `at_min`, from `limit_min` on, in which the table is open; None without one."""
    while at_min >= limit_min:
        minute, piece = _piece(wall, table, is_holiday, at_min)
        if piece is None:
            return at_min
        first_min = at_min - (minute - piece[0])
        # Where the offset changed within the piece, what lies before the change has to be looked at anew.
        changed = wall.change(first_min, at_min)
        at_min = (first_min if changed is None else changed) - 1
    return None


def _piece(wall: Wall, table: Timetable, is_holiday: IsHoliday, at_min: int) -> tuple[int, tuple[int, int] | None]:
    """The wall's minute of the day, and the closed piece in which it lies."""
    day, minute = divmod(wall.reading(at_min), DAY_MIN)
    for piece in table.closed(day + _EPOCH_DAY, is_holiday):
        if minute < piece[1]:
            return minute, piece if piece[0] <= minute else None
    return minute, None
