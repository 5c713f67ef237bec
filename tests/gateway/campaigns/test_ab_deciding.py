"""A test of variants is decided by what reports count; the guard stops a variant only beyond chance."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.bench import Bench
from support.clock import ManualClock
from support.reporting import CAMPAIGN, START_US, Fate, Ledger

from gateway.campaign import CampaignView, Guard
from gateway.campaigns import reading
from gateway.campaigns.ab_deciding import ASSUMPTIONS, TEST, AbTest
from gateway.campaigns.deciding import Judge
from gateway.campaigns.reporting import Reporter
from gateway.campaigns.stored import decision_of_json, decision_to_json
from gateway.store.database import Store

#: What somebody does for each metric.
DOES = {
    "delivery": Fate(),
    "click": Fate(people=(5,)),
    "reply": Fate(replies=(5,)),
    "conversion": Fate(bought=(1.5,)),
    "opt_out": Fate(stop=5),
}


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return Ledger(bench.store, bench.principal.token_id)


async def found(store: Store) -> CampaignView:
    view = await store.read(lambda connection: reading.find(connection, CAMPAIGN))
    assert view is not None
    return view


def test_a_decision_says_how_it_was_made_and_is_kept() -> None:
    decision = AbTest().decide("reply", [(400, 40), (400, 90)])
    assert (decision.winner, decision.counts) == (1, ((400, 40), (400, 90)))
    assert (decision.facts["test"], decision.facts["level"], decision.facts["power"]) == (TEST, 0.05, 0.8)
    assert decision.facts["assumptions"] == list(ASSUMPTIONS)
    assert decision.facts["p"] < 0.001
    assert 0 < decision.facts["detectable_rise"] < 0.1
    assert json.loads(json.dumps(dict(decision.facts))) == decision.facts
    kept = decision_of_json(decision_to_json(decision))
    assert kept == decision


def test_more_who_did_than_were_tried_are_no_defect() -> None:
    assert AbTest().decide("click", [(3, 5), (3, 0)]).counts == ((3, 5), (3, 0))


@pytest.mark.parametrize("metric", DOES)
async def test_only_those_who_were_tried_decide(store: Store, clock: ManualClock, ledger: Ledger, metric: str) -> None:
    plain = Fate(status="sent")
    await ledger.begin("a", "b", metric=metric, test_share=0.5)
    does = DOES[metric]
    await ledger.write(*[does] * 12, *[plain] * 3)
    await ledger.write(*[replace(does, variant=1)] * 2, *[replace(plain, variant=1)] * 13)
    await ledger.write(*[replace(does, variant=1, tried=False)] * 20, Fate(begun_us=None, status="queued"))
    campaign = await found(store)
    decision = await Judge(store, AbTest()).decide(campaign)
    assert decision.counts == ((15, 12), (15, 2))
    assert decision.winner == (1 if metric == "opt_out" else 0)
    report = await Reporter(store, clock, "Europe/Paris").campaign(campaign, test=False, operators={})
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.at_us) == ("pending", START_US + 24 * 3600 * 1_000_000)
    (rate,) = (each for each in report.variants[1].rates() if each.name == metric)
    assert (rate.share.hits, rate.share.people) == (22, 35)


async def test_the_guard_stops_what_is_beyond_chance(store: Store, ledger: Ledger) -> None:
    await ledger.begin("a", "b", guard=Guard(0.02, 50))
    gone = Fate(left=60)
    await ledger.write(*[gone] * 12, *[Fate()] * 88)
    await ledger.write(*[replace(gone, variant=1)] * 3, *[Fate(variant=1)] * 97)
    assert await Judge(store, AbTest()).leaving(await found(store)) == [0]
