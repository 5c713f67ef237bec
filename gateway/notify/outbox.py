"""Follows the events and leaves what has to be told: the row of an event, written in the transaction of the change that
it tells of, is the outbox. So nothing is told that was undone, and nothing is forgotten that was done, whenever the
process dies; and whoever makes a change pays nothing for it.

Several hosts follow from one cursor. Whoever writes moves it from where it stood; who comes second finds it moved, and
does nothing. While nobody is to be told anything, nothing is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.failpoints import reach
from gateway.notify.event_types import fits
from gateway.notify.shares import target_of_callbacks
from gateway.requests import WebhookView
from gateway.store import deliveries, events, follow, webhooks
from gateway.store.database import Store
from gateway.store.deliveries import NewDelivery
from gateway.store.events import Cursor

log = logging.getLogger(__name__)

_GROUP = 250
#: Other hosts' commits are not heard; ours are, and waited for a little, so that several share the work.
_LOOK_US = 5 * SECOND_US
_PAUSE_US = SECOND_US // 20
# The cursor is kept at the latest behind so many events that nobody wanted.
_UNKEPT = 2000


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was read: from where to where, and what has to be told of it."""

    kept: Cursor
    behind: Cursor
    read: int
    new: Sequence[NewDelivery]
    is_wanted: bool


class Outbox:
    """Leaves deliveries of what happened. `on_left` is told when it has left some; `callbacks`: whether messages may
    have them."""

    def __init__(self, store: Store, clock: Clock, *, callbacks: bool) -> None:
        self._store = store
        self._clock = clock
        self._callbacks = callbacks
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._is_wanted = True
        # How far was read since the cursor was last kept, and from where that was.
        self._ahead: tuple[Cursor, Cursor] | None = None
        self._unkept = 0
        self.on_left = lambda: None

    def changed(self) -> None:
        """Endpoints are others now."""
        self._changed.set()
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._begin()
        self._store.bells.add(self._news)
        try:
            while True:
                if not await self._followed():
                    await self._wait()
        finally:
            self._store.bells.discard(self._news)

    async def _followed(self) -> bool:
        """A group; whether there may be more."""
        try:
            return await self._follow()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "outbox_refused", "code": error.code})
            return False

    async def _begin(self) -> None:
        """Where nobody could be told anything while we were away, nothing of that time is read."""
        if self._callbacks or self._store.engine.shared:
            return

        def work(connection: Connection) -> None:
            if not webhooks.live(connection):
                follow.pass_over(connection, follow.WEBHOOKS)

        try:
            await self._store.write(work)
        except Unavailable as error:
            log.error("the store refused", extra={"action": "outbox_refused", "code": error.code})

    async def _wait(self) -> None:
        if self._is_wanted:
            await self._clock.wait(self._news, self._clock.now_us() + _LOOK_US)
            await self._clock.wait(self._changed, self._clock.now_us() + _PAUSE_US)
        else:
            shared = self._store.engine.shared
            await self._clock.wait(self._changed, self._clock.now_us() + _LOOK_US if shared else None)
        self._news.clear()
        self._changed.clear()

    async def _follow(self) -> bool:
        """Read a group and leave what has to be told of it; whether there may be more."""
        plan = await self._store.read(self._plan)
        self._is_wanted = plan.is_wanted
        self._unkept += plan.read
        if plan.new or self._unkept >= _UNKEPT:
            reach("followed")
            now_us = self._clock.now_us()
            moved = await self._store.write(lambda connection: _leave(connection, plan, now_us))
            self._ahead, self._unkept = None, 0
            if moved and plan.new:
                self.on_left()
        elif plan.read:
            self._ahead = (plan.kept, plan.behind)
        return plan.read >= _GROUP

    def _plan(self, connection: Connection) -> _Plan:
        kept = follow.standing(connection, follow.WEBHOOKS)
        if not self._callbacks and not webhooks.live(connection):
            return _Plan(kept, kept, 0, (), is_wanted=False)
        start = self._ahead[1] if self._ahead is not None and self._ahead[0] == kept else kept
        rows, behind = events.after(connection, start, _GROUP)
        # After the events: of an endpoint that was made between the two, what happened after it would else be missed.
        endpoints = webhooks.live(connection)
        return _Plan(kept, behind, len(rows), self._wanted(connection, rows, endpoints), is_wanted=True)

    def _wanted(
        self, connection: Connection, rows: Sequence[Any], endpoints: Sequence[WebhookView]
    ) -> list[NewDelivery]:
        goals = self._goals(connection, rows)
        new: list[NewDelivery] = []
        for row in rows:
            subject = subject_of(row)
            new += [
                NewDelivery(each.id, row.id, subject)
                for each in endpoints
                if (row.xact or 0, row.id) > each.since and fits(each.types, row.type)
            ]
            if row.message_id in goals and row.type.startswith("message."):
                new.append(NewDelivery(goals[row.message_id], row.id, subject))
        return new

    def _goals(self, connection: Connection, rows: Sequence[Any]) -> dict[str, str]:
        """Where callbacks of these events' messages go, by message."""
        if not self._callbacks:
            return {}
        named = list(dict.fromkeys(row.message_id for row in rows if row.message_id is not None))
        found = deliveries.callbacks_of(connection, named)
        return {row.id: callback_target(row.token_id or 0, row.callback) for row in found}


def _leave(connection: Connection, plan: _Plan, now_us: int) -> bool:
    if not follow.move(connection, follow.WEBHOOKS, plan.kept, plan.behind):
        return False
    if plan.new:
        deliveries.add(connection, plan.new, now_us)
    return True


def subject_of(row: Any) -> str:
    """What an event is about, as far as order goes: a message, an inbox item, else all of its family."""
    return row.message_id or row.inbox_id or row.type.partition(".")[0]


def callback_target(token_id: int, callback: str) -> str:
    """A name for the server that a token's callback goes to, which shares one circuit."""
    parts = urlsplit(str(json.loads(callback)["url"]))
    return target_of_callbacks(
        token_id, hashlib.sha256(f"{parts.scheme}://{parts.netloc.lower()}".encode()).hexdigest()
    )
