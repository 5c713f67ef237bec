"""Who followed a link, written down in groups: whoever follows one waits for nobody, and sending is not slowed down.

A visit is in the store within about a second, and before the gateway ends. Nobody can fill the store by following one
link again and again: so many visits of a link are kept, and so many wait to be written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.rules.visitors import PERSON
from gateway.store import events, short_links
from gateway.store.database import Store
from gateway.store.schema import AnyRow
from gateway.store.short_links import Visit

log = logging.getLogger(__name__)

#: Of one link, people and programs together.
MOST_OF_A_LINK: Final = 1000
#: That wait to be written.
MOST_WAITING: Final = 20_000
#: In one transaction: some hundredths of a second.
GROUP: Final = 250
# Between two groups when many come, in seconds; and after the store has refused.
_PAUSE_S: Final = 0.5
_AGAIN_S: Final = 1.0


class Clicks:
    """The visits of one gateway's listener."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[Visit] = deque()
        self._noted = asyncio.Event()
        self._ended = asyncio.Event()
        self._lost = 0
        self._turn = asyncio.Lock()

    def note(self, code: str, agent: str) -> None:
        """Somebody comes now; `agent` is a word of `gateway.rules.visitors`."""
        if len(self._waiting) >= MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(Visit(code, self._clock.now_us(), agent != PERSON, agent))
        self._noted.set()

    async def run(self) -> None:
        """Write, until `end`. It is not to be cancelled: what is being written could be written twice."""
        while not self._ended.is_set():
            await self._noted.wait()
            await self._rest(_PAUSE_S if await self._try() else _AGAIN_S)
        if not await self._try():
            log.error("visits of links are lost", extra={"action": "clicks_lost", "visits": len(self._waiting)})

    def end(self) -> None:
        """Nobody comes any more: `run` writes what there is, and returns."""
        self._ended.set()
        self._noted.set()

    async def _try(self) -> bool:
        try:
            await self.write()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "clicks_refused", "code": error.code})
            return False
        except Exception:
            log.exception("visits of links could not be written", extra={"action": "clicks_failed"})
            return False
        return True

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def write(self) -> None:
        """Write all that was noted. Raises `Unavailable` where the store refuses; what is not written stays."""
        async with self._turn:
            while self._waiting:
                group = [self._waiting[at] for at in range(min(GROUP, len(self._waiting)))]
                await self._store.write(lambda connection, group=group: _write(connection, group))
                for _ in group:
                    self._waiting.popleft()
            self._noted.clear()
        if self._lost:
            log.warning("more visits of links came than could be counted", extra={"visits": self._lost})
            self._lost = 0


def _write(connection: Connection, group: Sequence[Visit]) -> None:
    known = short_links.known(connection, list(dict.fromkeys(each.code for each in group)))
    visits = {code: row.visits for code, row in known.items()}
    people = {code: row.clicks for code, row in known.items()}
    kept: list[Visit] = []
    for each in group:
        if each.code in visits and visits[each.code] < MOST_OF_A_LINK:
            visits[each.code] += 1
            kept.append(each)
            if not each.bot:
                people[each.code] += 1
                _record(connection, each, known[each.code], first=people[each.code] == 1)
    short_links.visit(connection, kept)


def _record(connection: Connection, visit: Visit, row: AnyRow, *, first: bool) -> None:
    """Append `link.clicked`. The link itself may name a person, so it is not told."""
    facts = {"campaign": row.campaign_id, "variant": row.variant, "message": row.message_id, "first": first}
    detail = "a link of it was followed" + (" for the first time" if first else "")
    events.record(connection, visit.at_us, "link.clicked", message_id=row.message_id, detail=detail, facts=facts)
