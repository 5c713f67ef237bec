"""Spans as they are compiled, and what the search relies on."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import available_timezones
from zoneinfo._zoneinfo import ZoneInfo as PythonZoneInfo

import pytest

from gateway.rules.hours import Timetable, merged, read_span

MONDAY = 1  # 0001-01-01 was one
HOUR = 60


def _never(_day: int) -> bool:
    return False


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("21:00-08:00", 7, 21, 32),
        ("sun", 1, 0, 24),
        ("mon-fri", 5, 0, 24),
        ("fri-mon 22:00-24:00", 4, 22, 24),
        ("holidays", 0, 0, 24),
        ("holidays 22:00-04:00", 0, 22, 28),
    ],
)
def test_spans(text: str, days: int, start: int, end: int):
    span = read_span(text)
    assert (len(span.weekdays), span.start, span.end) == (days, start * HOUR, end * HOUR)
    assert span.holidays == text.startswith("holidays")


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_starts():
    table = Timetable(["sun 22:00-04:00"])
    assert table.closed(MONDAY, _never) == ((0, 4 * HOUR),)
    assert table.closed(MONDAY - 1, _never) == ((22 * HOUR, 24 * HOUR),)
    assert table.closed(MONDAY + 1, _never) == ()


def test_a_holiday_s_night_runs_into_the_day_after_it():
    table = Timetable(["holidays 22:00-04:00"])
    assert table.closed(MONDAY, {MONDAY - 1}.__contains__) == ((0, 4 * HOUR),)
    assert table.closed(MONDAY, {MONDAY}.__contains__) == ((22 * HOUR, 24 * HOUR),)


def test_windows_close_all_the_rest():
    table = Timetable(windows=["mon 09:00-12:00", "mon 14:00-24:00"])
    assert table.closed(MONDAY, _never) == ((0, 9 * HOUR), (12 * HOUR, 14 * HOUR))
    assert table.closed(MONDAY + 1, _never) == ((0, 24 * HOUR),)


def test_pieces_are_joined():
    assert merged([(5, 9), (1, 3), (3, 4), (6, 7), (2, 2)]) == ((1, 4), (5, 9))


def test_the_calendar_of_holidays_is_not_asked_without_need():
    Timetable(["sun"]).closed(MONDAY, lambda _day: pytest.fail("asked"))


def test_no_zone_changes_twice_within_a_day():
    """The search looks at the two ends of at most a day: two changes between them would hide each other."""
    nearest = min(_gap(name) for name in available_timezones())
    assert nearest > 24 * 3600


def _gap(name: str) -> float:
    """Seconds between the nearest two changes of offset that the file of a zone has."""
    zone, changes, offset = PythonZoneInfo.no_cache(name), [], None
    for at, info in zip(zone._trans_utc, zone._ttinfos, strict=True):
        if info.utcoff != offset:
            changes.append(at)
        offset = info.utcoff
    return min((later - earlier for earlier, later in pairwise(changes)), default=float("inf"))
