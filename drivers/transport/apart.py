"""What the system may block is done in a thread of its own: a dead device then keeps nobody but itself waiting.

No pool: a few calls that hang would use it up for every other modem. A call that is given up goes on behind; until it
ends, nothing else is begun under its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

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
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    lock, given_up = threading.Lock(), False

    def fail(error: Exception) -> None:
        if not done.done():
            done.set_exception(error)

    def succeed(result: T) -> None:
        if done.done():
            discard(result)
        else:
            done.set_result(result)

    def call() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is raised where it was called
            _hanging.discard(name)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(fail, error)
            return
        _hanging.discard(name)
        with lock:
            if not given_up:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(succeed, result)
                    return
        discard(result)

    _hanging.add(name)
    threading.Thread(target=call, name=f"apart {name}", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await done
    except BaseException:
        with lock:
            given_up = True
        if done.done() and not done.cancelled() and done.exception() is None:
            discard(done.result())
        raise
