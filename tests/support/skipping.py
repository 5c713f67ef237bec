"""An event loop whose time passes at once when nobody has anything to do: for deadlines of minutes, as they are."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Skipping(selectors.SelectSelector):
    """Never sleeps while a timer runs; `now` is by how much it has not."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(timeout if timeout is None else 0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


async def pass_time(seconds: float) -> None:
    """Let so many seconds of this loop's time pass."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


def in_skipped_time(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run `work`, which waits for timers and for itself alone: no port, socket or thread keeps its own time here."""
    with asyncio.Runner(loop_factory=_SkippingLoop) as runner:
        return runner.run(work)
