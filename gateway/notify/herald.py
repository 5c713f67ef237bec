"""Finds among the events what channels have to carry: messages that could not arrive, replies and calls to be
forwarded, and what an operator is told of.

It has a cursor of its own, which moves in the transaction that leaves what has to be carried: nothing is lost by a
crash, and nothing is left twice. Only events of the types that concern it are read, once a second at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.failpoints import reach
from gateway.notify import fallbacks
from gateway.notify.alarms import LOOKED_AT, ONCE, Alarms
from gateway.notify.fallbacks import Fallbacks
from gateway.notify.forwards import KINDS as FORWARDED
from gateway.notify.forwards import Forwards
from gateway.store import events, follow, notices
from gateway.store.database import Store
from gateway.store.events import Cursor

log = logging.getLogger(__name__)

_GROUP: Final = 200
_PAUSE_US: Final = SECOND_US
#: Other hosts' commits are not heard.
_LOOK_US: Final = 10 * SECOND_US
#: Where nothing concerned it, how far it has read is kept so often.
_KEEP_US: Final = 60 * SECOND_US
#: What nobody could be told of for so long, since the gateway was off, is no news.
_NEWS_US: Final = 24 * 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: from where to where."""

    kept: Cursor
    behind: Cursor
    rows: Sequence[Any]
    more: bool


class Herald:
    """Follows the events. `on_left` is called when it has left something to be carried."""

    def __init__(self, store: Store, clock: Clock, *, falls: Fallbacks, forwards: Forwards, alarms: Alarms) -> None:
        self._store = store
        self._clock = clock
        self._fallbacks = falls
        self._forwards = forwards
        self._alarms = alarms
        self._kinds = (*fallbacks.KINDS, *forwards.kinds, *alarms.kinds)
        self._news = asyncio.Event()
        # How far was read since the cursor was last kept, from where that was, and when.
        self._ahead: tuple[Cursor, Cursor] | None = None
        self._kept_us = 0
        self.on_left: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Follow until cancelled."""
        self._store.bells.add(self._news)
        try:
            while True:
                if not await self._followed():
                    await self._wait()
        finally:
            self._store.bells.discard(self._news)

    async def _wait(self) -> None:
        shared = self._store.engine.shared
        await self._clock.wait(self._news, self._clock.now_us() + _LOOK_US if shared else None)
        # Several commits share a look.
        await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
        self._news.clear()

    async def _followed(self) -> bool:
        try:
            return await self.follow()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "herald_refused", "code": error.code})
            return False

    async def follow(self) -> bool:
        """Read a group and leave what has to be carried; whether there may be more."""
        read = await self._store.read(self._read)
        if read is None:
            await self._store.write(_begin)
            return True
        now_us = self._clock.now_us()
        if read.rows or (read.behind != read.kept and now_us - self._kept_us >= _KEEP_US):
            reach("heralded")
            await self._store.write(lambda connection: self._leave(connection, read, now_us))
            self._ahead, self._kept_us = None, now_us
            if read.rows:
                self.on_left()
            if any(row.type in LOOKED_AT for row in read.rows):
                self._alarms.nudge()
        else:
            self._ahead = (read.kept, read.behind)
        return read.more

    def _read(self, connection: Connection) -> _Read | None:
        if not follow.has_begun(connection, follow.CHANNELS):
            return None
        kept = follow.standing(connection, follow.CHANNELS)
        start = self._ahead[1] if self._ahead is not None and self._ahead[0] == kept else kept
        # First the end: what is committed between the two statements is read the next time.
        end = follow.end_of_all(connection)
        rows, more = events.among(connection, self._kinds, start, _GROUP)
        rows = [row for row in rows if (row.xact or 0, row.id) <= (end.xact, end.id) or not end.xact]
        if more and rows:
            shared = self._store.engine.shared
            return _Read(kept, Cursor(rows[-1].xact if shared else 0, rows[-1].id), rows, more=True)
        return _Read(kept, end, rows, more=False)

    def _leave(self, connection: Connection, read: _Read, now_us: int) -> None:
        if not follow.move(connection, follow.CHANNELS, read.kept, read.behind):
            return
        ended = [row.message_id for row in read.rows if row.type in fallbacks.KINDS]
        self._fallbacks.leave(connection, ended, now_us)
        fresh = [row for row in read.rows if row.at_us > now_us - _NEWS_US]
        forwarded = [row.id for row in fresh if row.type in FORWARDED]
        notices.add(connection, self._forwards.of(connection, forwarded), now_us)
        self._alarms.happened(connection, [row for row in fresh if row.type in ONCE], now_us)


def _begin(connection: Connection) -> None:
    """What was before there were channels is passed over."""
    if not follow.has_begun(connection, follow.CHANNELS):
        follow.pass_over(connection, follow.CHANNELS)
