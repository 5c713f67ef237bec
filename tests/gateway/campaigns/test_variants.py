"""Several ways to say it: tests of variants, winners, the guard, moments of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from support.bench import Bench
from support.campaigning import Campaigner, campaigner_on

from gateway.campaign import CampaignStatus, Decision, Guard, Variant
from gateway.clock import SECOND_US
from gateway.errors import InvalidRequest
from gateway.store import optouts

NUMBERS = [f"+3363998{at:04d}" for at in range(100, 160)]
VARIANTS = (Variant("a", {"": "Hello"}), Variant("b", {"": "Hi there"}))


@dataclass
class Says:
    """A statistician of one opinion."""

    winner: int | None
    asked: list[tuple[str, Sequence[tuple[int, int]]]] = field(default_factory=list)

    def decide(self, metric: str, counts: Sequence[tuple[int, int]]) -> Decision:
        self.asked.append((metric, counts))
        return Decision(self.winner, "so it is said", tuple(counts))


@pytest.mark.parametrize("winner", [0, 1, None])
async def test_the_others_wait_and_get_the_winner(bench: Bench, winner: int | None) -> None:
    says = Says(winner)
    async with campaigner_on(bench, deciding=says) as c:
        fields = {"variants": VARIANTS, "test_share": 0.4, "seed": 5, "decide_after_us": 3600 * SECOND_US}
        campaign = await c.started(*NUMBERS, **fields)
        await c.engine.once()
        tried = await c.messages(campaign)
        assert 0 < len(tried) < len(NUMBERS)
        assert {row.variant for row in tried} == {0, 1}
        await c.bench.send_all()
        await c.advance(minutes=30)
        assert len(await c.messages(campaign)) == len(tried), "the others wait"
        await c.advance(minutes=31)
        rest = [row for row in await c.messages(campaign) if row.id not in {each.id for each in tried}]
        assert len(rest) + len(tried) == len(NUMBERS)
        assert {row.variant for row in rest} == {winner or 0}
        ((metric, counts),) = says.asked
        assert metric == "delivery"
        assert sum(count for count, _ in counts) == len(tried)
        seen = await c.get(campaign)
        assert (seen.winner, seen.decision and seen.decision.reason) == (winner, "so it is said")
        await c.agrees(campaign)
        await c.bench.send_all()
        await c.advance(seconds=2)
        assert (await c.get(campaign)).status is CampaignStatus.FINISHED


async def test_without_a_winner_the_others_may_be_split(bench: Bench) -> None:
    async with campaigner_on(bench, deciding=Says(None)) as c:
        fields = {"variants": VARIANTS, "test_share": 0.2, "seed": 5, "decide_after_us": SECOND_US}
        campaign = await c.started(*NUMBERS, otherwise="split", **fields)
        await c.engine.once()
        tried = {row.id for row in await c.messages(campaign)}
        await c.advance(seconds=2)
        rest = [row for row in await c.messages(campaign) if row.id not in tried]
        assert {row.variant for row in rest} == {0, 1}
        await c.agrees(campaign)


async def test_a_variant_may_have_a_moment_of_its_own(c: Campaigner) -> None:
    later_us = c.clock.now_us() + 3600 * SECOND_US
    variants = (VARIANTS[0], Variant("b", {"": "Hi there"}, send_us=later_us))
    campaign = await c.started(*NUMBERS, variants=variants, seed=5)
    await c.engine.once()
    assert {row.variant for row in await c.messages(campaign)} == {0}
    await c.advance(minutes=61)
    assert {row.variant for row in await c.messages(campaign)} == {0, 1}
    await c.agrees(campaign)


async def test_a_moment_in_the_past_is_refused(c: Campaigner) -> None:
    variants = (VARIANTS[0], Variant("b", {"": "Hi there"}, send_us=c.clock.now_us() + SECOND_US))
    draft = await c.create(*NUMBERS, variants=variants)
    await c.advance(seconds=2)
    with pytest.raises(InvalidRequest) as refused:
        await c.start(draft)
    assert refused.value.code == "send_at_past"
    assert refused.value.errors[0].pointer == "/variants/1/send_at"
    assert await c.members(draft) == {}


async def test_the_guard_stops_a_variant_that_many_leave(c: Campaigner) -> None:
    fields = {"variants": VARIANTS, "seed": 5, "guard": Guard(0.05, 5)}
    campaign = await c.started(*NUMBERS, **fields)
    await c.engine.once()
    sent: list[int] = []
    while len(sent) < 6:
        marked = await c.bench.next()
        assert marked is not None
        (row,) = [each for each in await c.messages(campaign) if each.id == marked.message_id]
        if row.variant == 1:
            sent.append(row.recipient_id)
    now_us = c.clock.now_us()

    def leave(connection: object) -> None:
        for person in sent:
            optouts.add(connection, person, "", now_us, source="test")  # type: ignore[arg-type]

    await c.bench.store.write(leave)
    await c.advance(minutes=2)
    seen = await c.get(campaign)
    assert seen.stopped == {1: "guard"}
    left = {(row.variant, row.status) for row in await c.messages(campaign)}
    assert (1, "queued") not in left
    assert (0, "queued") in left
    assert await c.bench.next() is not None, "the other one goes on"


async def test_scheduled_it_starts_by_itself(c: Campaigner) -> None:
    draft = await c.create(*NUMBERS[:3])
    at_us = c.clock.now_us() + 3600 * SECOND_US
    launch = await c.starts.schedule(c.principal, draft.id, at_us)
    assert launch.campaign.status is CampaignStatus.SCHEDULED
    assert launch.campaign.members == 3
    await c.advance(minutes=59)
    assert await c.messages(draft) == []
    await c.advance(minutes=2)
    assert len(await c.messages(draft)) == 3


async def test_a_recurring_one_begins_another_each_time(c: Campaigner) -> None:
    parent = await c.started(*NUMBERS[:3], every="1d")
    await c.engine.once()
    for day in range(1, 3):
        page = await c.campaigns.list(c.principal, parent_id=parent.id, limit=10, cursor=None)
        assert len(page.items) == day
        assert len(await c.messages(page.items[0])) == 3
        await c.bench.send_all()
        await c.advance(hours=24)
    await c.campaigns.cancel(c.principal, parent.id)
    await c.engine.once()
    page = await c.campaigns.list(c.principal, parent_id=parent.id, limit=10, cursor=None)
    assert page.items[0].status is CampaignStatus.CANCELED
    assert {row.status for row in await c.messages(page.items[0])} == {"canceled"}
    await c.advance(hours=48)
    assert len((await c.campaigns.list(c.principal, parent_id=parent.id, limit=10, cursor=None)).items) == 3


async def test_a_stop_during_the_campaign_is_obeyed_in_every_variant(c: Campaigner) -> None:
    campaign = await c.started(*NUMBERS, variants=VARIANTS, seed=5)
    await c.engine.once()
    some = [next(row for row in await c.messages(campaign) if row.variant == at) for at in (0, 1)]
    for row in some:
        await c.bench.store.write(
            lambda connection, row=row: optouts.add(connection, row.recipient_id, "", c.clock.now_us(), source="test")
        )
    sent = {marked.message_id for marked in await c.bench.send_all()}
    assert not sent & {row.id for row in some}
    assert len(sent) == len(NUMBERS) - 2
