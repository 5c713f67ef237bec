"""A task that looks, does what is due, and sleeps until it has to look again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.clock import SECOND_US, Clock
from gateway.errors import StoreClosed, Unavailable

log = logging.getLogger(__name__)

# After the store refused, or what was met is a defect of ours. Nothing here is urgent.
_PAUSE_US = 60 * SECOND_US


async def go_round(clock: Clock, name: str, look: Callable[[], Awaitable[int]]) -> None:
    """Call `look` again and again, at the instant that it returned; ends with the store."""
    while True:
        until_us = clock.now_us() + _PAUSE_US
        try:
            until_us = await look()
        except StoreClosed:
            return
        except Unavailable as error:
            log.error("the store refused", extra={"action": f"{name}_refused", "code": error.code})
        except Exception:
            log.exception("a round failed", extra={"action": f"{name}_failed"})
        await clock.wait(asyncio.Event(), until_us)
