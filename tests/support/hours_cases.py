"""Zones with odd rules, their changes, and hours drawn by lot: what the rules of hours are tried with."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from support.hours_oracle import DAYS, Looked, Rules

from gateway.config.zones import ZoneBook
from gateway.rules.moments import MINUTE_US, Home, Moments
from gateway.rules.places import Place, Places

#: Half an hour of summer time, quarters of an hour, two hours, a negative summer time, one that ends for Ramadan,
#: changes at midnight, a day that never was, offsets that a government has changed, and the usual ones.
ZONES = (
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Gaza",
    "Africa/Cairo",
    "Pacific/Apia",
    "America/Caracas",
    "Asia/Pyongyang",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "America/St_Johns",
    "America/New_York",
    "Europe/Paris",
    "Europe/London",
    "America/Santiago",
    "America/Asuncion",
    "Australia/Sydney",
)
YEARS = range(2011, 2029)
DAY = 1440
HOUR = 60
_NONE = timedelta()


@dataclass(frozen=True)
class ProfileOfCase:
    """A profile as `gateway.rules.moments` wants it."""

    quiet: Sequence[str]
    windows: Sequence[str]
    key: str = "XX"
    source: str = "a law"


@dataclass(frozen=True)
class CategoryOfCase:
    """A category's hours."""

    quiet_hours: Sequence[str] = ()
    windows: Sequence[str] = ()
    preferred: Sequence[str] = ()
    name: str = "case"
    profile: str | None = None


@dataclass(frozen=True)
class Case:
    """Rules in zones."""

    rules: Rules
    zones: tuple[str, ...]

    @property
    def category(self) -> CategoryOfCase:
        return CategoryOfCase(self.rules.quiet, self.rules.windows, self.rules.preferred)

    @property
    def place(self) -> Place:
        return Place("XX", None, self.zones)

    def moments(self) -> Moments:
        rules, zones = self.rules, ZoneBook(lambda: 0)
        days = {day.toordinal() for day in rules.holidays}
        profiles = [ProfileOfCase(rules.profile_quiet, rules.profile_windows)]
        return Moments(
            Places(self.zones[0], zones.has),
            zones,
            lambda country, _region, day: country == "XX" and day in days,
            Home("XX"),
            lambda _category, _place: profiles,
        )


@cache
def changes(zone: str) -> tuple[int, ...]:
    """The minutes (from 1970) at which a zone's offset is another one than the minute before."""
    found = []
    step = 6 * HOUR
    minute, end = _minute(YEARS.start), _minute(YEARS.stop)
    while minute < end:
        if _offset(zone, minute) != _offset(zone, minute + step):
            low, high = minute, minute + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == _offset(zone, low) else (low, middle)
            found.append(high)
        minute += step
    return tuple(found)


def greatest_change(zone: str) -> int:
    """The change that moves the wall's clock farthest: a whole day at Apia."""
    return max(changes(zone), key=lambda at: abs((_offset(zone, at) or _NONE) - (_offset(zone, at - 1) or _NONE)))


def _minute(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // 60


def _offset(zone: str, minute: int) -> timedelta | None:
    return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).utcoffset()


def drawn(chance: random.Random, zone: str, around: int) -> Case:
    """Hours by lot in this zone, and sometimes others, whose ends often lie near what its wall shows at `around`."""
    others = chance.sample(ZONES, chance.choice((0, 0, 0, 1, 2)))
    clocks = [datetime.fromtimestamp((around + shift) * 60, ZoneInfo(zone)) for shift in (-1, 0)]
    today = clocks[1].date()

    def time() -> str:
        if chance.random() < 0.6:
            near = chance.choice(clocks) + timedelta(minutes=chance.choice((-60, -30, -1, 0, 0, 1, 15, 30, 59, 60, 90)))
            return f"{near:%H:%M}"
        return f"{chance.randrange(24):02}:{chance.choice((0, 0, 15, 30, 59)):02}"

    def span() -> str:
        first, last = chance.choice(DAYS), chance.choice(DAYS)
        days = chance.choice(("", "", first, f"{first}-{last}", "holidays"))
        if days and chance.random() < 0.3:
            return days
        start, end = time(), chance.choice((time(), time(), "24:00"))
        return f"{days} {start}-{end}".strip() if start != end else days or "sun"

    def spans(*counts: int) -> tuple[str, ...]:
        return tuple(span() for _ in range(chance.choice(counts)))

    return Case(
        Rules(
            quiet=spans(0, 1, 1, 2, 3),
            windows=spans(0, 0, 1, 2, 4),
            preferred=spans(1, 2, 3),
            profile_quiet=spans(0, 0, 1),
            profile_windows=spans(0, 0, 0, 2),
            holidays=frozenset(today + timedelta(days=chance.randrange(-3, 5)) for _ in range(chance.randrange(3))),
        ),
        tuple(dict.fromkeys((zone, *others))),
    )


