"""The test of variants: against known values, and by simulation at its stated level and power."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.ab_test import FEWER, LEVEL, POWER, must_stop, verdict_of
from gateway.rules.proportions import Share, at_least_p, detectable, difference_p, people_needed

SEED = 20261127
RUNS = 1000
PEOPLE = 400


def _run(random: Random, rates: list[float], people: int) -> int | None:
    return verdict_of("click", [_drawn(random, rate, people) for rate in rates]).winner


def _drawn(random: Random, rate: float, people: int) -> Share:
    return Share(sum(random.random() < rate for _ in range(people)), people)


_long = pytest.mark.long


@pytest.mark.parametrize(
    "rates", [[0.05] * 2, pytest.param([0.3] * 2, marks=_long), pytest.param([0.1] * 4, marks=_long)]
)
def test_without_a_difference_few_tests_name_a_winner(rates: list[float], tell: Callable[[str], None]):
    random = Random(SEED)
    winners = sum(_run(random, rates, PEOPLE) is not None for _ in range(RUNS))
    tell(f"A/A: {len(rates)} variants at {rates[0]:.0%}, {RUNS} runs, seed {SEED}: {winners / RUNS:.1%} winners")
    assert winners <= LEVEL * RUNS


@pytest.mark.parametrize("rate", [0.05, pytest.param(0.2, marks=_long), pytest.param(0.5, marks=_long)])
def test_a_difference_of_the_stated_size_is_found_as_often_as_stated(rate: float, tell: Callable[[str], None]):
    random = Random(SEED)
    rise = detectable(PEOPLE, rate, level=LEVEL, power=POWER)
    assert rise is not None
    right = sum(_run(random, [rate, rate + rise], PEOPLE) == 1 for _ in range(RUNS))
    tell(f"A/B: {rate:.0%} against {rate + rise:.1%}, {RUNS} runs, seed {SEED}: found in {right / RUNS:.1%}")
    assert right >= POWER * RUNS


@given(st.integers(1, 25), st.integers(1, 25), st.data())
def test_fisher_against_all_tables_counted(one: int, other: int, data: st.DataObject):
    a, b = data.draw(st.integers(0, one)), data.draw(st.integers(0, other))
    hits = a + b
    ways = {
        each: comb(one, each) * comb(other, hits - each) for each in range(max(0, hits - other), min(hits, one) + 1)
    }
    expected = sum(way for way in ways.values() if way <= ways[a]) / comb(one + other, hits)
    assert difference_p(Share(a, one), Share(b, other)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    # Fisher's tea (1935), and a table of Agresti, Categorical Data Analysis.
    [(Share(3, 4), Share(1, 4), 0.4857), (Share(8, 10), Share(1, 6), 0.0350)],
)
def test_fisher_against_published_values(one: Share, other: Share, p: float):
    assert difference_p(one, other) == pytest.approx(p, abs=1e-3)


def test_wilson_against_a_published_value():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    low, high = Share(81, 263).interval()
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_fewer_is_better_of_opt_outs():
    assert {"opt_out"} == FEWER
    assert verdict_of("opt_out", [Share(40, 400), Share(5, 400)]).winner == 1
    assert verdict_of("click", [Share(40, 400), Share(5, 400)]).winner == 0


@pytest.mark.parametrize("shares", [[], [Share(1, 2)], [Share(0, 0), Share(5, 5)]])
def test_nobody_wins_alone(shares: list[Share]):
    assert verdict_of("click", shares).winner is None


def test_a_chance_however_small_is_not_told_as_none():
    assert verdict_of("click", [Share(17, 156), Share(49, 152)]).sentence.endswith("(p < 0.0001, level 0.05)")
    assert "(p = 0.0052," in verdict_of("click", [Share(10, 100), Share(26, 100)]).sentence


def test_a_tie_has_no_winner():
    assert verdict_of("click", [Share(50, 100), Share(50, 100), Share(1, 100)]).winner is None


def test_the_guard_stops_what_is_beyond_chance_alone():
    assert not must_stop(Share(1, 3), 0.02)
    assert not must_stop(Share(3, 100), 0.02)
    assert must_stop(Share(12, 100), 0.02)


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 0.99))
def test_the_tail_of_a_binomial(hits: int, more: int, rate: float):
    people = hits + more
    expected = sum(comb(people, each) * rate**each * (1 - rate) ** (people - each) for each in range(hits, people + 1))
    assert at_least_p(Share(hits, people), rate) == pytest.approx(expected, abs=1e-9)


def test_more_people_find_less():
    assert people_needed(0.1, 0.12, level=0.05, power=0.8) > people_needed(0.1, 0.2, level=0.05, power=0.8)
    assert detectable(10, 0.99, level=0.05, power=0.8) is None
