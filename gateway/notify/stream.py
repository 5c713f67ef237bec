"""The stream of events: one task reads them, however many listen.

Who listens is first brought up to what was read last, by reading from the store at its own pace, and then handed what
is read for all (`Follower.run`). A listener that falls far behind is let go again, to read for itself from where it
stands; so nothing is left out, nothing comes twice, and nobody waits for another. While nobody listens nothing is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import SECOND_US, Clock
from gateway.config.test_network import Rehearsal
from gateway.errors import StoreClosed, TooMany, Unavailable
from gateway.notify.happenings import Happening, following, visible_to
from gateway.notify.kinds import matches
from gateway.requests import Principal
from gateway.store import events
from gateway.store.database import Store
from gateway.store.events import Cursor

log = logging.getLogger(__name__)

#: Events that are read at once, and that may wait for one listener before it has to read for itself.
GROUP: Final = 200
_MOST_WAITING: Final = 1000
#: Listeners of one token, and of all.
MOST_OF_TOKEN: Final = 8
MOST: Final = 100
#: How long what another host wrote can be missed for.
LOOK_US: Final = 2 * SECOND_US
_PAUSE_US: Final = SECOND_US
# What is read together shares statements; more than this is nobody's patience.
_BETWEEN_US: Final = SECOND_US // 20


@dataclass(frozen=True, slots=True)
class Told:
    """An event for a listener: where that stands who has it, its type and its body."""

    cursor: Cursor
    kind: str
    body: bytes


@dataclass(eq=False)
class Listening:
    """One who listens; made by `Follower.open`."""

    principal: Principal
    kinds: Collection[str]
    rehearsal: Rehearsal
    #: Everything up to here was looked at for this listener.
    cursor: Cursor
    waiting: deque[Told] = field(default_factory=deque[Told])
    #: Set when there is something, or when it is over.
    news: asyncio.Event = field(default_factory=asyncio.Event)
    live: bool = False

    def wants(self, happening: Happening) -> bool:
        """Whether it may see this, and asked for it."""
        return matches(self.kinds, happening.type) and visible_to(self.principal, happening, self.rehearsal)


class Follower:
    """Reads the events for all who listen."""

    def __init__(self, store: Store, clock: Clock, render: Callable[[Happening], bytes], rehearsal: Rehearsal) -> None:
        self._store = store
        self._clock = clock
        self._render = render
        self._rehearsal = rehearsal
        self._listening: set[Listening] = set()
        self._cursor = Cursor()
        #: Set after each commit of this process, and when somebody begins to listen.
        self._news = asyncio.Event()
        self._closed = False

    async def open(self, principal: Principal, after: Cursor | None, kinds: Collection[str]) -> Listening:
        """Begin to listen behind `after`, None for now. `TooMany` and `Unavailable` where too many listen."""
        if self._closed:
            raise StoreClosed
        mine = sum(each.principal.token_id == principal.token_id for each in self._listening)
        if mine >= MOST_OF_TOKEN or len(self._listening) >= MOST:
            # Those whose client is gone find out when they look.
            self.wake()
        if mine >= MOST_OF_TOKEN:
            raise TooMany("streams_full", f"this token has {MOST_OF_TOKEN} streams already", retry_after_s=1)
        if len(self._listening) >= MOST:
            raise Unavailable("streams_full", f"{MOST} streams are open already")
        made = Listening(principal, kinds, self._rehearsal, after or Cursor())
        self._listening.add(made)
        if after is None:
            try:
                made.cursor = await self._store.read(events.newest)
            except BaseException:
                self.leave(made)
                raise
        return made

    def leave(self, listening: Listening) -> None:
        """No more for this one."""
        self._listening.discard(listening)
        listening.live = False
        if not self._listening:
            self._store.bells.discard(self._news)

    def wake(self) -> None:
        """Let every listener look whether it may still listen."""
        for each in self._listening:
            each.news.set()

    def close(self) -> None:
        """The end: whoever listens is told so."""
        self._closed = True
        self.wake()

    async def next(self, listening: Listening, until_us: int) -> Sequence[Told] | None:
        """What comes next for this one; nothing when that is nothing until then, or when it was woken. None at the
        end."""
        while not self._closed:
            if listening.waiting:
                return self._taken(listening)
            if not listening.live:
                found = await self._read_for(listening)
                if found or self._clock.now_us() >= until_us:
                    return found
                continue
            listening.news.clear()
            await self._clock.wait(listening.news, until_us)
            return self._taken(listening) if not self._closed else None
        return None

    def _taken(self, listening: Listening) -> Sequence[Told]:
        taken = list(listening.waiting)
        listening.waiting.clear()
        return taken

    async def _read_for(self, listening: Listening) -> Sequence[Told]:
        """One group from the store for one listener; one that has come to where the follower is goes on with all."""
        try:
            found, cursor = await self._store.read(lambda connection: following(connection, listening.cursor, GROUP))
        except StoreClosed:
            raise
        except Unavailable:
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
            return ()
        listening.cursor = cursor
        if not found and (not self._has_live or _place(cursor) >= _place(self._cursor)):
            self._join(listening)
        return [Told(each.cursor, each.type, self._render(each)) for each in found if listening.wants(each)]

    @property
    def _has_live(self) -> bool:
        return any(each.live for each in self._listening)

    def _join(self, listening: Listening) -> None:
        if not self._has_live:
            self._cursor = listening.cursor
        listening.live = True
        self._store.bells.add(self._news)
        self._news.set()

    async def run(self) -> None:
        """Read for all who listen, until cancelled."""
        while True:
            until_us = self._clock.now_us() + LOOK_US if self._has_live else None
            await self._clock.wait(self._news, until_us)
            self._news.clear()
            if not self._has_live:
                continue
            try:
                more = await self._step()
            except StoreClosed:
                return
            except Unavailable as error:
                log.error("the store refused", extra={"action": "events_refused", "code": error.code})
                more = False
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
            except Exception:
                log.exception("events could not be read", extra={"action": "events_failed"})
                more = False
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)
            if more:
                self._news.set()
            else:
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _BETWEEN_US)

    async def _step(self) -> bool:
        """Read one group and hand it round; whether there may be more."""
        begun = self._cursor
        found, cursor = await self._store.read(lambda connection: following(connection, begun, GROUP))
        if self._cursor is not begun:
            # All have left meanwhile, and somebody has joined from elsewhere.
            return True
        self._cursor = cursor
        for happening in found:
            self._hand_round(happening)
        return len(found) == GROUP

    def _hand_round(self, happening: Happening) -> None:
        body: bytes | None = None
        place = _place(happening.cursor)
        for listening in self._listening:
            if not listening.live or place <= _place(listening.cursor):
                continue
            if len(listening.waiting) >= _MOST_WAITING:
                listening.live = False
                continue
            listening.cursor = happening.cursor
            if listening.wants(happening):
                body = self._render(happening) if body is None else body
                listening.waiting.append(Told(happening.cursor, happening.type, body))
                listening.news.set()


def _place(cursor: Cursor) -> tuple[int, int]:
    return cursor.xact, cursor.id
