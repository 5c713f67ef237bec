"""Waiting for what other processes do, with a bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0


async def until(condition: Callable[[], bool], *, step_s: float = 0.02, patience_s: float = PATIENCE_S) -> float:
    """Return the monotonic instant at which the condition was seen to hold; `TimeoutError` after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        await asyncio.sleep(step_s)
    return time.monotonic()
