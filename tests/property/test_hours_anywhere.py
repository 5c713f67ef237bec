"""Hours at any time, near a change or not, and at the odd instants of the calendar."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hours_cases import DAY, HOUR, ZONES, Case, CategoryOfCase, Count, compare, drawn
from support.hours_oracle import Rules

from gateway.rules.moments import MINUTE_US

ODD = {
    "2038, the end of 32 bits": datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    "29 February": datetime(2028, 2, 29, 12, tzinfo=UTC),
    "no 29 February": datetime(2100, 3, 1, tzinfo=UTC),
    "a leap second": datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
    "a year's end": datetime(2026, 12, 31, 23, tzinfo=UTC),
    "the first minute": datetime(1970, 1, 1, tzinfo=UTC),
}


@given(seed=st.integers(0, 2**32), zone=st.sampled_from(ZONES), minute=st.integers(0, 68 * 365 * DAY))
def test_any_hours_at_any_time(seed: int, zone: str, minute: int) -> None:
    case = drawn(random.Random(seed), zone, minute)
    compare(case, minute, Count(), before=6 * HOUR, after=18 * HOUR, step=61)


@pytest.mark.parametrize("odd", ODD)
def test_odd_instants(odd: str, seeded: random.Random, tell: Callable[[str], None]) -> None:
    count = Count()
    minute = int(ODD[odd].timestamp()) // 60
    for zone in seeded.sample(ZONES, 4):
        compare(drawn(seeded, zone, minute), minute, count, before=DAY // 2, after=DAY)
    tell(f"T05: {odd}: {count}")


@pytest.mark.parametrize("at_us", [-(10**18), -1, 0, 253_402_300_799 * 10**6, 10**18])
def test_no_instant_is_too_far(at_us: int) -> None:
    case = Case(Rules(quiet=("21:00-08:00", "holidays")), ("Europe/Paris", "America/New_York"))
    moments, category = case.moments(), CategoryOfCase(quiet_hours=case.rules.quiet, preferred=("mon",))
    closed = moments.judge_at(category, case.place, at_us)
    assert closed is None or (closed.until_us is not None and 0 < closed.until_us - at_us < 2 * DAY * MINUTE_US)
    assert moments.first_open_at(category, case.place, at_us) is not None
