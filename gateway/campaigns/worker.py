"""One campaign at work: what is due of it now, step by step, until there is nothing to do before a later moment.

Each step begins with the campaign as it stands in the store. So whatever somebody did to it meanwhile is seen, and a
step that a crash broke off is taken up by whoever looks next.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.campaign import FROZEN, LIVE, CampaignStatus, CampaignView
from gateway.campaigns import lifecycle, reading
from gateway.campaigns.deciding import GUARD_EVERY_US, Judge, decides_at_us, otherwise_says
from gateway.campaigns.ending import Ending
from gateway.campaigns.opening import Openings
from gateway.campaigns.pacing import Pace
from gateway.campaigns.people import GROUP, People
from gateway.campaigns.preparing import CAMPAIGN_CANCELED, VARIANT_STOPPED, Candidate, Preparer, Ready
from gateway.campaigns.queueing import Checked, NotRunning, Queueing
from gateway.campaigns.recurrent import Recurrent
from gateway.campaigns.stored import decision_to_json
from gateway.campaigns.yielding import rest
from gateway.clock import SECOND_US, Clock
from gateway.config.durations import read_cap
from gateway.errors import TooMany
from gateway.requests import Principal
from gateway.store import campaign_members, campaign_stops, campaigns, events, tokens
from gateway.store.database import Store
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

#: So many messages share a transaction: while it lasts nobody else writes.
SLICE: Final = 32
#: How often a campaign that has queued everything looks whether something of it waits still.
LOOK_US: Final = 2 * SECOND_US
NOBODY_SENDS: Final = "token_revoked"
_GUARD: Final = "guard"
_CANCELED: Final = "its campaign was canceled"
_STOPPED: Final = "its variant was stopped: too many opted out"


@dataclass(slots=True)
class Remembered:
    """What is known of a campaign from one look to the next, in this process alone."""

    pace: Pace
    guarded_us: int = 0
    #: When a live one is gone through again, and by what it was gone through last.
    look_us: int = 0
    seen: object = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What every worker needs."""

    store: Store
    clock: Clock
    people: People
    preparer: Preparer
    queueing: Queueing
    judge: Judge
    openings: Openings
    ending: Ending
    recurrent: Recurrent
    nudge: Callable[[], None]
    #: One group of all campaigns is committed at a time.
    turn: asyncio.Lock


