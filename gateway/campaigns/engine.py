"""Runs every campaign that has something to do: one task each, on one host at a time.

Which host it is stands in the campaign's row, with until when: so a host that is gone is followed by another. Two that
work on one campaign at once would only be in each other's way: what keeps everybody from a second message is the key of
the members, and the transaction that queues looks at the campaign itself.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from gateway.campaigns.deciding import Judge
from gateway.campaigns.ending import Ending
from gateway.campaigns.opening import Openings
from gateway.campaigns.pacing import Pace
from gateway.campaigns.people import People
from gateway.campaigns.preparing import Preparer
from gateway.campaigns.queueing import Queueing
from gateway.campaigns.recurrent import Recurrent
from gateway.campaigns.starting import Starter
from gateway.campaigns.stored import wanted_of_json
from gateway.campaigns.tracking import Deciding, NoDeciding, NoTracking, Tracking
from gateway.campaigns.worker import Remembered, Tools, Worker
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import StoreClosed, Unavailable
from gateway.ids import IdSource
from gateway.outbound.intake import Intake
from gateway.people.audience import Audience
from gateway.people.rendering import Renderer
from gateway.store import campaigns
from gateway.store.database import Store

log = logging.getLogger(__name__)

#: How long a host that says nothing keeps a campaign, and how often it says something.
LEASE_US: Final = 30 * SECOND_US
_RENEW_US: Final = 10 * SECOND_US
#: How long what another host did to a campaign can go unnoticed.
_LOOK_US: Final = 5 * SECOND_US
_AGAIN_US: Final = 10 * SECOND_US
#: So many run at once; the others wait for their turn.
_MOST: Final = 32


class Campaigning:
    """The engine of one host."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        intake: Intake,
        audience: Audience,
        renderer: Renderer,
        nudge: Callable[[], None],
        tracking: Tracking | None = None,
        deciding: Deciding | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        #: Names this process where it works on a campaign.
        self._node = f"{settings.gateway.node[:40]}/"
        self.me = f"{self._node}{secrets.token_hex(6)}"
        tracking = tracking or NoTracking()
        people = People(store, clock, audience)
        self.starter = Starter(store, clock, audience=audience, people=people, renderer=renderer, tracking=tracking)
        self.renderer = renderer
        self.recurrent = Recurrent(settings, store, clock, ids, starter=self.starter, me=self.me)
        self.preparer = Preparer(store, renderer, tracking)
        self._tools = self._tools_of(settings, people, intake, nudge=nudge, tracking=tracking, deciding=deciding)
        self._changed = asyncio.Event()
        self._workers: dict[str, asyncio.Task[int | None]] = {}
        self._remembered: dict[str, Remembered] = {}
        self._renewed_us = 0

    def _tools_of(
        self,
        settings: Settings,
        people: People,
        intake: Intake,
        *,
        nudge: Callable[[], None],
        tracking: Tracking,
        deciding: Deciding | None,
    ) -> Tools:
        return Tools(
            self._store,
            self._clock,
            people,
            self.preparer,
            Queueing(self._store, self._clock, intake, tracking, self.me),
            Judge(self._store, deciding or NoDeciding()),
            Openings(settings),
            Ending(self._store, self._clock),
            self.recurrent,
            nudge,
            asyncio.Lock(),
        )

    def nudge(self) -> None:
        """Something was done to a campaign."""
        self._changed.set()

    async def run(self) -> None:
        """Work, until cancelled. What this host worked on before it was started anew it takes up at once."""
        mine, freed = self._node if self._store.engine.shared else None, False
        try:
            while True:
                self._changed.clear()
                try:
                    if not freed:
                        await self._store.write(lambda connection: campaigns.free(connection, mine))
                        freed = True
                    until_us = await self._look()
                except StoreClosed:
                    raise
                except Unavailable as error:
                    log.error("the store refused", extra={"action": "campaigns_refused", "code": error.code})
                    until_us = self._clock.now_us() + _LOOK_US
                await self._clock.wait(self._changed, until_us)
        finally:
            for task in self._workers.values():
                task.cancel()
            await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def once(self) -> int | None:
        """Do all that is due now, to its end; when there is something to do again."""
        while True:
            until_us = await self._look()
            if not self._workers:
                return until_us
            await asyncio.wait(list(self._workers.values()))

    async def _look(self) -> int | None:
        """Begin work on what is due; when to look again."""
        now_us = self._clock.now_us()
        await self._renew(now_us)
        room = _MOST - len(self._workers)
        rows = await self._store.read(lambda connection: campaigns.due(connection, now_us, self.me, 2 * _MOST))
        for row in rows:
            if row.id not in self._workers and room > 0:
                room -= 1
                await self._begin(row.id, now_us)
        next_us = await self._store.read(lambda connection: campaigns.next_us_behind(connection, now_us))
        instants = [] if next_us is None else [next_us]
        if self._workers or rows:
            instants.append(now_us + _RENEW_US)
        if self._store.engine.shared or len(rows) > len(self._workers):
            instants.append(now_us + _LOOK_US)
        return min(instants, default=None)

    async def _renew(self, now_us: int) -> None:
        if not self._workers or now_us < self._renewed_us + _RENEW_US:
            return
        self._renewed_us = now_us
        mine = list(self._workers)

        def work(connection: Connection) -> None:
            for each in mine:
                campaigns.claim(connection, each, self.me, now_us, now_us + LEASE_US)

        await self._store.write(work)

    async def _begin(self, campaign_id: str, now_us: int) -> None:
        def work(connection: Connection) -> str | None:
            if not campaigns.claim(connection, campaign_id, self.me, now_us, now_us + LEASE_US):
                return None
            row = campaigns.get(connection, campaign_id)
            return None if row is None else row.wanted

        wanted = await self._store.write(work)
        if wanted is None:
            return
        pace = Pace(wanted_of_json(wanted).per_minute)
        remembered = self._remembered.setdefault(campaign_id, Remembered(pace))
        task = asyncio.create_task(self._work(campaign_id, remembered), name=f"campaign {campaign_id}")
        self._workers[campaign_id] = task

    async def _work(self, campaign_id: str, remembered: Remembered) -> int | None:
        """Work on one, and say when it is to be looked at again. Until it was given back nobody begins it anew: giving
        back would take it from them."""
        seen_us = self._clock.now_us()
        try:
            next_us = await self._tried(campaign_id, remembered)
            if next_us is None:
                self._remembered.pop(campaign_id, None)
            await self._leave(campaign_id, next_us, seen_us)
        finally:
            self._workers.pop(campaign_id, None)
            self._changed.set()
        return next_us

    async def _tried(self, campaign_id: str, remembered: Remembered) -> int | None:
        """Work on one; what goes wrong with it is tried again later."""
        try:
            return await Worker(self._tools, campaign_id, remembered).work()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "campaign_refused", "code": error.code})
        except Exception:
            log.exception("a campaign failed", extra={"action": "campaign_failed", "campaign": campaign_id})
        return self._clock.now_us() + _AGAIN_US

    async def _leave(self, campaign_id: str, next_us: int | None, seen_us: int) -> None:
        """Give it back with the moment of the next look, unless somebody asked for an earlier one meanwhile."""
        try:
            await self._store.write(
                lambda connection: campaigns.leave(connection, campaign_id, self.me, next_us, seen_us)
            )
        except Unavailable as error:
            # Its lease ends by itself, and it is looked at again.
            log.error("the store refused", extra={"action": "campaign_refused", "code": error.code})
