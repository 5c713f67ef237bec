"""What caps count of a time that never was: the clock was ahead, was believed, and was set right."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from support.clock import ManualClock
from support.guarded import HOUR_US, guarded
from support.place import Place

from gateway.message import Status


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=4 * 365)])
async def test_what_left_then_is_counted_from_when_it_left(
    tmp_path: Path, clock: ManualClock, ahead: timedelta
) -> None:
    right_us = clock.now_us()
    clock.set_wall(right_us + int(ahead.total_seconds()) * 1_000_000)
    host = await guarded(Place(tmp_path, None), tmp_path, clock)
    bench = host.bench
    for text in ("one", "two"):
        await bench.accept(text=text, category="plain")
    assert len(await bench.send_all()) == 2
    clock.set_wall(right_us)
    await host.look()
    await host.guard.confirm("somebody")
    held = await bench.accept(text="three", category="plain")
    clock.advance(timedelta(hours=25))
    later = await bench.accept(text="four", category="plain")
    await host.store.close()
    assert held.hold is not None
    assert held.hold.until_us is not None
    assert held.hold.until_us <= right_us + 25 * HOUR_US
    assert later.status is Status.QUEUED
