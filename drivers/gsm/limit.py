"""The deadline of what a channel waits for, with one timer for many waits.

`asyncio.timeout` makes a timer for each wait and takes it back, and a submit waits three times; nearly all of these end
long before their time. Here the timer stays. When it rings, and what is waited for now may take longer, it is set anew.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self


class Limit:
    """That of one channel: one thing is waited for at a time."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._until: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._expired = False

    def of(self, seconds: float) -> Self:
        """What is done in this `with` takes no longer; else `TimeoutError` ends it, as `asyncio.timeout` does."""
        assert self._until is None, "one thing is waited for at a time"
        self._until = asyncio.get_running_loop().time() + seconds
        return self

    def __enter__(self) -> None:
        assert self._until is not None
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling, self._expired = task, task.cancelling(), False
        if self._timer is None or self._timer.when() > self._until:
            self._set(self._until)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task, self._until = self._task, None, None
        if not self._expired:
            return
        assert task is not None
        # Whoever else cancelled the task meanwhile is heard.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def close(self) -> None:
        """Let the timer go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, until: float) -> None:
        self.close()
        self._timer = asyncio.get_running_loop().call_at(until, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._until is None or self._task is None:
            return
        if asyncio.get_running_loop().time() < self._until:
            self._set(self._until)
            return
        self._expired = True
        self._task.cancel()
