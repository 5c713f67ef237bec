"""What a SIM may still send: spans of time, room, alarms."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import from_datetime
from gateway.config.limits import SimLimits
from gateway.message import Rule
from gateway.rules.sim_limits import Counts, Spans, alarms, may_send, spans_at
from gateway.rules.verdict import Allow, Defer

PARIS = ZoneInfo("Europe/Paris")
SPANS = Spans(minute_us=60_000_000, day_us=0, month_us=0, next_day_us=86_400_000_000, next_month_us=10**15)


def _us(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("now", "billing_day", "day", "next_day", "month", "next_month"),
    [
        ("2026-11-22T15:00+01:00", 1, "2026-11-22", "2026-11-23", "2026-11-01", "2026-12-01"),
        ("2026-11-22T15:00+01:00", 25, "2026-11-22", "2026-11-23", "2026-10-25", "2026-11-25"),
        ("2026-11-22T15:00+01:00", 22, "2026-11-22", "2026-11-23", "2026-11-22", "2026-12-22"),
        ("2026-02-28T10:00+01:00", 31, "2026-02-28", "2026-03-01", "2026-02-28", "2026-03-31"),
        ("2026-03-30T10:00+02:00", 31, "2026-03-30", "2026-03-31", "2026-02-28", "2026-03-31"),
        ("2026-01-01T00:30+01:00", 15, "2026-01-01", "2026-01-02", "2025-12-15", "2026-01-15"),
        ("2025-12-31T23:30+00:00", 1, "2026-01-01", "2026-01-02", "2026-01-01", "2026-02-01"),
        # The day has 23 hours.
        ("2026-03-29T12:00+02:00", 1, "2026-03-29", "2026-03-30", "2026-03-01", "2026-04-01"),
    ],
)
def test_days_and_months_are_the_gateways(  # noqa: PLR0917 - one line of the table
    now: str, billing_day: int, day: str, next_day: str, month: str, next_month: str
) -> None:
    def midnight(date: str) -> int:
        return from_datetime(datetime.fromisoformat(date).replace(tzinfo=PARIS))

    spans = spans_at(_us(now), billing_day, PARIS)
    assert (spans.day_us, spans.next_day_us) == (midnight(day), midnight(next_day))
    assert (spans.month_us, spans.next_month_us) == (midnight(month), midnight(next_month))


@given(
    st.integers(_us("2000-01-01T00:00Z"), _us("2099-12-31T00:00Z")),
    st.integers(1, 31),
    st.sampled_from(["UTC", "Europe/Paris", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_an_instant_lies_in_its_spans_and_the_next_begin_where_they_end(now_us: int, day: int, zone: str) -> None:
    tz = ZoneInfo(zone)
    spans = spans_at(now_us, day, tz)
    assert spans.minute_us <= now_us < spans.next_minute_us
    assert spans.month_us <= spans.day_us <= now_us + 3600 * 10**6
    assert now_us < spans.next_day_us <= spans.next_month_us
    after = spans_at(spans.next_month_us, day, tz)
    assert after.month_us == spans.next_month_us


@pytest.mark.parametrize(
    ("limits", "counts", "parts", "people", "until_us"),
    [
        (SimLimits(), Counts(9, 9, 9, 9), 3, 1, None),
        (SimLimits(per_minute=2), Counts(1, 1, 1), 1, 0, None),
        (SimLimits(per_minute=2), Counts(2, 2, 2), 1, 0, SPANS.next_minute_us),
        # A pace: what is longer than a minute takes begins all the same.
        (SimLimits(per_minute=2), Counts(1, 1, 1), 5, 0, None),
        (SimLimits(per_day=5), Counts(0, 3, 3), 2, 0, None),
        (SimLimits(per_day=5), Counts(0, 4, 4), 2, 0, SPANS.next_day_us),
        (SimLimits(per_month=5), Counts(0, 0, 5), 1, 0, SPANS.next_month_us),
        (SimLimits(per_day=5, per_month=5), Counts(0, 5, 5), 1, 0, SPANS.next_month_us),
        (SimLimits(recipients_per_month=2), Counts(people=2), 1, 1, SPANS.next_month_us),
        (SimLimits(recipients_per_month=2), Counts(people=2), 1, 0, None),
    ],
)
def test_room(limits: SimLimits, counts: Counts, parts: int, people: int, until_us: int | None) -> None:
    verdict = may_send(limits, counts, SPANS, parts=parts, new_people=people)
    if until_us is None:
        assert isinstance(verdict, Allow)
    else:
        assert isinstance(verdict, Defer)
        assert (verdict.rule, verdict.until_us) == (Rule.SIM_LIMIT, until_us)


@given(st.integers(1, 60), st.integers(0, 80))
def test_each_crossing_is_told_once(limit: int, sent: int) -> None:
    limits = SimLimits(per_day=limit, per_minute=1)
    counts, kinds = Counts(), list[str]()
    for _ in range(sent):
        after = counts.plus(1, 0)
        kinds += [alarm.kind for alarm in alarms(limits, counts, after)]
        counts = after
    near = limit > 1 and sent * 5 >= limit * 4 and -(-limit * 4 // 5) < limit
    assert kinds == ["sim.limit_near"] * near + ["sim.limit"] * (sent >= limit)
