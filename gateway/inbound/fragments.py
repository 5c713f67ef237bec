"""Long messages that never became whole: after a day what came of them is shown as it is.

A part may be lost on the way; the words that did arrive, a STOP among them, must not be.
"""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import StoreClosed
from gateway.inbound.inbox import Inbox
from gateway.store.database import Store

log = logging.getLogger(__name__)

# They are a day old when they are shown; an hour more or less is nothing.
_EVERY_US = 3600 * SECOND_US


class Fragments:
    """Looks once an hour, until it is cancelled."""

    def __init__(self, store: Store, clock: Clock, inbox: Inbox, node: str) -> None:
        self._store = store
        self._clock = clock
        self._inbox = inbox
        self._node = node

    async def run(self) -> None:
        """Give up what is too old, now and once an hour."""
        while True:
            try:
                await self._store.write(self._give_up)
            except StoreClosed:
                return
            except Exception:
                log.exception("fragments failed", extra={"action": "fragments_failed"})
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _EVERY_US)

    def _give_up(self, connection: Connection) -> int:
        return self._inbox.give_up(connection, self._node, self._clock.now_us())
