"""Calls into an event loop at an instant, and not much later.

An event loop's own timers are rounded up to a millisecond, and Linux lets a wait of epoll be late by a thousandth of
its length: 3 ms of 3 s. A network whose latency others are measured against has to be better than that. A thread that
sleeps is half a millisecond late, both its wakings included, however long it slept.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count


class Call:
    """One call that is due some time; `cancel` in the loop that it is for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Callable[[], object]) -> None:
        self._loop = loop
        self._work: Callable[[], object] | None = work

    def cancel(self) -> None:
        """Let it not happen."""
        self._work = None

    def happen(self) -> None:
        """Hand it over to its loop; one that has ended has nobody left who waits."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()


class Alarm:
    """One thread for all calls; it begins with the first of them."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Call]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def call_later(self, seconds: float, work: Callable[[], object]) -> Call:
        """Call `work` in the running loop, `seconds` from now."""
        call = Call(asyncio.get_running_loop(), work)
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sim-alarm", daemon=True)
                self._thread.start()
            if self._due[0][2] is call:
                self._changed.notify()
        return call

    def _run(self) -> None:
        while True:
            self._next().happen()

    def _next(self) -> Call:
        """Wait for the instant of the first call."""
        with self._changed:
            while True:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)


#: Of this process.
ALARM = Alarm()
