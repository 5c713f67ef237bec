"""When a clock is doubted, and when it is trusted again: the table, and whatever order things come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SECOND_US
from gateway.config.categories import BUILT_IN
from gateway.config.settings import Category
from gateway.rules.clock_trust import (
    AHEAD_US,
    BEHIND_US,
    RELEASED_US,
    SLEWED_US,
    Reason,
    Seen,
    Standing,
    confirmed,
    first_look,
    judge,
    needs_time,
)

MINUTE_US = 60 * SECOND_US
HOUR_US, DAY_US = 60 * MINUTE_US, 24 * 60 * MINUTE_US
NOW_US = RELEASED_US + 200 * DAY_US
BOOT_US = 5 * HOUR_US


def seen(ahead_us: int = 0, later_us: int = 0, *, synced: bool | None = False, off_us: int | None = None) -> Seen:
    return Seen(NOW_US + ahead_us + later_us, BOOT_US + later_us, synced, off_us)


STANDING = first_look(seen(), NOW_US - DAY_US, vouched=True)

TABLE = [
    # A machine that nobody synchronises and whose clock goes on is trusted.
    (seen(later_us=SECOND_US), None),
    (seen(later_us=400 * DAY_US), None),
    (seen(synced=None), None),
    # Set by less than matters, and by more.
    (seen(AHEAD_US), None),
    (seen(AHEAD_US + SECOND_US), Reason.JUMPED_FORWARD),
    (seen(DAY_US), Reason.JUMPED_FORWARD),
    (seen(365 * DAY_US, synced=None), Reason.JUMPED_FORWARD),
    (seen(-BEHIND_US), None),
    (seen(-BEHIND_US - SECOND_US), Reason.JUMPED_BACK),
    (seen(-HOUR_US), Reason.JUMPED_BACK),
    (seen(-DAY_US, 3 * DAY_US), Reason.JUMPED_BACK),
    (Seen(0, BOOT_US, synchronized=False), Reason.JUMPED_BACK),
    # The kernel's word for it is enough.
    (seen(DAY_US, synced=True), None),
    (seen(-365 * DAY_US, synced=True), None),
    (seen(off_us=601 * SECOND_US, synced=True), None),
    # The database's clock.
    (seen(off_us=60 * SECOND_US), None),
    (seen(off_us=61 * SECOND_US), Reason.OFF_DATABASE),
    (seen(off_us=-600 * SECOND_US), Reason.OFF_DATABASE),
]


@pytest.mark.parametrize(("look", "reason"), TABLE)
def test_the_table(look: Seen, reason: Reason | None) -> None:
    assert judge(STANDING, look).reason is reason


@pytest.mark.parametrize(
    ("now_us", "floor_us", "vouched", "reason"),
    [
        (NOW_US, 0, True, None),
        (NOW_US, NOW_US, True, None),
        (NOW_US, NOW_US + BEHIND_US, True, None),
        (NOW_US, NOW_US + BEHIND_US + 1, True, Reason.BEFORE_FLOOR),
        (0, 0, True, Reason.BEFORE_FLOOR),
        (RELEASED_US - HOUR_US, 0, True, Reason.BEFORE_FLOOR),
        # Plausible, and nobody knows: the saved time of a machine without a battery.
        (NOW_US, NOW_US - 1, False, Reason.UNVOUCHED),
    ],
)
def test_starts(now_us: int, floor_us: int, vouched: bool, reason: Reason | None) -> None:
    for synced in (False, None):
        assert first_look(Seen(now_us, BOOT_US, synced), floor_us, vouched=vouched).reason is reason
    assert first_look(Seen(now_us, BOOT_US, synchronized=True), floor_us, vouched=vouched).reason is None


@pytest.mark.parametrize("ahead_us", [DAY_US, 365 * DAY_US, -HOUR_US, -DAY_US])
def test_a_jump_that_is_undone_is_forgotten_and_one_that_stays_is_not(ahead_us: int) -> None:
    jumped = judge(STANDING, seen(ahead_us))
    assert judge(jumped, seen(ahead_us, 10 * DAY_US)).reason is jumped.reason
    assert judge(jumped, seen(0, MINUTE_US)).reason is None
    assert judge(jumped, seen(ahead_us, MINUTE_US, synced=True)).reason is None
    assert judge(confirmed(seen(ahead_us)), seen(ahead_us, MINUTE_US)).reason is None


def test_a_clock_that_was_wrong_at_the_start_is_not_trusted_because_it_was_set_to_something_plausible() -> None:
    started = first_look(Seen(0, 0, synchronized=False), NOW_US, vouched=True)
    assert started.reason is Reason.BEFORE_FLOOR
    set_ = judge(started, Seen(NOW_US + DAY_US, MINUTE_US, synchronized=False))
    assert set_.reason is Reason.JUMPED_FORWARD
    assert judge(set_, Seen(NOW_US + DAY_US, MINUTE_US, synchronized=True)).reason is None


def test_many_small_jumps_are_one_large_one() -> None:
    standing = STANDING
    for step in range(1, 5):
        standing = judge(standing, seen(step * 20 * MINUTE_US, step * SECOND_US))
        assert standing.reason is (None if step < 4 else Reason.JUMPED_FORWARD)


@pytest.mark.parametrize(
    ("step_s", "every_s", "steps", "reason"),
    [
        # `ntpdate` at night, for two years; by far more than any clock goes wrong; each week; each hour.
        (-5, 86_400, 730, None),
        (5, 86_400, 730, None),
        (-60, 86_400, 730, None),
        (-35, 7 * 86_400, 200, None),
        (-3, 3600, 10_000, None),
        # Within a short time they are a jump, in whatever order.
        (-5, 1, 120, None),
        (-5, 1, 121, Reason.JUMPED_BACK),
        (-30, 60, 20, None),
        (-30, 60, 21, Reason.JUMPED_BACK),
        (-60, 5, 11, Reason.JUMPED_BACK),
        (60, 5, 61, Reason.JUMPED_FORWARD),
        (-20, 3600, 40, Reason.JUMPED_BACK),
        # Larger ones do not fade.
        (-61, 86_400, 10, Reason.JUMPED_BACK),
    ],
)
def test_small_steps_fade_unless_they_come_quickly(
    step_s: int, every_s: int, steps: int, reason: Reason | None
) -> None:
    standing = STANDING
    for step in range(1, steps + 1):
        standing = judge(standing, seen(step * step_s * SECOND_US, step * every_s * SECOND_US))
    assert standing.reason is reason


def test_a_doubt_made_of_small_steps_does_not_fade() -> None:
    standing, ahead_us = STANDING, 0
    for step in range(25):
        ahead_us -= 30 * SECOND_US
        standing = judge(standing, seen(ahead_us, step * SECOND_US))
    for day in range(1, 100):
        standing = judge(standing, seen(ahead_us, day * DAY_US))
        assert standing.reason is Reason.JUMPED_BACK
    assert judge(standing, seen(0, 101 * DAY_US)).reason is None


def test_a_large_step_that_is_undone_much_later_is_undone() -> None:
    standing = judge(STANDING, seen(59 * MINUTE_US))
    for day in range(1, 100):
        standing = judge(standing, seen(59 * MINUTE_US, day * DAY_US))
    undone = judge(standing, seen(0, 100 * DAY_US))
    assert (undone.reason, undone.ahead_us) == (None, 0)


def test_a_difference_that_a_person_called_right_is_right_as_long_as_it_stays() -> None:
    standing = confirmed(seen(off_us=600 * SECOND_US))
    assert judge(standing, seen(off_us=610 * SECOND_US)).reason is None
    assert judge(standing, seen(off_us=700 * SECOND_US)).reason is Reason.OFF_DATABASE


steps = st.tuples(
    st.integers(-2 * 365 * DAY_US, 2 * 365 * DAY_US) | st.integers(-2 * AHEAD_US, 2 * AHEAD_US),
    st.integers(0, 3 * DAY_US),
    st.sampled_from([True, False, None]),
)


@given(st.lists(steps, max_size=12))
def test_whatever_happens_a_doubted_clock_raises_no_floor_and_a_trusted_one_never_lowers_it_by_itself(
    happenings: list[tuple[int, int, bool | None]],
) -> None:
    standing, ahead_us, later_us = STANDING, 0, 0
    for jump_us, passed_us, synced in happenings:
        ahead_us, later_us = ahead_us + jump_us, later_us + passed_us
        look = seen(ahead_us, later_us, synced=synced)
        before, standing = standing, judge(standing, look)
        assert isinstance(standing, Standing)
        if synced:
            assert (standing.reason, standing.floor_us, standing.ahead_us) == (None, look.now_us, 0)
        elif standing.reason is None:
            assert standing.floor_us == max(before.floor_us, look.now_us)
            assert -BEHIND_US <= standing.ahead_us <= AHEAD_US
        else:
            assert standing.floor_us == before.floor_us
        # Looking twice is looking once.
        assert judge(standing, look) == standing


@given(st.lists(st.tuples(st.integers(-SLEWED_US, SLEWED_US), st.integers(0, DAY_US)), max_size=50))
def test_a_clock_that_is_only_slewed_is_never_doubted(slews: list[tuple[int, int]]) -> None:
    standing, ahead_us, later_us = replace(STANDING, floor_us=RELEASED_US), 0, 0
    for slew_us, passed_us in slews:
        ahead_us, later_us = ahead_us + slew_us, later_us + passed_us
        standing = judge(standing, seen(ahead_us, later_us))
        assert standing.reason is None


def test_what_needs_the_time() -> None:
    assert {name for name, category in BUILT_IN.items() if needs_time(category)} == {"transactional", "promotional"}
    assert needs_time(Category("x", windows=("mon-fri 08:00-18:00",)))
    assert not needs_time(Category("x", caps=("1/24h",)))
