"""What campaigns compute without a store: shares, pace, recurrence, moments of automations."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.campaign import Guard, Variant, Wanted
from gateway.campaigns.automation import AutomationRule
from gateway.campaigns.pacing import Pace
from gateway.campaigns.recurring import read_every
from gateway.campaigns.splitting import is_tried, variant_of
from gateway.campaigns.stored import wanted_of_json, wanted_to_json
from gateway.clock import SECOND_US, from_datetime

PARIS = ZoneInfo("Europe/Paris")
PEOPLE = 20_000


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=PARIS))


def test_people_are_split_by_weight_and_always_the_same() -> None:
    found = Counter(variant_of(7, person, (1, 3, 0)) for person in range(PEOPLE))
    assert found[2] == 0
    assert abs(found[0] / PEOPLE - 0.25) < 0.015
    assert [variant_of(7, person, (1, 3)) for person in range(50)] == [
        variant_of(7, person, (1, 3)) for person in range(50)
    ]


def test_who_is_tried_says_nothing_of_the_variant() -> None:
    tried = [person for person in range(PEOPLE) if is_tried(7, person, 0.2)]
    assert abs(len(tried) / PEOPLE - 0.2) < 0.015
    of_tried = Counter(variant_of(7, person, (1, 1)) for person in tried)
    assert abs(of_tried[0] / len(tried) - 0.5) < 0.03


@given(st.integers(0, 2**32), st.integers(1, 2**40), st.lists(st.floats(0, 1e6), min_size=1, max_size=10))
def test_a_variant_without_weight_falls_to_nobody(seed: int, person: int, weights: list[float]) -> None:
    if sum(weights) > 0:
        assert weights[variant_of(seed, person, weights)] > 0


@given(st.integers(1, 10_000), st.lists(st.integers(0, 90 * SECOND_US), max_size=40))
def test_a_pace_is_never_gone_beyond(per_minute: int, steps: list[int]) -> None:
    pace, now_us, used = Pace(per_minute), 1, 0
    for step in steps:
        room = pace.room(now_us)
        assert room is not None
        pace.used(room)
        used += room
        now_us += step
    # The first at once, and no more than two seconds' worth is saved up at any moment.
    assert used <= 1 + max(1.0, per_minute / 30) + now_us * per_minute / 60e6


def test_a_pace_says_when_there_is_room() -> None:
    pace = Pace(60)
    assert pace.room(0) == 1
    pace.used(1)
    wait_us = pace.wait_us()
    assert pace.room(wait_us - 10) == 0
    assert pace.room(wait_us) == 1


@pytest.mark.parametrize(
    ("every", "after", "expected"),
    [
        ("6h", "2026-01-05T10:00", "2026-01-05T15:00"),
        ("1d", "2026-01-05T10:00", "2026-01-06T09:00"),
        # The clock's face, whatever the summer does.
        ("1d", "2026-03-28T10:00", "2026-03-29T09:00"),
        ("1w", "2026-01-05T10:00", "2026-01-12T09:00"),
        ("2w", "2026-01-12T10:00", "2026-01-19T09:00"),
        ("mon-fri 18:30", "2026-01-09T18:30", "2026-01-12T18:30"),
        ("sat,sun 10:00", "2026-01-05T10:00", "2026-01-10T10:00"),
        ("07:00", "2026-01-05T06:59", "2026-01-05T07:00"),
    ],
)
def test_when_it_comes_again(every: str, after: str, expected: str) -> None:
    recurrence = read_every(every)
    assert recurrence is not None
    assert recurrence.next_us(at(after), at("2026-01-05T09:00"), PARIS) == at(expected)


@pytest.mark.parametrize(
    "every", ["", "1", "0d", "1m", "5", "mon", "09:00 mon", "noday 09:00", "mon 25:00", "mon x 09:00"]
)
def test_what_is_no_recurrence(every: str) -> None:
    assert read_every(every) is None


@pytest.mark.parametrize(
    ("rule", "event", "expected"),
    [
        (AutomationRule(), "2026-01-06T09:00", "2026-01-06T09:00"),
        (AutomationRule(after_us=300 * SECOND_US), "2026-01-06T09:00", "2026-01-06T09:05"),
        (AutomationRule(before_us=86_400 * SECOND_US), "2026-01-06T09:00", "2026-01-05T09:00"),
        (AutomationRule(days_before=1, at="18:00"), "2026-01-06T09:00", "2026-01-05T18:00"),
        (AutomationRule(days_before=0, at="07:30"), "2026-01-06T09:00", "2026-01-06T07:30"),
    ],
)
def test_the_moment_of_an_automation(rule: AutomationRule, event: str, expected: str) -> None:
    assert rule.moment_us(at(event), PARIS) == at(expected)


def test_what_was_asked_for_is_kept_as_it_was() -> None:
    wanted = Wanted(
        to=("+33639980101", "patients"),
        variants=(Variant("a", {"fr": "Salut"}, weight=2.0), Variant("b", template="x", send_us=5)),
        variables={"day": "lundi"},
        test_share=0.2,
        guard=Guard(0.05, 10),
        windows=("mon-fri",),
        every="1d",
    )
    assert wanted_of_json(wanted_to_json(wanted)) == wanted
