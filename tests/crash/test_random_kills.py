"""kill -9 at moments that nobody chose, while messages come in and go out: C19, 50 times, 1 000 by `make soak`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crash import crash_rig
from support.crash_load import Load, figures
from support.long_run import hours_asked_for

pytestmark = pytest.mark.long

KILLS = 50 if hours_asked_for() is None else 1000
#: So often a run by hand says how far it is.
PROGRESS = 50


async def test_killed_at_random_under_load(tmp_path: Path, seeded: random.Random, tell: Callable[[str], None]) -> None:
    starts: list[float] = []
    first = time.monotonic()
    options = ("--latency", "20ms", "--report-delay", "100ms")
    async with crash_rig(tmp_path, *options, modems=2, submit_seconds=5) as rig:
        load = Load(rig, seeded)
        for kill in range(KILLS):
            began = time.monotonic()
            await rig.gateway.start()
            starts.append(time.monotonic() - began)
            await load.one_life(0.1 + seeded.random() * 1.4)
            if (kill + 1) % PROGRESS == 0:
                print(f"{kill + 1} of {KILLS} kills in {time.monotonic() - first:.0f} s, {len(load.sent)} messages")  # noqa: T201 - a long run says how far it is
        verdicts = await load.end()
    tell(f"C19: {KILLS} random kills: {figures(verdicts, starts)}")
    assert [(sent, verdict) for sent, verdict in zip(load.sent, verdicts, strict=True) if not verdict.sound] == []
    assert any(verdict.recorded_uncertain for verdict in verdicts), "no kill came after Ctrl-Z: the load is too light"
