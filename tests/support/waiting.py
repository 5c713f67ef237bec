"""Waiting for a condition that nothing announces: bounded, and in steps far too short to be a schedule."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_STEP_S = 0.005


async def eventually(condition: Callable[[], T | Awaitable[T]], timeout: float = 5.0, what: str = "") -> T:  # noqa: ASYNC109 - the bound is the point
    """The first truthy value of `condition`, plain or awaitable; `AssertionError` after `timeout` seconds.

    Prefer an event where there is one. `what` says in the failure what was waited for.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + timeout
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if now() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(_STEP_S)


def eventually_sync(condition: Callable[[], T], timeout: float = 5.0, what: str = "") -> T:
    """The same for tests without an event loop, such as those that drive other programs."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what or inspect.getsource(condition).strip()}")
        time.sleep(_STEP_S)
    return value
