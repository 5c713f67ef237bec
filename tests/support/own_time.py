"""An event loop with a time of its own: what waits in it for an instant waits for nothing.

Its time hardly passes while anything runs, and goes on to the next timer when everything waits. So a test of what
happens when a deadline passes takes no time, and ends in the same way on a machine that has much else to do. Where
something from outside the loop takes part, a device, a socket or a thread, time goes by as everybody's does.

A folder of tests uses it by importing `pytest_asyncio_loop_factories` and `alarms_of_the_loop` into its conftest.py.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from drivers.sim import alarm

_START_S = 1000.0
#: What a turn of the loop takes: so who goes round and round comes to an instant too, and no two are the same.
_TURN_S = 20e-6
#: The loop's own end of the pipe by which threads wake it.
_OWN = 1


class _Waiting(selectors.EpollSelector):
    """Waits for the loop, and is its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = _START_S
        #: Works in the threads of an executor.
        self.outside = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self._is_joined():
            began = time.monotonic()
            ready = super().select(timeout)
            self.now += time.monotonic() - began
            return ready
        ready = super().select(0)
        self.now += _TURN_S if ready else max(_TURN_S, timeout)
        return ready

    def _is_joined(self) -> bool:
        """Whether anybody from outside takes part."""
        return (
            self.outside > 0
            or len(self.get_map()) > _OWN
            or any(thread.name.startswith("apart ") for thread in threading.enumerate())
        )


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes on when everything in it waits."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        """Seconds, as everything in the loop sees them."""
        return self._waiting.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """As ever; until it is done, time is everybody's."""
        future = super().run_in_executor(executor, func, *args)
        self._waiting.outside += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self._waiting.outside -= 1


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Asked for by pytest-asyncio."""
    if item.get_closest_marker("real_time"):
        return {"real time": asyncio.new_event_loop}
    return {"own time": OwnTimeLoop}


@pytest.fixture(autouse=True)
def alarms_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated modems answer at an instant of the loop's time, instead of that of a thread."""
    monkeypatch.setattr(alarm.ALARM, "call_later", _call_later)


def _call_later(seconds: float, work: Callable[[], object]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, work)
