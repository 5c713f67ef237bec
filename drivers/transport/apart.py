"""What the system may block is done in a thread of its own: a dead device then keeps nobody but itself waiting.

No pool: a few calls that hang would use it up for every other modem. A call that is given up goes on behind; until it
ends, nothing else is begun under its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_hanging: set[str] = set()


class StillHangingError(Exception):
    """An earlier call of that name has not come back."""


async def run_apart(
    name: str, work: Callable[[], T], seconds: float, discard: Callable[[T], object] = lambda _: None
) -> T:
    """What `work` returns or raises; TimeoutError after `seconds`, `StillHangingError` while an earlier one hangs.

    `discard` is given, in the thread, the result of a call that was given up.
    """
    if name in _hanging:
        raise StillHangingError(name)
    _hanging.add(name)
    call = _Call(name, work, discard)
    threading.Thread(target=call.run, name=f"apart {name}", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await call.done
    except BaseException:
        call.give_up()
        raise


class _Call(Generic[T]):
    """One call: `run` is the thread's, everything else the loop's."""

    def __init__(self, name: str, work: Callable[[], T], discard: Callable[[T], object]) -> None:
        self._name = name
        self._work = work
        self._discard = discard
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._given_up = False
        self.done: asyncio.Future[T] = self._loop.create_future()

    def run(self) -> None:
        try:
            result = self._work()
        except Exception as error:  # noqa: BLE001 - it is raised where it was called
            _hanging.discard(self._name)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                self._loop.call_soon_threadsafe(self._fail, error)
            return
        _hanging.discard(self._name)
        with self._lock, contextlib.suppress(RuntimeError):
            if not self._given_up:
                self._loop.call_soon_threadsafe(self._succeed, result)
                return
        self._discard(result)

    def give_up(self) -> None:
        """Nobody waits any more: what comes, or has come and was not taken, is discarded."""
        with self._lock:
            self._given_up = True
        if self.done.done() and not self.done.cancelled() and self.done.exception() is None:
            self._discard(self.done.result())

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _succeed(self, result: T) -> None:
        if self.done.done():
            self._discard(result)
        else:
            self.done.set_result(result)