@dataclass
class Count:
    """How much was compared."""

    cases: int = 0
    minutes: int = 0
    closed: int = 0

    def __str__(self) -> str:
        return f"{self.cases} cases, {self.minutes} minutes compared, {self.closed} of them closed"


def compare(case: Case, around: int, count: Count, *, before: int = DAY, after: int = 3 * DAY, step: int = 7) -> None:
    """Each minute within three hours of `around`, and every `step`th of the days about it, as the oracle has it."""
    first, last = around - before, around + after
    looked = Looked(case.rules, case.zones, first, last)
    moments = case.moments()
    near = range(around - 3 * HOUR, around + 3 * HOUR)
    for minute in sorted({*near, *range(first, last, step)}):
        count.minutes += 1
        count.closed += _compare_minute(case, moments, looked, minute, last)
    count.cases += 1
    _compare_searches(case, moments, looked, first, last)


def _compare_minute(case: Case, moments: Moments, looked: Looked, minute: int, last: int) -> bool:
    closed = moments.judge_at(case.category, case.place, minute * MINUTE_US)
    denied = looked.denied[minute - looked.first]
    assert (closed is not None) == bool(denied), (case, minute, denied, closed)
    if closed is None:
        return False
    until = looked.until(minute)
    if until is not None:
        assert closed.until_us == until * MINUTE_US, (case, minute, until, closed)
    else:
        assert closed.until_us is None or closed.until_us >= last * MINUTE_US, (case, minute, closed)
    alone = {word: looked.until(minute, word) for word in case.rules.sources() if word in denied}
    # A country is named where nothing of the owner's denies.
    alone = {word: value for word, value in alone.items() if word != "country_profile"} or alone
    if sum(value is None for value in alone.values()) <= 1:
        # One that lasts longer than what was looked at is the longest; of two nobody knows.
        longest = max(alone, key=lambda word: last if alone[word] is None else alone[word] or 0)
        assert closed.rule == longest, (case, minute, alone, closed)
    else:
        assert alone[closed.rule] is None, (case, minute, alone, closed)
    return True


def _compare_searches(case: Case, moments: Moments, looked: Looked, first: int, last: int) -> None:
    """Backwards, and for the best moment."""
    number = _HELD_FOR
    allowed = [minute for minute in range(first, last) if not looked.denied[minute - first]]
    preferred = [minute for minute in allowed if case.rules.is_preferred(case.zones, minute)]
    fixed: Callable[..., Place] = lambda _number: case.place  # noqa: E731
    moments.places.of = fixed  # type: ignore[method-assign]
    for start in range(first, last, 311):
        found = moments.last_open(case.category, number, start * MINUTE_US + 1, (last - 1) * MINUTE_US + 59)
        expected = allowed[-1] if allowed and allowed[-1] >= start else None
        assert found == (None if expected is None else expected * MINUTE_US), (case, start, found)
        best = moments.best(case.category, number, start * MINUTE_US, last * MINUTE_US)
        wanted = next((minute for minute in preferred if minute >= start), None)
        assert best == (None if wanted is None else wanted * MINUTE_US), (case, start, best)


_HELD_FOR = "+33639980101"
