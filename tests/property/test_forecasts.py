"""What a preview forecasts is what then happens: over the real store, with a clock that jumps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forecasts import Count, World
from support.long_run import LongRun

CASES = 30
SHORT_S = 12.0
SEEDS = st.integers(0, 2**64 - 1)


async def _in_a_world(folder: Path, seed: int, count: Count) -> None:
    """Everything follows from the seed."""
    async with World(folder, random.Random(seed), count) as world:
        for _ in range(CASES):
            await world.check()


def test_what_a_preview_forecasts_is_what_happens(tell: Callable[[str], None]) -> None:
    count = Count()

    @settings(max_examples=5)
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        with TemporaryDirectory() as folder:
            asyncio.run(_in_a_world(Path(folder), seed, count))

    check()
    tell(f"forecasts: {count}")


@pytest.mark.long
async def test_forecasts_of_many_worlds(
    long_run: LongRun, seeded: random.Random, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    count = Count()
    while long_run.goes_on(SHORT_S):
        with TemporaryDirectory(dir=tmp_path) as folder:
            await _in_a_world(Path(folder), seeded.getrandbits(64), count)
    tell(f"forecasts of {long_run.rounds} worlds: {count}")
