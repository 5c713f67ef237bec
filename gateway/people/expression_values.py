"""Values of people as the interpreter takes them, and the functions that filters may call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.people.expression_fields import EVER, HAS_TAG, LOWER, TAGS, TIMES
from gateway.people.expression_names import Field

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is: the instant in microseconds UTC, and the zone of people whose own is not known."""

    now_us: int
    timezone: str


class Calendar:
    """The day that it is where a person is, and the functions that count days by it. What they raise reaches nobody,
    and names no value all the same."""

    def __init__(self) -> None:
        self._moment = Moment(0, "UTC")
        self._days: dict[str | None, tuple[ZoneInfo, date]] = {}
        self.zone = _UTC
        self.today = EPOCH.date()

    def go_to(self, timezone: str | None, moment: Moment) -> None:
        """Be where somebody is: in this zone, or in that of the moment where there is none of this name."""
        if moment is not self._moment:
            self._moment, self._days = moment, {}
        found = self._days.get(timezone)
        if found is None:
            zone = zone_of(timezone) or zone_of(moment.timezone) or _UTC
            found = self._days[timezone] = (zone, (EPOCH + moment.now_us * _MICROSECOND).astimezone(zone).date())
        self.zone, self.today = found

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Those that filters may call, by name."""
        counting = {"age": self.age, "days_since": self.days_since, "days_until": self.days_until}
        return {**counting, "date": day_of_text, LOWER: lower}

    def age(self, born: object) -> int:
        """Whole years since that day; whoever was born on 29 February is a year older on 1 March of other years."""
        day = self._day(born)
        return self.today.year - day.year - ((self.today.month, self.today.day) < (day.month, day.day))

    def days_since(self, then: object) -> int:
        """Days of the calendar: of yesterday 1, also of a minute before midnight. Below zero of what is to come."""
        return (self.today - self._day(then)).days

    def days_until(self, then: object) -> int:
        """Days of the calendar: of tomorrow 1. Below zero of what is over."""
        return (self._day(then) - self.today).days

    def _day(self, then: object) -> date:
        if not isinstance(then, datetime):
            raise TypeError("a date or an instant is needed")
        return then.date() if then == midnight(then.date()) else then.astimezone(self.zone).date()


def day_of_text(text: object) -> datetime:
    """The day that is written as YYYY-MM-DD."""
    if not isinstance(text, str):
        raise TypeError("a text is needed")
    if (found := _date(text)) is None:
        raise ValueError("a date is written as YYYY-MM-DD")
    return midnight(found)


def lower(text: object) -> str:
    """In small letters, accents kept."""
    if not isinstance(text, str):
        raise TypeError("a text is needed")
    return text.lower()


@lru_cache(maxsize=1024)
def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone of this name, if there is one."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def reader_of(field: Field, types: Mapping[str, str], calendar: Calendar) -> Callable[[Any], Any]:
    """What makes the value of a field out of what is kept of a person: None where there is none. Values are comparable:
    dates, instants in microseconds, tags as JSON."""
    if field.function == HAS_TAG:
        return lambda kept: kept != "[]" and field.argument in json.loads(kept)
    counted: Callable[[datetime], Any] | None = calendar.functions().get(field.function)
    if field.name in TIMES:
        if field.function == EVER:
            return lambda kept: kept
        return (lambda kept: kept or 0) if counted is None else (lambda kept: counted(instant(kept or 0)))
    read = _reader(field, types)
    if field.function == LOWER:
        return lambda kept: None if (value := read(kept)) is None else value.lower()
    if counted is None:
        return read
    return lambda kept: None if (value := read(kept)) is None else counted(midnight(value))


def _reader(field: Field, types: Mapping[str, str]) -> Callable[[Any], Any]:
    """A value of another type than its attribute's is as good as missing."""
    if field.attribute is None:
        return lambda kept: kept
    return _READERS.get(types.get(field.attribute, ""), lambda _: None)


def _number(kept: object) -> float | None:
    """A double, whatever it looks like, so that a filter works for everybody or for nobody."""
    if isinstance(kept, bool) or not isinstance(kept, int | float):
        return None
    try:
        return float(kept)
    except OverflowError:
        return None


def _date(kept: object) -> date | None:
    try:
        return date.fromisoformat(kept) if isinstance(kept, str) else None
    except ValueError:
        return None


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "number": _number,
    "bool": lambda kept: kept if isinstance(kept, bool) else None,
    "date": _date,
    "text": lambda kept: kept if isinstance(kept, str) else None,
}


def given(field: Field, value: Any) -> Any:
    """A value as the interpreter takes it."""
    if field.function not in ("", EVER):
        return value
    if field.name in TIMES:
        return instant(value)
    if field.name == TAGS:
        return json.loads(value)
    return midnight(value) if isinstance(value, date) else value


def midnight(day: date) -> datetime:
    """A date as an instant: the language has no dates of its own."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def instant(at_us: int) -> datetime:
    """An instant; never one that would pass for a date."""
    moment = EPOCH + at_us * _MICROSECOND
    return moment + _MICROSECOND if moment == midnight(moment.date()) else moment
