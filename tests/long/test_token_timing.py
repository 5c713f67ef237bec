"""How long it takes to refuse a token says nothing of how nearly it was right."""

from __future__ import annotations

import ast
import inspect
import random
import textwrap
import time
from pathlib import Path
from statistics import NormalDist

import pytest
from support.clock import ManualClock
from support.long_run import hours_asked_for

from gateway.errors import Unauthorized
from gateway.requests import NewToken
from gateway.services.tokens import Tokens
from gateway.store.opening import open_store

pytestmark = pytest.mark.long

SAMPLES, TRIES, LEAST_P = 50_000, 4, 0.01


def test_no_secret_is_compared() -> None:
    """It is hashed, and the hash is looked up: there is no comparison that could end early."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Tokens.authenticate)))
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert not any("secret" in each for each in compared), compared
    assert "_hash(secret)" in ast.unparse(tree)


def _rank_p(one: list[int], other: list[int]) -> float:
    """Of a rank-sum test (Mann and Whitney), two-sided, ties at their mean rank."""
    values = sorted([(each, 0) for each in one] + [(each, 1) for each in other])
    ranks, at = 0.0, 0
    while at < len(values):
        end = at
        while end < len(values) and values[end][0] == values[at][0]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(which == 0 for _, which in values[at:end])
        at = end
    first, second = len(one), len(other)
    mean, variance = first * (first + second + 1) / 2, first * second * (first + second + 1) / 12
    return 2 * (1 - NormalDist().cdf(abs(ranks - mean) / variance**0.5))


@pytest.mark.skipif(
    hours_asked_for() is None, reason="timed, so `make soak` alone: beside other tests it measures those"
)
async def test_a_guess_that_is_nearly_right_takes_no_longer(tmp_path: Path, tell) -> None:
    """A machine that does something else meanwhile shows differences that are none: one good series of four will do."""
    clock = ManualClock()
    store = open_store(tmp_path / "store.db")
    try:
        tokens = Tokens(store, clock, {})
        _, secret = await tokens.create(None, NewToken("guessed", ("send",)))
    finally:
        await store.close()
    rng = random.Random(23040)

    def guesses() -> tuple[str, str]:
        # Others each time: where a hash falls in a table is by chance, and costs a little more or less.
        wrong = "".join(rng.choices("0123456789", k=8))
        return secret[:-8] + wrong, wrong + secret[8:]

    def taken_ns(guess: str) -> int:
        begun = time.perf_counter_ns()
        try:
            tokens.authenticate(guess)
        except Unauthorized:
            return time.perf_counter_ns() - begun
        raise AssertionError("a wrong token was let in")

    found: list[float] = []
    for _ in range(TRIES):
        series: tuple[list[int], list[int]] = ([], [])
        for _ in range(SAMPLES):
            pair = guesses()
            for which in rng.sample((0, 1), 2):
                series[which].append(taken_ns(pair[which]))
        found.append(_rank_p(*series))
        if found[-1] > LEAST_P:
            break
    tell(f"A03: {2 * SAMPLES} refusals, wrong at the end or at the start: p = {found[-1]:.3f} (series {len(found)})")
    assert found[-1] > LEAST_P
