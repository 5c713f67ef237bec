"""Campaigns over a real store: the services, the engine moved by hand, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, text
from support.bench import Bench
from support.clock import ManualClock

from drivers.events import ModemState, ModemStatus
from gateway.campaign import CampaignView, Variant, Wanted
from gateway.campaigns.engine import Campaigning
from gateway.campaigns.tracking import Deciding, Tracking
from gateway.people.aside import Aside
from gateway.people.audience import Audience
from gateway.people.rendering import Renderer
from gateway.requests import Principal
from gateway.services.campaign_starts import CampaignStarts, Launch
from gateway.services.campaigns import Campaigns, NewCampaign
from gateway.store import segments
from gateway.store.schema import campaign_member, message


@dataclass
class Campaigner:
    """Campaigns, with a bench under them."""

    bench: Bench
    engine: Campaigning
    campaigns: Campaigns
    starts: CampaignStarts
    principal: Principal

    @property
    def clock(self) -> ManualClock:
        return self.bench.clock

    async def create(self, *to: str, words: str = "Hello", name: str = "c", **fields: Any) -> CampaignView:
        """A draft: one text, unless `variants` are given."""
        of_campaign = {key: fields.pop(key) for key in ("category", "audience") if key in fields}
        fields.setdefault("variants", (Variant("only", {"": words}),))
        return await self.campaigns.create(
            self.principal, NewCampaign(name, Wanted(to=to, **fields), **{"category": "news", **of_campaign})
        )

    async def start(self, campaign: CampaignView, *, force: bool = False) -> Launch:
        return await self.starts.start(self.principal, campaign.id, force=force)

    async def started(self, *to: str, **fields: Any) -> CampaignView:
        """A campaign that runs; nothing of it was done yet."""
        return (await self.start(await self.create(*to, **fields))).campaign

    async def get(self, campaign: CampaignView) -> CampaignView:
        return await self.campaigns.get(self.principal, campaign.id)

    async def advance(self, **duration: float) -> int | None:
        """Let time pass, then do what is due."""
        self.clock.advance(timedelta(**duration))
        return await self.engine.once()

    async def segment(self, name: str, source: str = "true") -> None:
        await self.bench.store.write(lambda connection: segments.add(connection, name, source, 1))

    async def members(self, campaign: CampaignView) -> Counter[tuple[Any, ...]]:
        """How many there are of each state, reason and variant."""
        m = campaign_member.c
        query = select(m.state, m.reason, m.variant).where(m.campaign_id == campaign.id)
        return Counter(tuple(row) for row in await self.rows(query))

    async def messages(self, campaign: CampaignView) -> list[Any]:
        """id, status, variant, recipient_id, text, lane of each."""
        m = message.c
        query = select(m.id, m.status, m.variant, m.recipient_id, m.text, m.lane, m.hold_rule)
        return list(await self.rows(query.where(m.campaign_id == campaign.id).order_by(m.id)))

    async def statuses(self, campaign: CampaignView) -> Counter[str]:
        return Counter(row.status for row in await self.messages(campaign))

    async def agrees(self, campaign: CampaignView) -> None:
        """Members and messages say the same, nobody is there twice, and the counts are right."""
        m = campaign_member.c
        query = select(m.recipient_id, m.state, m.message_id, m.variant).where(m.campaign_id == campaign.id)
        members = list(await self.rows(query))
        messages = await self.messages(campaign)
        assert {row.message_id: row.recipient_id for row in members if row.state == "queued"} == {
            row.id: row.recipient_id for row in messages
        }
        assert len({row.recipient_id for row in messages}) == len(messages)
        view = await self.get(campaign)
        counted = Counter(row.state for row in members)
        assert (view.members, view.queued, view.left_out) == (
            len(members),
            counted["queued"],
            counted["left_out"],
        )

    async def events(self, kind: str = "campaign.%") -> list[str]:
        query = text("SELECT type FROM event WHERE type LIKE :kind ORDER BY id").bindparams(kind=kind)
        return [row[0] for row in await self.rows(query)]

    async def rows(self, query: Any) -> Sequence[Any]:
        def work(connection: Connection) -> Sequence[Any]:
            return connection.execute(query).all()

        return await self.bench.store.read(work)


@asynccontextmanager
async def campaigner_on(
    bench: Bench, *, tracking: Tracking | None = None, deciding: Deciding | None = None
) -> AsyncIterator[Campaigner]:
    """Campaigns over a bench. Its modems can send, as far as estimates go."""
    aside = Aside()
    settings, store, clock = bench.settings, bench.store, bench.clock
    audience, renderer = Audience(settings, store, clock, aside), Renderer(aside, settings)
    engine = Campaigning(
        settings,
        store,
        clock,
        bench.ids,
        intake=bench.intake,
        audience=audience,
        renderer=renderer,
        nudge=lambda: None,
        tracking=tracking,
        deciding=deciding,
    )
    campaigns = Campaigns(settings, store, clock, bench.ids, engine=engine, nudge=lambda: None)
    statuses = [ModemStatus(name, ModemState.READY, None, "simulated:") for name in settings.modems]
    starts = CampaignStarts(
        settings,
        store,
        clock,
        campaigns=campaigns,
        intake=bench.intake,
        statuses=lambda: statuses,
        nudge=lambda: None,
    )
    principal = replace(bench.principal, scopes=frozenset({"campaigns", "send", "read"}))
    try:
        yield Campaigner(bench, engine, campaigns, starts, principal)
    finally:
        await aside.close()
        await starts.close()
