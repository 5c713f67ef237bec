"""The deadline of a channel's waits: it ends what takes too long, and nothing else, with one timer for all."""

from __future__ import annotations

import asyncio

import pytest

from drivers.gsm.limit import Limit

_SOON, _LATER = 0.001, 30.0


async def test_what_takes_too_long_ends_with_a_timeout():
    limit = Limit()
    with pytest.raises(TimeoutError), limit.of(_SOON):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_wait_that_ends_leaves_its_timer_to_the_next():
    limit = Limit()
    with limit.of(_SOON):
        pass
    # The timer of the first rings while the second is waited for, and does not end it.
    with limit.of(_LATER):
        rung, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.call_later(2 * _SOON, rung.set)
        await rung.wait()
    # One that may wait for less than the timer's time is ended in its own.
    with pytest.raises(TimeoutError), limit.of(_SOON):
        await asyncio.Event().wait()
    limit.close()


async def test_a_cancellation_by_somebody_else_stays_one():
    limit, begun = Limit(), asyncio.Event()

    async def wait() -> None:
        with limit.of(_LATER):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # It is free again.
    with limit.of(_LATER):
        pass
    limit.close()


async def test_both_at_once_are_a_cancellation():
    limit, begun = Limit(), asyncio.Event()

    async def wait() -> None:
        with limit.of(_SOON):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                task.cancel()

    task = asyncio.create_task(wait())
    await begun.wait()
    with pytest.raises(asyncio.CancelledError):
        await task
