"""A campaign over one text, from draft to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select
from support.campaigning import Campaigner
from support.crowd import Someone, fill
from support.waiting import eventually

from gateway.campaign import CampaignStatus
from gateway.campaigns.yielding import rest
from gateway.clock import SECOND_US
from gateway.errors import Conflict, InvalidRequest
from gateway.outbound.waits import Waits
from gateway.rules.routing import lane_of
from gateway.store import campaigns, messages, optouts
from gateway.store.schema import campaign_stop

NUMBERS = [f"+3363998{at:04d}" for at in range(100, 107)]


async def test_it_goes_from_draft_to_finished(c: Campaigner) -> None:
    draft = await c.create(*NUMBERS, words="Bonjour {{ number }}")
    assert draft.status is CampaignStatus.DRAFT
    await c.engine.once()
    assert (await c.get(draft)).status is CampaignStatus.DRAFT
    launch = await c.start(draft)
    assert launch.campaign.status is CampaignStatus.RUNNING
    assert launch.estimate is not None
    assert (launch.estimate.recipients, launch.estimate.parts, launch.estimate.modems) == (7, 7, 2)
    assert launch.campaign.members == 7
    await c.engine.once()
    assert await c.statuses(draft) == {"queued": 7}
    assert {row.text for row in await c.messages(draft)} == {f"Bonjour {number}" for number in NUMBERS}
    await c.agrees(draft)
    assert (await c.get(draft)).status is CampaignStatus.RUNNING, "its messages wait still"
    assert len(await c.bench.send_all()) == 7
    await c.advance(seconds=2)
    finished = await c.get(draft)
    assert finished.status is CampaignStatus.FINISHED
    assert finished.finished_us == c.clock.now_us()
    assert await c.events() == ["campaign.draft", "campaign.running", "campaign.finished"]


async def test_who_is_in_a_frozen_one_is_written_down_when_it_starts(c: Campaigner) -> None:
    await fill(c.bench.store, [Someone(number=number, attributes={"city": "Lyon"}) for number in NUMBERS[:3]])
    await c.segment("lyon", 'attributes.city == "Lyon"')
    draft = await c.create("lyon", words="Salut {{ attributes.city }}")
    campaign = (await c.start(draft)).campaign
    await fill(c.bench.store, [Someone(number=NUMBERS[5], attributes={"city": "Lyon"})])
    await c.engine.once()
    assert len(await c.messages(campaign)) == 3
    await c.agrees(campaign)


async def test_whoever_is_in_a_live_one_is_asked_as_it_goes(c: Campaigner) -> None:
    await fill(c.bench.store, [Someone(number=number, attributes={"city": "Lyon"}) for number in NUMBERS[:3]])
    await c.segment("lyon", 'attributes.city == "Lyon"')
    until_us = c.clock.now_us() + 3600 * 1_000_000
    draft = await c.create("lyon", NUMBERS[6], audience="live", until_us=until_us)
    campaign = (await c.start(draft)).campaign
    assert campaign.members == 0
    await c.engine.once()
    assert len(await c.messages(campaign)) == 4
    await fill(c.bench.store, [Someone(number=NUMBERS[5], attributes={"city": "Lyon"})])
    await c.advance(minutes=16)
    assert len(await c.messages(campaign)) == 5
    await c.agrees(campaign)
    await c.bench.send_all()
    await c.advance(minutes=60)
    assert (await c.get(campaign)).status is CampaignStatus.FINISHED


async def test_who_lacks_a_value_keeps_a_frozen_one_from_starting(c: Campaigner) -> None:
    people = [Someone(number=number, attributes={"city": "Lyon"}) for number in NUMBERS[:5]]
    await fill(c.bench.store, [*people, Someone(number=NUMBERS[5]), Someone(number=NUMBERS[6])])
    await c.segment("all")
    draft = await c.create("all", words="Salut {{ attributes.city }}")
    with pytest.raises(InvalidRequest) as refused:
        await c.start(draft)
    assert refused.value.code == "template_variable_missing"
    assert "2 people" in refused.value.errors[0].message
    assert "attributes.city" in refused.value.errors[0].message
    assert await c.members(draft) == {}
    assert (await c.get(draft)).status is CampaignStatus.DRAFT
    assert await c.messages(draft) == []


async def test_who_lacks_a_value_is_left_out_of_a_live_one(c: Campaigner) -> None:
    await fill(c.bench.store, [Someone(number=NUMBERS[0], attributes={"city": "Lyon"}), Someone(number=NUMBERS[1])])
    await c.segment("all")
    campaign = await c.started("all", words="Salut {{ attributes.city }}", audience="live")
    await c.engine.once()
    assert await c.members(campaign) == {("queued", None, 0): 1, ("left_out", "template_variable_missing", 0): 1}
    await c.agrees(campaign)


async def test_who_opted_out_gets_none_and_is_counted(c: Campaigner) -> None:
    people = await fill(c.bench.store, [Someone(number=number) for number in NUMBERS])
    await c.segment("all")
    campaign = await c.started("all")
    await c.bench.store.write(
        lambda connection: optouts.add(connection, people[NUMBERS[0]], "", c.clock.now_us(), source="test")
    )
    await c.engine.once()
    assert await c.members(campaign) == {("queued", None, 0): 6, ("left_out", "opt_out", 0): 1}
    assert len(await c.messages(campaign)) == 6
    await c.agrees(campaign)


async def test_nobody_gets_it_twice_who_is_named_twice(c: Campaigner) -> None:
    await fill(c.bench.store, [Someone(number=number) for number in NUMBERS])
    await c.segment("all")
    await c.segment("again", "!opted_out")
    for audience in ("frozen", "live"):
        campaign = await c.started("all", "again", *NUMBERS, audience=audience, words=f"Hello {audience}")
        await c.engine.once()
        assert len(await c.messages(campaign)) == 7
        await c.agrees(campaign)


async def test_pause_holds_what_is_queued_and_resume_lets_it_go(c: Campaigner) -> None:
    campaign = await c.started(*NUMBERS)
    await c.engine.once()
    other = await c.bench.accept()
    assert (await c.campaigns.pause(c.principal, campaign.id)).status is CampaignStatus.PAUSED
    sent = await c.bench.send_all()
    assert [each.message_id for each in sent] == [other.id], "others leave"
    assert await c.statuses(campaign) == {"queued": 7}, "it is not written to"
    resumed = await c.campaigns.resume(c.principal, campaign.id)
    assert resumed.status is CampaignStatus.RUNNING
    assert len(await c.bench.send_all()) == 7
    await c.advance(seconds=2)
    assert (await c.get(campaign)).status is CampaignStatus.FINISHED


async def test_what_is_paused_before_it_is_queued_is_queued_later(c: Campaigner) -> None:
    campaign = await c.started(*NUMBERS)
    await c.campaigns.pause(c.principal, campaign.id)
    await c.engine.once()
    assert await c.messages(campaign) == []
    await c.campaigns.resume(c.principal, campaign.id)
    await c.engine.once()
    assert len(await c.messages(campaign)) == 7


async def test_cancel_stops_at_once_and_ends_the_rest(c: Campaigner) -> None:
    campaign = await c.started(*NUMBERS)
    await c.engine.once()
    marked = await c.bench.next()
    assert marked is not None
    await c.campaigns.cancel(c.principal, campaign.id)
    assert await c.bench.next() is None, "before anything was ended"
    await c.engine.once()
    assert await c.statuses(campaign) == {"sending": 1, "canceled": 6}
    assert list(await c.rows(select(campaign_stop))) == []
    with pytest.raises(Conflict):
        await c.campaigns.resume(c.principal, campaign.id)
    assert (await c.campaigns.cancel(c.principal, campaign.id)).status is CampaignStatus.CANCELED, "told the same"


async def test_what_is_canceled_in_the_middle_leaves_out_the_others(c: Campaigner) -> None:
    campaign = await c.started(*NUMBERS, per_minute=60)
    running = asyncio.ensure_future(c.engine.once())
    await eventually(lambda: c.clock.next_wake_us is not None)
    await c.campaigns.cancel(c.principal, campaign.id)
    c.clock.advance(timedelta(seconds=5))
    await running
    await c.engine.once()
    members = await c.members(campaign)
    assert members == {("queued", None, 0): 1, ("left_out", "campaign_canceled", 0): 6}
    assert Counter(await c.statuses(campaign)) == {"canceled": 1}
    await c.agrees(campaign)


async def test_a_message_shows_that_its_campaign_is_paused(c: Campaigner) -> None:
    campaign = await c.started(NUMBERS[0])
    await c.engine.once()
    await c.campaigns.pause(c.principal, campaign.id)
    (row,) = await c.messages(campaign)
    waits = Waits(c.bench.settings)
    shown = await c.bench.store.read(
        lambda connection: messages.get(connection, row.id, waiting=waits.standing(connection, c.clock.now_us()))
    )
    assert shown is not None
    assert (shown.status, shown.hold and shown.hold.rule) == ("held", "paused")
    assert lane_of(row.lane).campaign == f"{campaign.id[-12:]}.0"


async def test_a_transaction_that_took_an_hour_is_not_followed_by_a_long_rest() -> None:
    async with asyncio.timeout(5):
        await rest(3600 * SECOND_US)


async def test_who_gives_it_back_does_not_undo_a_resume_of_a_host_whose_clock_is_behind(c: Campaigner) -> None:
    campaign, now_us = await c.started(NUMBERS[0]), c.clock.now_us()

    def work(connection: Connection) -> int | None:
        assert campaigns.claim(connection, campaign.id, "me", now_us, now_us + SECOND_US)
        campaigns.leave(connection, campaign.id, "me", None, now_us + 5 * SECOND_US)
        row = campaigns.get(connection, campaign.id)
        assert row is not None
        return row.next_us

    assert await c.bench.store.write(work) == now_us
    await c.engine.once()
    assert (await c.get(campaign)).queued == 1
