"""The clock that other tests trust."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from support.clock import START_US, ManualClock

from gateway.clock import Clock, rfc3339


async def _waiting(clock: Clock, event: asyncio.Event, until_us: int | None) -> asyncio.Task[bool]:
    task = asyncio.create_task(clock.wait(event, until_us))
    await asyncio.sleep(0)
    return task


def test_it_starts_on_a_monday_morning():
    assert rfc3339(ManualClock().now_us()) == "2026-01-05T10:00:00.000Z"


async def test_an_event_ends_the_wait():
    clock, event = ManualClock(), asyncio.Event()
    task = await _waiting(clock, event, None)
    event.set()
    assert await task is True
    assert await clock.wait(event, START_US - 1) is True


async def test_only_a_jump_past_the_instant_ends_the_wait():
    clock, event = ManualClock(), asyncio.Event()
    task = await _waiting(clock, event, START_US + 60_000_000)
    assert clock.next_wake_us == START_US + 60_000_000
    clock.advance(timedelta(seconds=59))
    await asyncio.sleep(0)
    assert not task.done()
    clock.advance(timedelta(seconds=1))
    assert await task is False
    assert clock.next_wake_us is None


async def test_an_instant_in_the_past_does_not_wait():
    assert await ManualClock().wait(asyncio.Event(), START_US) is False


async def test_a_wall_clock_that_is_set_leaves_the_monotonic_one_alone():
    clock = ManualClock()
    clock.advance(timedelta(seconds=2))
    clock.set_wall(START_US - 3_600_000_000)
    assert (clock.now_us(), clock.monotonic_us()) == (START_US - 3_600_000_000, 2_000_000)


async def test_a_cancelled_wait_leaves_no_sleeper():
    clock = ManualClock()
    task = await _waiting(clock, asyncio.Event(), START_US + 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_wake_us is None
