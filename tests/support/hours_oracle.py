"""What the contract says of hours, minute by minute and as plainly as possible: nothing of `gateway.rules` is used.

A minute is judged by reading the wall's clock of every zone. Slow, which is the point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True)
class Rules:
    """Hours of a category and, if there is one, of a profile; `holidays` are the dates that are public holidays."""

    quiet: Sequence[str] = ()
    windows: Sequence[str] = ()
    preferred: Sequence[str] = ()
    profile_quiet: Sequence[str] = ()
    profile_windows: Sequence[str] = ()
    holidays: frozenset[date] = field(default_factory=frozenset)

    def sources(self) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
        """Quiet spans and windows of each rule word, in the order of the words when they deny equally long."""
        by_day = [text for text in self.quiet if "holidays" not in text]
        return {
            "quiet_hours": (by_day, ()),
            "window": ((), self.windows),
            "holiday": ([text for text in self.quiet if text not in by_day], ()),
            "country_profile": (self.profile_quiet, self.profile_windows),
        }

    def denied(self, zones: Iterable[str], minute: int) -> set[str]:
        """The rule words that deny a minute (counted from 1970) in any of the zones."""
        readings = [_reading(zone, minute) for zone in zones]
        return {
            word
            for word, (quiet, windows) in self.sources().items()
            if any(
                any(self._within(text, reading) for text in quiet)
                or (windows and not any(self._within(text, reading) for text in windows))
                for reading in readings
            )
        }

    def is_preferred(self, zones: Iterable[str], minute: int) -> bool:
        readings = [_reading(zone, minute) for zone in zones]
        return all(any(self._within(text, reading) for text in self.preferred) for reading in readings)

    def _within(self, text: str, reading: tuple[date, str]) -> bool:
        days, start, end = _read(text)
        today, clock = reading
        if start < end:
            return self._is_day(days, today) and start <= clock < end
        yesterday = today - timedelta(days=1)
        return (self._is_day(days, today) and clock >= start) or (self._is_day(days, yesterday) and clock < end)

    def _is_day(self, days: tuple[str, ...], day: date) -> bool:
        return day in self.holidays if days == ("holidays",) else DAYS[day.weekday()] in days


@cache
def _read(text: str) -> tuple[tuple[str, ...], str, str]:
    """The days on which a span starts, and its two times as texts, which sort like times."""
    match = re.fullmatch(r"([a-z-]*) ?(?:(\d\d:\d\d)-(\d\d:\d\d))?", text)
    assert match
    words, start, end = match.groups()
    days = (words,)
    if not words:
        days = tuple(DAYS)
    elif "-" in words:
        first, last = words.split("-")
        days = (first,)
        while days[-1] != last:
            days += (DAYS[(DAYS.index(days[-1]) + 1) % 7],)
    return days, start or "00:00", end or "24:00"


def _reading(zone: str, minute: int) -> tuple[date, str]:
    moment = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return moment.date(), moment.isoformat()[11:16]


class Looked:
    """Every minute of a stretch, each looked at by itself: from `first`, to `last` without it."""

    def __init__(self, rules: Rules, zones: Sequence[str], first: int, last: int) -> None:
        self.first = first
        self.denied = [rules.denied(zones, minute) for minute in range(first, last)]
        words = [*rules.sources(), None]
        self._next = {word: self._next_allowed(word) for word in words}

    def until(self, minute: int, word: str | None = None) -> int | None:
        """The first minute from this one on that one rule allows, or all; None when there is none in the stretch."""
        return self._next[word][minute - self.first]

    def _next_allowed(self, word: str | None) -> list[int | None]:
        found: list[int | None] = [None] * len(self.denied)
        upcoming = None
        for index in range(len(self.denied) - 1, -1, -1):
            denies = bool(self.denied[index]) if word is None else word in self.denied[index]
            upcoming = upcoming if denies else self.first + index
            found[index] = upcoming
        return found
