"""The loop whose time other tests trust."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest
from support.waiting import eventually

HOUR_S = 3600.0


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_an_hour_takes_no_time_and_is_an_hour() -> None:
    began, really = now(), time.monotonic()
    await asyncio.sleep(HOUR_S)
    assert now() - began == pytest.approx(HOUR_S, abs=0.001)
    assert time.monotonic() - really < HOUR_S / 10


async def test_timers_come_in_their_order_and_those_of_equal_waits_as_they_were_set() -> None:
    heard: list[int] = []
    for each, seconds in enumerate((0.5, 0.2, 0.2, 0.2)):
        asyncio.get_running_loop().call_later(seconds, heard.append, each)
        await asyncio.sleep(0)
    await eventually(lambda: len(heard) == 4)
    assert heard == [1, 2, 3, 0]


async def _restless() -> None:
    for _ in range(100_000):
        await asyncio.sleep(0)


async def test_a_deadline_passes_for_whoever_is_silent_and_for_whoever_never_rests() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), HOUR_S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_restless(), 0.05)


@pytest.mark.parametrize("pooled", [True, False])
async def test_a_thread_has_the_time_that_it_takes(pooled: bool) -> None:
    done = asyncio.Event()
    begun, loop = threading.Event(), asyncio.get_running_loop()

    def work() -> None:
        assert begun.wait(10)
        loop.call_soon_threadsafe(done.set)

    if pooled:
        loop.run_in_executor(None, work)
    else:
        threading.Thread(target=work, name="apart of the test", daemon=True).start()
    with pytest.raises(TimeoutError):
        # Everybody's time: the thread is not done, and this is.
        await asyncio.wait_for(done.wait(), 0.01)
    begun.set()
    await asyncio.wait_for(done.wait(), 10)


async def test_a_socket_is_waited_for() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        threading.Timer(0.01, far.send, [b"x"]).start()
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(near, 1), 10) == b"x"
