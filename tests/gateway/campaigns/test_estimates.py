"""How long a campaign takes, by what its modems were measured to take, and by what waits before it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.campaigning import Campaigner

from gateway.campaign import CampaignEstimate, Variant
from gateway.requests import NewMessage

NUMBERS = [f"+3363998{at:04d}" for at in range(100, 110)]


async def estimate_of(c: Campaigner, **fields: object) -> CampaignEstimate:
    launch = await c.start(await c.create(*NUMBERS, **fields), force=True)
    assert launch.estimate is not None
    return launch.estimate


async def test_it_goes_by_what_each_modem_was_measured_to_take(c: Campaigner) -> None:
    assert (await estimate_of(c)).seconds == pytest.approx(15.0), "five each, at 3 s as of any modem"
    paces = c.bench.store.measures.paces
    paces.add_cycle("sim1", 1.0)
    paces.add_cycle("sim2", 4.0)
    found = await estimate_of(c)
    assert found.seconds == pytest.approx(8.0), "eight through the quick one, two through the slow one"
    assert (found.parts, found.modems) == (10, 2)
    assert found.done_us == c.clock.now_us() + 8_000_000


async def test_what_is_as_urgent_and_waits_already_leaves_before(c: Campaigner) -> None:
    for at in range(10):
        new = NewMessage(f"+3363998{at + 200:04d}", "before", category="news")
        await c.bench.intake.accept(c.bench.principal, new)
    await c.bench.intake.accept(c.bench.principal, NewMessage("+33639980300", "x", category="promotional"))
    assert (await estimate_of(c)).seconds == pytest.approx(30.0)
    draft = await c.create(*NUMBERS)
    later_us = c.clock.now_us() + 3_600_000_000
    scheduled = await c.starts.schedule(c.principal, draft.id, later_us)
    assert scheduled.estimate is not None
    assert (scheduled.estimate.seconds, scheduled.estimate.done_us) == (15.0, later_us + 15_000_000)


async def test_variants_of_different_lengths_have_their_shares(c: Campaigner) -> None:
    variants = (Variant("short", {"": "x"}), Variant("long", {"": "x" * 200}))
    found = await estimate_of(c, variants=variants)
    assert 10 < found.parts < 20
    assert found.seconds is not None
    assert 15.0 < found.seconds <= 30.0


async def test_a_pace_of_its_own_counts_where_it_is_slower(c: Campaigner) -> None:
    assert (await estimate_of(c, per_minute=10)).seconds == pytest.approx(60.0)
    c.clock.advance(timedelta(hours=1))
    assert (await estimate_of(c, per_minute=1000)).seconds == pytest.approx(15.0)
