"""Room for others: requests, and what sends, beside work that would take whatever it is given."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.clock import SECOND_US

# Of the time that a transaction takes, so much is left to others after it.
_REST: Final = 0.25
#: A longer one has waited itself, for a disk or a database, and let others in by that.
_LONGEST_US: Final = SECOND_US // 2


async def rest(took_us: int) -> None:
    """Let others in, after a transaction that took so long from when it was handed over."""
    await asyncio.sleep(min(took_us, _LONGEST_US) * _REST / SECOND_US)
