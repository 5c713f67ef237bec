"""Calls at an exact instant, in the loop that asked for them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from drivers.sim.alarm import Alarm

pytestmark = pytest.mark.real_time


async def test_calls_come_in_the_order_of_their_instants_and_in_the_loop() -> None:
    alarm, come, done = Alarm(), list[tuple[str, str]](), asyncio.Event()

    def note(name: str) -> None:
        come.append((name, threading.current_thread().name))
        if len(come) == 3:
            done.set()

    # Far enough apart that a busy machine sets all three before the first is due.
    alarm.call_later(0.6, lambda: note("third"))
    alarm.call_later(0.2, lambda: note("first"))
    alarm.call_later(0.4, lambda: note("second"))
    async with asyncio.timeout(5):
        await done.wait()
    here = threading.current_thread().name
    assert come == [("first", here), ("second", here), ("third", here)]


async def test_a_call_is_never_early() -> None:
    loop, alarm = asyncio.get_running_loop(), Alarm()
    for seconds in (0.0, 0.001, 0.05):
        done = asyncio.Event()
        asked = loop.time()
        alarm.call_later(seconds, done.set)
        async with asyncio.timeout(5):
            await done.wait()
        assert loop.time() - asked >= seconds


async def test_one_that_was_cancelled_does_not_happen() -> None:
    alarm, come, done = Alarm(), list[str](), asyncio.Event()
    cancelled = alarm.call_later(0.005, lambda: come.append("cancelled"))
    alarm.call_later(0.01, done.set)
    cancelled.cancel()
    async with asyncio.timeout(5):
        await done.wait()
    assert come == []


def test_a_loop_that_has_ended_is_not_called_and_the_next_one_is() -> None:
    alarm, come = Alarm(), list[str]()

    async def leave() -> None:
        alarm.call_later(0.005, lambda: come.append("left"))

    async def stay() -> None:
        done = asyncio.Event()
        alarm.call_later(0.01, done.set)
        async with asyncio.timeout(5):
            await done.wait()

    asyncio.run(leave())
    asyncio.run(stay())
    assert come == []
