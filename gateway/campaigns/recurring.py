"""When a recurring campaign begins anew. Pure: instants (microseconds UTC) and a zone in, instants out.

`every` is written as "6h", "1d" or "2w", counted from a first moment, or as days and a time of day: "mon-fri 09:00",
"mon,thu 18:30", "09:00" for every day. Days and weeks keep to the time on the clock's face, whatever the summer does; a
time that spring leaves out is an hour later that day, one that autumn repeats is the first of the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from gateway.clock import SECOND_US, from_datetime, to_datetime
from gateway.config.durations import UNITS_S

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY: Final = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
#: The shortest time between two beginnings.
LEAST_US: Final = 15 * 60 * SECOND_US
_WEEK_DAYS: Final = 7
FORM: Final = 'is written as "6h", "1d", "2w", or as days and a time: "mon-fri 09:00", "mon,thu 18:30", "09:00"'


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Either a step (of whole `days` on the clock's face, or of `step_us`), or `weekdays` (0 is Monday) and a time."""

    days: int = 0
    step_us: int = 0
    weekdays: frozenset[int] = frozenset()
    at: time | None = None

    def next_us(self, after_us: int, first_us: int, zone: tzinfo) -> int:
        """The first moment behind `after_us`; steps are counted from `first_us`, which is itself the first of them."""
        if self.at is not None:
            return self._next_at(after_us, self.at, zone)
        if after_us < first_us:
            return first_us
        if self.step_us:
            return first_us + ((after_us - first_us) // self.step_us + 1) * self.step_us
        return self._next_day(after_us, first_us, zone)

    def _next_at(self, after_us: int, at: time, zone: tzinfo) -> int:
        day = to_datetime(after_us).astimezone(zone).date()
        for ahead in range(_WEEK_DAYS + 2):
            candidate = day + timedelta(days=ahead)
            if candidate.weekday() in self.weekdays and (found := wall_us(candidate, at, zone)) > after_us:
                return found
        raise AssertionError("every weekday comes within a week")

    def _next_day(self, after_us: int, first_us: int, zone: tzinfo) -> int:
        first = to_datetime(first_us).astimezone(zone)
        passed = (to_datetime(after_us).astimezone(zone).date() - first.date()).days
        steps = max(passed // self.days - 1, 0)
        while True:
            steps += 1
            found = wall_us(first.date() + timedelta(days=steps * self.days), first.timetz().replace(tzinfo=None), zone)
            if found > after_us:
                return found


def read_every(text: str) -> Recurrence | None:
    """What is written; None where it is nothing of the kind, or comes more often than every 15 minutes."""
    if match := _EVERY.fullmatch(text):
        count, unit = int(match[1]), match[2]
        if unit in "dw":
            return Recurrence(days=count * (_WEEK_DAYS if unit == "w" else 1))
        step_us = count * UNITS_S[unit] * SECOND_US
        return Recurrence(step_us=step_us) if step_us >= LEAST_US else None
    words = text.split()
    match = _TIME.fullmatch(words[-1]) if words else None
    weekdays = _weekdays(words[0]) if len(words) == 2 else frozenset(range(_WEEK_DAYS))
    if match is None or len(words) > 2 or not weekdays:
        return None
    return Recurrence(weekdays=weekdays, at=time(int(match[1]), int(match[2])))


def _weekdays(text: str) -> frozenset[int]:
    """`mon-fri`, `fri-mon`, `mon,thu`; nothing where it is none of these."""
    found: set[int] = set()
    for word in text.split(","):
        first, _, last = word.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            return frozenset()
        start = _DAYS.index(first)
        length = (_DAYS.index(last or first) - start) % _WEEK_DAYS
        found.update((start + offset) % _WEEK_DAYS for offset in range(length + 1))
    return frozenset(found)


def wall_us(day: date, at: time, zone: tzinfo) -> int:
    """The instant at which clocks of a zone show this: the first if it comes twice; where spring leaves it out, as many
    minutes behind the gap as it lies within it."""
    # With the offset before the gap, which is what fold 0 means, the instant lies behind it by so much.
    return from_datetime(datetime.combine(day, at, zone).astimezone(UTC))
