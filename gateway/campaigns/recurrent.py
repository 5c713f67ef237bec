"""What begins by itself: a scheduled campaign at its moment, and one after the other of a recurring one.

Each run of a recurring campaign is a campaign of its own, whose `parent_id` says of which. It is made in the same
transaction that moves the recurring one on, so that no run is lost or made twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.campaign import FROZEN, CampaignStatus, CampaignView
from gateway.campaigns import lifecycle
from gateway.campaigns.recurring import Recurrence, read_every
from gateway.campaigns.starting import Starter
from gateway.campaigns.stored import wanted_to_json
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest
from gateway.ids import IdSource
from gateway.store import campaigns
from gateway.store.database import Store

#: Why a campaign ended without having sent anything.
AUDIENCE_EMPTY: Final = "audience_empty"
MISSED: Final = "schedule_missed"
# However soon its messages expire, a start may be late by so much.
_LATE_US: Final = 3600 * SECOND_US


class Recurrent:
    """Begins campaigns."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, ids: IdSource, *, starter: Starter, me: str
    ) -> None:
        self._categories = settings.categories
        self._zone = ZoneInfo(settings.gateway.timezone)
        self._store = store
        self._clock = clock
        self._ids = ids
        self._starter = starter
        self._me = me

    async def begin(self, campaign: CampaignView) -> tuple[bool, int | None]:
        """Start a scheduled one if its moment has come: whether it has to be looked at anew, else when."""
        now_us = self._clock.now_us()
        due_us = campaign.scheduled_us or now_us
        if due_us > now_us:
            return False, due_us
        if now_us - due_us > self._patience_us(campaign):
            await self._end(campaign, MISSED)
            return True, None
        if campaign.parent_id is not None and (wrong := await self._prepare(campaign)) is not None:
            await self._end(campaign, wrong)
            return True, None

        def work(connection: Connection) -> None:
            row = campaigns.locked(connection, campaign.id)
            if row is not None and row.status == CampaignStatus.SCHEDULED:
                lifecycle.start(connection, row, self._clock.now_us())

        await self._store.write(work)
        return True, None

    async def run(self, campaign: CampaignView) -> tuple[bool, int | None]:
        """Begin the next run of a recurring one if its moment has come."""
        recurrence, wanted = read_every(campaign.wanted.every or ""), campaign.wanted
        assert recurrence is not None, "it was read when it was made"
        now_us = self._clock.now_us()
        due_us = campaign.next_us if campaign.next_us is not None else now_us
        if wanted.until_us is not None and max(due_us, now_us) > wanted.until_us:
            await self._store.write(lambda connection: self._finish(connection, campaign.id))
            return False, None
        if due_us > now_us:
            return False, due_us
        await self._store.write(lambda connection: self._spawn(connection, campaign, recurrence, now_us))
        return True, None

    def first_us(self, every: str, from_us: int) -> int:
        """When the first run of one that starts at this moment is due."""
        recurrence = read_every(every)
        assert recurrence is not None, "it was read when it was made"
        return from_us if recurrence.at is None else recurrence.next_us(from_us - 1, from_us, self._zone)

    def _spawn(self, connection: Connection, campaign: CampaignView, recurrence: Recurrence, now_us: int) -> None:
        row = campaigns.locked(connection, campaign.id)
        if row is None or row.status != CampaignStatus.RUNNING or row.next_us != campaign.next_us:
            return
        due_us = row.next_us if row.next_us is not None else now_us
        if now_us - due_us <= self._patience_us(campaign):
            campaigns.add(connection, self._run_of(campaign, due_us, now_us))
        first_us = campaign.started_us if campaign.started_us is not None else due_us
        campaigns.change(connection, row.id, next_us=recurrence.next_us(now_us, first_us, self._zone))

    def _run_of(self, campaign: CampaignView, due_us: int, now_us: int) -> dict[str, object]:
        """The next run as it is inserted. People are split anew: nobody is always tried on."""
        run_id = self._ids.new()
        wanted = replace(campaign.wanted, every=None, until_us=None, seed=int(run_id[-8:], 16))
        return {
            "id": run_id,
            "name": campaign.name,
            "status": CampaignStatus.SCHEDULED.value,
            "category": campaign.category,
            "audience": campaign.audience,
            "wanted": wanted_to_json(wanted),
            "token_id": campaign.token_id,
            "parent_id": campaign.id,
            "created_us": now_us,
            "scheduled_us": due_us,
            "next_us": now_us,
        }

    async def _prepare(self, campaign: CampaignView) -> str | None:
        """Write down who is in a run; why it cannot be, as a code."""
        try:
            wanted = await self._starter.resolved(campaign.wanted)
            await self._starter.check(wanted)
            text = wanted_to_json(wanted)
            await self._store.write(lambda connection: campaigns.change(connection, campaign.id, wanted=text))
            if campaign.audience != FROZEN:
                return None
            # Who lacks a value is left out: nobody is there who could be asked.
            found = await self._starter.prepare(replace(campaign, wanted=wanted), self._me)
        except InvalidRequest as error:
            return error.code
        except Conflict:
            return "campaign_busy"
        return None if found.people else AUDIENCE_EMPTY

    async def _end(self, campaign: CampaignView, reason: str) -> None:
        def work(connection: Connection) -> None:
            row = campaigns.locked(connection, campaign.id)
            if row is not None and row.status == CampaignStatus.SCHEDULED:
                lifecycle.cancel(connection, row, self._clock.now_us(), reason=reason)

        await self._store.write(work)

    def _finish(self, connection: Connection, campaign_id: str) -> None:
        row = campaigns.locked(connection, campaign_id)
        if row is not None and row.status == CampaignStatus.RUNNING:
            lifecycle.finish(connection, row, self._clock.now_us())

    def _patience_us(self, campaign: CampaignView) -> int:
        category = self._categories.get(campaign.category)
        return max(_LATE_US, category.expires_after_us if category is not None else 0)