class Worker:
    """Works on one campaign, which this process has claimed."""

    def __init__(self, tools: Tools, campaign_id: str, remembered: Remembered) -> None:
        self._tools = tools
        self._id = campaign_id
        self._remembered = remembered

    async def work(self) -> int | None:
        """Do what is due; when to look again (microseconds UTC), None for never by itself."""
        while True:
            campaign = await self._tools.store.read(lambda connection: reading.find(connection, self._id))
            if campaign is None:
                return None
            again, until_us = await self._step(campaign)
            if not again:
                return until_us

    async def _step(self, campaign: CampaignView) -> tuple[bool, int | None]:
        """Whether to look at once again, else when."""
        if campaign.status is CampaignStatus.CANCELED:
            await self._tools.ending.end(campaign.id, _CANCELED, CAMPAIGN_CANCELED)
            return False, None
        if campaign.status is CampaignStatus.SCHEDULED:
            return await self._tools.recurrent.begin(campaign)
        if campaign.status is not CampaignStatus.RUNNING:
            return False, None
        if campaign.wanted.every is not None:
            return await self._tools.recurrent.run(campaign)
        try:
            return await self._running(campaign)
        except NotRunning:
            return True, None

    async def _running(self, campaign: CampaignView) -> tuple[bool, int | None]:
        now_us = self._tools.clock.now_us()
        if await self._guard(campaign, now_us):
            return True, None
        decides_us = decides_at_us(campaign)
        if decides_us is not None and decides_us <= now_us:
            await self._decide(campaign)
            return True, None
        closed_us = self._tools.openings.closed_until_us(campaign, now_us)
        if closed_us is None:
            open_ = _open_variants(campaign, now_us)
            if open_ and await self._go(campaign, open_):
                return True, None
        return await self._rest(campaign, closed_us)

    # --- queueing

    async def _go(self, campaign: CampaignView, variants: Collection[int]) -> bool:
        """Queue all whose turn it is; True where the campaign has to be looked at anew."""
        seen = (frozenset(variants), campaign.decided_us)
        now_us = self._tools.clock.now_us()
        if campaign.audience == LIVE and self._remembered.seen == seen and not self._looks_again(campaign, now_us):
            return False
        principal = await self._principal(campaign)
        if principal is None:
            await self._tools.store.write(self._pause_revoked)
            return True
        if await self._queue_all(campaign, principal, variants):
            return True
        self._remembered.seen = seen
        self._remembered.look_us = now_us + campaign.wanted.look_every_us
        return False

    def _looks_again(self, campaign: CampaignView, now_us: int) -> bool:
        return campaign.wanted.until_us is not None and now_us >= self._remembered.look_us

    async def _queue_all(self, campaign: CampaignView, principal: Principal, variants: Collection[int]) -> bool:
        """Queue all whose turn it is, a slice being checked while the one before is committed; True where it closed
        meanwhile."""
        flight: asyncio.Task[None] | None = None
        async with aclosing(self._slices(campaign, principal, variants)) as slices:
            try:
                async for checked in slices:
                    if flight is not None:
                        await flight
                    if checked is None:
                        return True
                    flight = asyncio.create_task(self._commit(campaign, checked))
                    if campaign.wanted.per_minute is not None:
                        # Nothing is gained, and whoever stops it is noticed before the next wait.
                        await flight
                if flight is not None:
                    await flight
            finally:
                if flight is not None:
                    await asyncio.wait([flight])
        return False

    async def _slices(
        self, campaign: CampaignView, principal: Principal, variants: Collection[int]
    ) -> AsyncGenerator[Checked | None]:
        """What is to be committed, as fast as the pace lets it; None where its hours end."""
        most = SLICE if principal.rate is None else min(SLICE, read_cap(principal.rate)[0])
        pace, clock = self._remembered.pace, self._tools.clock
        async with aclosing(self._groups(campaign, variants)) as groups:
            async for group in groups:
                done = 0
                while done < len(group):
                    if self._tools.openings.closed_until_us(campaign, clock.now_us()) is not None:
                        yield None
                    room = pace.room(clock.monotonic_us())
                    some = group[done : done + (most if room is None else min(most, room))]
                    if not some:
                        await self._wait(pace.wait_us())
                        continue
                    done += len(some)
                    pace.used(sum(each.new is not None for each in some))
                    yield await self._tools.queueing.check(principal, some)

    async def _groups(self, campaign: CampaignView, variants: Collection[int]) -> AsyncGenerator[Sequence[Ready]]:
        """The people whose turn it is with their messages; the next of them are made while these are queued."""
        groups = self._tools.people.candidates(campaign, variants, most=_group_of(campaign))
        following = asyncio.create_task(self._next(campaign, groups))
        try:
            while (group := await following) is not None:
                following = asyncio.create_task(self._next(campaign, groups))
                yield group
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _next(self, campaign: CampaignView, groups: AsyncIterator[Sequence[Candidate]]) -> Sequence[Ready] | None:
        candidates = await anext(groups, None)
        return None if candidates is None else await self._tools.preparer.ready(campaign, candidates)

    async def _commit(self, campaign: CampaignView, checked: Checked) -> None:
        while True:
            try:
                async with self._tools.turn:
                    began_us = self._tools.clock.monotonic_us()
                    queued = await self._tools.queueing.queue(campaign, checked)
                    await rest(self._tools.clock.monotonic_us() - began_us)
            except TooMany as refusal:
                # The token has no room now; others who are not kept by it go on meanwhile.
                await self._wait(refusal.retry_after_s * SECOND_US)
            else:
                if queued.messages:
                    self._tools.nudge()
                return

    async def _wait(self, for_us: int) -> None:
        await self._tools.clock.wait(asyncio.Event(), self._tools.clock.now_us() + max(for_us, 1000))

    async def _principal(self, campaign: CampaignView) -> Principal | None:
        """Whoever made the campaign; None once that may send nothing more."""
        token_id = campaign.token_id
        if token_id is None:
            return None
        now_us = self._tools.clock.now_us()
        return await self._tools.store.read(lambda connection: tokens.holder(connection, token_id, now_us))

    def _pause_revoked(self, connection: Connection) -> None:
        row = self._locked(connection)
        lifecycle.pause(connection, row, self._tools.clock.now_us(), reason=NOBODY_SENDS)

    # --- what comes of it

    async def _guard(self, campaign: CampaignView, now_us: int) -> bool:
        """Stop what many leave; whether something was stopped."""
        if campaign.wanted.guard is None or now_us < self._remembered.guarded_us + GUARD_EVERY_US:
            return False
        self._remembered.guarded_us = now_us
        leaving = await self._tools.judge.leaving(campaign)
        for variant in leaving:
            await self._tools.store.write(lambda connection, variant=variant: self._stop(connection, variant))
            await self._tools.ending.end(campaign.id, _STOPPED, VARIANT_STOPPED, variant=variant)
        return bool(leaving)

    def _stop(self, connection: Connection, variant: int) -> None:
        row, now_us = self._locked(connection), self._tools.clock.now_us()
        campaign_stops.add(connection, row.id, _GUARD, now_us, variant=variant)
        stopped = json.loads(row.stopped) | {str(variant): _GUARD}
        campaigns.change(connection, row.id, stopped=json.dumps(stopped))
        facts = {"id": row.id, "name": row.name, "variant": reading.view_of(row).wanted.variants[variant].name}
        events.record(connection, now_us, "campaign.variant_stopped", detail="too many opted out", facts=facts)

    async def _decide(self, campaign: CampaignView) -> None:
        decision = await self._tools.judge.decide(campaign)
        told = decision.reason if decision.winner is not None else f"{decision.reason}: {otherwise_says(campaign)}"

        def work(connection: Connection) -> None:
            row, now_us = self._locked(connection), self._tools.clock.now_us()
            if row.decided_us is not None:
                return
            campaigns.change(
                connection, row.id, winner=decision.winner, decided_us=now_us, decision=decision_to_json(decision)
            )
            winner = None if decision.winner is None else campaign.wanted.variants[decision.winner].name
            facts = {"id": row.id, "name": row.name, "winner": winner}
            events.record(connection, now_us, "campaign.decided", detail=told, facts=facts)

        await self._tools.store.write(work)

    async def _rest(self, campaign: CampaignView, closed_us: int | None) -> tuple[bool, int | None]:
        """When there is something to do again; where nothing is left it finishes."""
        now_us = self._tools.clock.now_us()
        guard_us = None if campaign.wanted.guard is None else self._remembered.guarded_us + GUARD_EVERY_US
        later = _coming(campaign, now_us)
        if closed_us is not None and (campaign.audience == LIVE or await self._some_wait()):
            later = [*later, closed_us]
        if campaign.audience == LIVE and campaign.wanted.until_us is not None and now_us < campaign.wanted.until_us:
            later += [min(self._remembered.look_us or now_us, campaign.wanted.until_us)]
        if later:
            return False, min([*later, *([guard_us] if guard_us is not None else [])])
        if campaign.audience == FROZEN and await self._some_wait():
            # Nothing is left that they could be sent.
            await self._tools.ending.leave_out(campaign.id, VARIANT_STOPPED)
            return True, None
        if not await self._tools.store.write(self._finish):
            return False, now_us + LOOK_US
        return False, None

    async def _some_wait(self) -> bool:
        return await self._tools.store.read(lambda connection: campaign_members.any_waiting(connection, self._id))

    def _finish(self, connection: Connection) -> bool:
        row = self._locked(connection)
        if campaigns.waiting_messages(connection, row.id, 1):
            return False
        lifecycle.finish(connection, row, self._tools.clock.now_us())
        return True

    def _locked(self, connection: Connection) -> AnyRow:
        row = campaigns.locked(connection, self._id)
        if row is None or row.status != CampaignStatus.RUNNING:
            raise NotRunning
        return row


def _group_of(campaign: CampaignView) -> int:
    """How many people are looked at together: with a slow pace few, so that what is made is not long out of date."""
    per_minute = campaign.wanted.per_minute
    return GROUP if per_minute is None else max(1, min(GROUP, per_minute // 4))


def _open_variants(campaign: CampaignView, now_us: int) -> Collection[int]:
    return [
        at
        for at, each in enumerate(campaign.wanted.variants)
        if at not in campaign.stopped and (each.send_us is None or each.send_us <= now_us)
    ]


def _coming(campaign: CampaignView, now_us: int) -> list[int]:
    """The moments at which more of it may leave, or is decided."""
    decides_us = decides_at_us(campaign)
    begins = [
        each.send_us
        for at, each in enumerate(campaign.wanted.variants)
        if at not in campaign.stopped and each.send_us is not None and each.send_us > now_us
    ]
    return begins if decides_us is None else [*begins, decides_us]
