"""The best hour: found where one stands out, and seldom where none does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gateway.rules.ab_test import LEVEL
from gateway.rules.best_hour import LEAST, best_hour
from gateway.rules.proportions import Share

SEED = 20261127
RUNS = 400


def drawn(random: Random, rate: float, people: int) -> Share:
    return Share(sum(random.random() < rate for _ in range(people)), people)


def test_an_hour_stands_out():
    found = best_hour({9: Share(60, 100), 12: Share(20, 100), 19: Share(22, 100)})
    assert (found.hour, found.reason, found.share, found.rest) == (9, None, Share(60, 100), Share(42, 200))
    assert found.p is not None
    assert found.level == LEVEL / 3
    assert found.p < found.level


def test_little_is_not_enough():
    for hours in (
        {},
        {9: Share(50, 100)},
        {9: Share(50, 100), 10: Share(0, LEAST - 1)},
        {9: Share(0, 100), 10: Share(0, 100)},
    ):
        assert best_hour(hours).reason == "not_enough_data"


def test_chance_is_no_difference():
    found = best_hour({9: Share(30, 100), 10: Share(28, 100)})
    assert (found.hour, found.reason) == (None, "no_difference")


def test_hours_that_are_alike_seldom_have_a_best(tell: Callable[[str], None]):
    random = Random(SEED)
    found = sum(
        best_hour({hour: drawn(random, 0.2, 60) for hour in range(8, 20)}).hour is not None for _ in range(RUNS)
    )
    tell(f"best hour: 12 hours alike at 20%, {RUNS} runs, seed {SEED}: one named in {found / RUNS:.1%}")
    assert found <= LEVEL * RUNS
