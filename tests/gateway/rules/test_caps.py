"""Caps over rolling time, against counting by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Rule
from gateway.rules.caps import Cap, full, horizon_of
from gateway.rules.verdict import Defer

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
CAP = Cap.of_text("3/24h", ["promotional"], "categories.promotional.caps")


def test_a_cap_is_free_until_so_many_were_sent_and_again_when_the_first_of_them_is_old_enough() -> None:
    sent = [HOUR_US, 5 * HOUR_US]
    assert CAP.free_us({"promotional": sent}, 6 * HOUR_US) is None
    sent.append(6 * HOUR_US)
    assert CAP.free_us({"promotional": sent}, 6 * HOUR_US) == 25 * HOUR_US
    assert CAP.free_us({"promotional": sent}, 25 * HOUR_US - 1) == 25 * HOUR_US
    assert CAP.free_us({"promotional": sent}, 25 * HOUR_US) is None
    assert CAP.free_us({"emergency": sent * 9}, 6 * HOUR_US) is None


def test_several_categories_are_counted_together() -> None:
    together = Cap.of_text("2/1h", ["a", "b"], "recipients.caps")
    assert together.free_us({"a": [MINUTE_US], "b": [2 * MINUTE_US], "c": [3]}, 3 * MINUTE_US) == 61 * MINUTE_US
    assert horizon_of([CAP, together]) is not None
    horizon = horizon_of([CAP, together])
    assert horizon is not None
    assert (horizon.categories, horizon.span_us, horizon.most) == ({"a", "b", "promotional"}, 24 * HOUR_US, 3)
    assert horizon_of([]) is None


def test_a_clock_that_was_set_back_resets_nothing() -> None:
    later = 40 * HOUR_US
    assert CAP.free_us({"promotional": [later, later + 1, later + 2]}, HOUR_US) == later + 24 * HOUR_US


def test_what_is_told_is_the_cap_that_lasts_longest_and_the_minute_from_which_there_is_room() -> None:
    caps = [Cap.of_text("1/1h", ["a"], "here"), Cap.of_text("1/5m", ["a"], "there")]
    verdict = full(caps, {"a": [MINUTE_US + 1]}, 2 * MINUTE_US)
    assert verdict == Defer(62 * MINUTE_US, Rule.CAP, "1 message was sent within 1h, which is the cap of here")
    assert full(caps, {"a": [MINUTE_US]}, 61 * MINUTE_US) is None
    assert full([], {"a": [MINUTE_US]}, MINUTE_US) is None


@given(
    st.integers(1, 5),
    st.integers(1, 50),
    st.lists(st.integers(0, 300)),
    st.integers(0, 300),
)
def test_whoever_keeps_to_it_never_sends_more_within_any_span(
    count: int, minutes: int, instants: list[int], at: int
) -> None:
    cap = Cap.of_text(f"{count}/{minutes}m", ["a"], "x")
    past = sorted(minute * MINUTE_US for minute in instants if minute <= at)
    within = [instant for instant in past if instant > (at - minutes) * MINUTE_US]
    free_us = cap.free_us({"a": past}, at * MINUTE_US)
    assert (free_us is None) == (len(within) < count)
    if free_us is not None:
        assert cap.free_us({"a": past}, free_us) is None
        assert cap.free_us({"a": past}, free_us - 1) is not None
