"""Keeps the numbers of contacts clean: marks those at which nothing will ever arrive, and takes the mark back when
something did.

It follows the events with a cursor of its own, a group at a time and once in two seconds at most: sending pays nothing
for it but a look at the endings of messages to contacts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.message import Status
from gateway.people.hygiene_causes import CAUSES, DOUBTFUL, verdict_of
from gateway.store import contacts_written, events, follow, hygiene
from gateway.store.database import Store
from gateway.store.events import Cursor

log = logging.getLogger(__name__)

READER: Final = "hygiene"
_KINDS: Final = tuple(f"message.{each}" for each in (Status.DELIVERED, Status.UNDELIVERED, Status.FAILED))
_GROUP: Final = 500
_PAUSE_US: Final = 2 * SECOND_US
#: Other hosts' commits are not heard.
_LOOK_US: Final = 20 * SECOND_US
#: Where nothing concerned it, how far it has read is kept so often.
_KEEP_US: Final = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class _Seen:
    """A group of events: from where to where, who is dead by them (person, since when, code), and who lives."""

    kept: Cursor
    behind: Cursor
    dead: Sequence[tuple[int, int, str]]
    alive: Sequence[int]
    more: bool


class Hygiene:
    """Follows what became of messages, until cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._news = asyncio.Event()
        # How far was read since the cursor was last kept, from where that was, and when.
        self._ahead: tuple[Cursor, Cursor] | None = None
        self._kept_us = 0

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
        # Many commits share a look.
        await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
        self._news.clear()

    async def _followed(self) -> bool:
        try:
            return await self.follow()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "hygiene_refused", "code": error.code})
            return False

    async def follow(self) -> bool:
        """Read a group and write what follows from it; whether there may be more."""
        seen = await self._store.read(self._read)
        if seen is None:
            await self._store.write(_begin)
            return True
        now_us = self._clock.now_us()
        late = seen.behind != seen.kept and now_us - self._kept_us >= _KEEP_US
        if seen.dead or seen.alive or late:
            await self._store.write(lambda connection: _write(connection, seen))
            self._ahead, self._kept_us = None, now_us
        else:
            self._ahead = (seen.kept, seen.behind)
        return seen.more

    def _read(self, connection: Connection) -> _Seen | None:
        if not follow.has_begun(connection, READER):
            return None
        kept = follow.standing(connection, READER)
        start = self._ahead[1] if self._ahead is not None and self._ahead[0] == kept else kept
        # First the end: what is committed between the two statements is read the next time.
        end = follow.end_of_all(connection)
        rows, more = events.among(connection, _KINDS, start, _GROUP)
        rows = [row for row in rows if (row.xact or 0, row.id) <= (end.xact, end.id) or not end.xact]
        dead, alive = _judged(connection, rows)
        if more and rows:
            shared = self._store.engine.shared
            return _Seen(kept, Cursor(rows[-1].xact if shared else 0, rows[-1].id), dead, alive, more=True)
        return _Seen(kept, end, dead, alive, more=False)


def _judged(connection: Connection, rows: Sequence[Any]) -> tuple[list[tuple[int, int, str]], list[int]]:
    """Who is dead and who lives, as the messages stand now: later evidence may have changed what an event said."""
    at = {row.message_id: row.at_us for row in rows}
    dead: dict[int, tuple[int, str]] = {}
    alive: set[int] = set()
    for found in hygiene.of_messages(connection, [*at]):
        person = found.recipient_id
        if found.status == Status.DELIVERED:
            if found.dead_us is not None and found.dead_us <= at[found.id]:
                alive.add(person)
        elif found.dead_us is None and found.error_code in CAUSES and person not in dead:
            code = verdict_of(hygiene.endings(connection, person, DOUBTFUL))
            if code is not None:
                dead[person] = (at[found.id], code)
    return [(person, *found) for person, found in dead.items()], sorted(alive)


def _write(connection: Connection, seen: _Seen) -> None:
    if follow.move(connection, READER, seen.kept, seen.behind):
        contacts_written.mark_alive(connection, seen.alive)
        contacts_written.mark_dead(connection, seen.dead)


def _begin(connection: Connection) -> None:
    """What was before anybody looked is passed over."""
    if not follow.has_begun(connection, READER):
        follow.pass_over(connection, READER)
