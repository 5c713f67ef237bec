"""I05: long messages of which one part comes each, for as long as there is time; 100 000 take two minutes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.bench import make_bench
from support.clock import ManualClock
from support.long_run import LongRun
from support.odd_messages import Ears, Flood, own_mib
from support.place import Place
from support.settings import settings_in

pytestmark = pytest.mark.long

SHORT_S = 15.0
A_ROUND = 5_000


async def test_i05_a_flood_of_beginnings(tmp_path: Path, long_run: LongRun, tell: Callable[[str], None]) -> None:
    store, clock = Place(tmp_path, None).open(), ManualClock()
    try:
        flood = Flood(Ears(await make_bench(settings_in(tmp_path), store, clock)))
        await flood.go_on(A_ROUND)
        before_mib, before = own_mib(), _size(tmp_path)
        while long_run.goes_on(SHORT_S):
            await flood.go_on(A_ROUND)
        more = flood.begun - A_ROUND
        grown_mib, octets = own_mib() - before_mib, (_size(tmp_path) - before) / more
        told = await flood.check()
    finally:
        await store.close()
    tell(f"I05: {told}; memory grew by {grown_mib:.1f} MiB, the disk by {octets:.0f} octets each")
    assert grown_mib < 50
    # Each is a message like any other by then: nothing but its own rows stays.
    assert octets < 4_000


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("tocsin.db*"))
