"""How long it takes until the last of many messages has left, by an event-by-event reckoning and by what must hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.estimate import Load, Machine, estimate

BOTH = frozenset({"a", "b"})


def machines(a: float = 3.0, b: float = 3.0) -> list[Machine]:
    return [Machine("a", a), Machine("b", b)]


@pytest.mark.parametrize(
    ("able", "ours", "ahead", "seconds", "parts"),
    [
        (machines(), [Load(BOTH, 400)], [], 600.0, {"a": 200, "b": 200}),
        (machines(), [Load(BOTH, 401)], [], 603.0, {"a": 201, "b": 200}),
        # Twice as fast takes twice as many.
        (machines(2.0, 4.0), [Load(BOTH, 300)], [], 400.0, {"a": 200, "b": 100}),
        # A message of three parts stays on one modem.
        (machines(), [Load(BOTH, 1, 3)], [], 9.0, {"a": 3}),
        (machines(), [Load(BOTH, 2)], [Load(BOTH, 10)], 18.0, {"a": 1, "b": 1}),
        # What waits ahead for one of them alone leaves the other free.
        (machines(), [Load(BOTH, 10)], [Load(frozenset({"a"}), 100)], 30.0, {"b": 10}),
        # One kind is for one of them alone, and what is left is shared.
        (machines(), [Load(BOTH, 100), Load(frozenset({"a"}), 100)], [], 303.0, {"a": 101, "b": 99}),
        (machines(), [Load(frozenset({"c"}), 1)], [], None, {}),
        ([], [Load(BOTH, 1)], [], None, {}),
        (machines(), [], [Load(BOTH, 5)], 0.0, {}),
    ],
)
def test_what_the_modems_will_do(able, ours, ahead, seconds, parts):
    found = estimate(able, ours, ahead)
    assert (found.seconds, dict(found.parts)) == (seconds, parts)


def test_a_sim_that_is_full_today_goes_on_tomorrow():
    one = [Machine("a", 1.0, room=10, renews_s=3600.0, daily=20)]
    assert estimate(one, [Load(frozenset({"a"}), 10)]).seconds == pytest.approx(10.0)
    assert estimate(one, [Load(frozenset({"a"}), 12)]).seconds == pytest.approx(3602.0)
    assert estimate(one, [Load(frozenset({"a"}), 31)]).seconds == pytest.approx(3600 + 86_400 + 1.0)
    # Where another has room, that one takes them.
    both = [Machine("a", 1.0, room=10, renews_s=3600.0, daily=10), Machine("b", 1.0)]
    assert estimate(both, [Load(BOTH, 200)]).seconds == pytest.approx(190.0, abs=1)


def test_a_sim_without_any_room_takes_nothing():
    found = estimate([Machine("a", 1.0, room=0, renews_s=60.0, daily=0)], [Load(frozenset({"a"}), 3)])
    assert (found.seconds, found.stuck) == (None, 3)


def test_a_million_are_reckoned_as_well_as_a_thousand():
    few = estimate(machines(2.0, 3.0), [Load(BOTH, 1000)]).seconds
    many = estimate(machines(2.0, 3.0), [Load(BOTH, 1_000_000)]).seconds
    assert few is not None
    assert many == pytest.approx(few * 1000, rel=0.005)


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=5),
    st.integers(1, 400),
    st.integers(1, 4),
    st.integers(0, 100),
)
def test_it_lies_between_what_no_modem_beats_and_the_last_message_more(paces, messages, parts, before):
    able = [Machine(f"m{at}", pace) for at, pace in enumerate(paces)]
    names = frozenset(each.name for each in able)
    found = estimate(able, [Load(names, messages, parts)], [Load(names, before)])
    assert found.seconds is not None
    assert sum(found.parts.values()) == messages * parts
    least = (messages * parts + before) / sum(1 / pace for pace in paces)
    slowest = max(paces)
    assert found.seconds >= min(least, found.seconds) - 1e-9
    assert found.seconds <= least + slowest * (parts + 1) + 1e-6
    if before == 0:
        # Some modem must have taken its share of it.
        assert found.seconds >= least - 1e-6
    assert not math.isnan(found.seconds)
