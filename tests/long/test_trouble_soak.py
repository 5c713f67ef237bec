"""Eight modems of all families with troubles of all kinds, for minutes: nothing lost, nothing wrong, nothing twice."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crash import crash_rig
from support.long_run import hours_asked_for
from support.trouble_soak import MODEMS, TroubleSoak

pytestmark = pytest.mark.long

CALM_S = 40.0
SHORT_S = 240.0
#: A submit that is never answered: two minutes in earnest.
SUBMIT_S = 6.0
#: Twice the calm value is promised; a test beside this one may use the processor meanwhile.
SLOWER, SLOWER_BESIDE_OTHERS = 2.0, 10.0
GROWTH_MIB = 12.0


@pytest.mark.timeout(6 * 3600)
async def test_troubles_of_all_kinds_on_eight_modems(tmp_path: Path, tell: Callable[[str], None]) -> None:
    hours = hours_asked_for()
    seed = int(os.environ.get("TOCSIN_SEED", random.SystemRandom().randrange(1_000_000)))
    troubled_s = SHORT_S if hours is None else hours * 3600
    history = str(tmp_path / "sim" / "troubles.jsonl")
    options = ("--profile", "all", "--latency", "50ms", "--report-delay", "200ms", "--history", history)
    async with crash_rig(tmp_path, *options, modems=MODEMS, submit_seconds=SUBMIT_S) as rig:
        await rig.gateway.start()
        found = await TroubleSoak(rig, seed).run(calm_s=CALM_S, troubled_s=troubled_s, every_s=8, longest_s=8)
        assert await rig.gateway.end() == 0
    tell(f"troubles: {found}")
    assert (found.lost, found.wrong, found.duplicated) == ([], [], [])
    assert (found.inbound_lost, found.inbound_twice) == (0, 0)
    slower = SLOWER if hours is not None else SLOWER_BESIDE_OTHERS
    assert found.troubled_p99_ms <= slower * found.calm_p99_ms
    assert found.memory_mib[1] <= found.memory_mib[0] + GROWTH_MIB
