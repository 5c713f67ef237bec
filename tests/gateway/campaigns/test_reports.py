"""Reports over hand-made rows, on both stores: every figure is known beforehand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import insert
from support.bench import Bench
from support.clock import ManualClock
from support.plans import explained
from support.reporting import CAMPAIGN, DAY_US, SECOND_US, START_US, Fate, Ledger

from gateway.campaigns import reading
from gateway.campaigns.report import CampaignReport
from gateway.campaigns.reporting import Reporter
from gateway.store import report_figures
from gateway.store.database import Store
from gateway.store.prepared import Prepared
from gateway.store.report_figures import OF_CAMPAIGN, Span
from gateway.store.schema import ring

SENT = Fate(status="sent")
GONE = Fate(stop=60)
RING = "1" * 32


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return Ledger(bench.store, bench.principal.token_id)


async def report_of(store: Store, clock: ManualClock) -> CampaignReport:
    found = await store.read(lambda connection: reading.find(connection, CAMPAIGN))
    assert found is not None
    return await Reporter(store, clock, "Europe/Paris").campaign(
        found, test=False, operators={("test-1", "sim1"): "Orange F"}
    )


async def test_every_figure_of_a_campaign(store: Store, clock: ManualClock, ledger: Ledger) -> None:
    await ledger.begin("short", "polite", metric="reply")
    await ledger.write(
        Fate(replies=(30, 90), people=(5, 6), bots=(1,), bought=(9.5, None)),
        Fate(replies=(10,)),
        Fate(status="sent", replies=(20,), variant=1),
        Fate(status="undelivered", error="expired_at_network"),
        Fate(status="failed", error="unknown_subscriber", variant=1),
        Fate(status="failed", variant=1),
        Fate(status="queued", begun_us=None),
        Fate(status="suppressed", begun_us=None, error="opt_out"),
        Fate(status="uncertain"),
        Fate(bots=(1, 2), variant=1),
        GONE,
        Fate(left=3600, variant=1),
        Fate(left=8 * 86400, variant=1),
        Fate(bought=(0.25,), variant=1),
    )
    report = await report_of(store, clock)
    whole = report.whole
    assert dict(whole.statuses) == {
        "delivered": 7, "sent": 1, "undelivered": 1, "failed": 2, "queued": 1, "suppressed": 1, "uncertain": 1,
    }  # fmt: skip
    assert (whole.members, whole.accepted, whole.begun) == (14, 14, 12)
    assert dict(whole.failures) == {"expired_at_network": 1, "unknown_subscriber": 1, "failed": 1}
    assert (whole.clicked, whole.visited_by_bots, whole.replied, whole.converted) == (1, 2, 3, 2)
    assert (whole.responded, whole.unsubscribed, whole.conversions, whole.value) == (4, 2, 3, 9.75)
    time = whole.response_time()
    assert time is not None
    assert (time.replies, time.median_s, time.p90_s) == (3, 20, 30)
    assert [(each.accepted, each.begun, each.replied, each.unsubscribed) for each in report.variants] == [
        (7, 5, 2, 1),
        (7, 7, 1, 1),
    ]
    assert {rate.name: (rate.share.hits, rate.share.people) for rate in report.variants[0].rates()} == {
        "delivery": (3, 5), "response": (2, 5), "click": (1, 5), "reply": (2, 5), "conversion": (1, 5),
        "opt_out": (1, 5),
    }  # fmt: skip
    assert report.verdict is not None
    assert report.verdict.status == "current"
    assert report.verdict.decision is not None
    assert report.verdict.decision.counts == ((5, 2), (7, 1))
    assert report.verdict.decision.winner is None
    assert report.remarks == ["no_open"]
    assert [(each.key["modem"], each.key["operator"], each.tally.accepted) for each in report.modems] == [
        ("sim1", "Orange F", 14)
    ]
    assert report.hours is not None
    (cell,) = report.hours.cells.values()
    assert (cell.begun, cell.delivery, cell.click, cell.reply) == (12, 7, 1, 3)
    assert report.hours.best["reply"].reason == "not_enough_data"


async def test_an_opt_out_is_of_the_message_that_it_answers_else_of_the_last_one_before(
    store: Store, clock: ManualClock, bench: Bench, ledger: Ledger
) -> None:
    await ledger.begin("only")
    other = Ledger(store, bench.principal.token_id, None)
    other._made = 1000
    later = replace(SENT, begun_us=START_US + 3600 * SECOND_US)
    # Answered after another message came, left after another message came, left before it came.
    for fate, number in (
        (Fate(stop=7200), "+33700000001"),
        (Fate(left=7200), "+33700000002"),
        (Fate(left=1800), "+33700000003"),
    ):
        await ledger.write(fate, person=number)
        await other.write(later, person=number)
    report = await report_of(store, clock)
    assert report.whole.unsubscribed == 2
    span = Span(None, test=False)
    groups = {
        group.key["kind"]: group.tally
        for group in (await Reporter(store, clock, "Europe/Paris").messages(span, 0, 1, "kind", {})).groups
    }
    assert (groups["campaign"].unsubscribed, groups["single"].unsubscribed) == (2, 1)


async def test_steps_add_up_to_the_whole(
    store: Store, clock: ManualClock, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_figures, "STEP", 3)
    await ledger.begin("a", "b", status="running", finished_us=None)
    await ledger.write(*[Fate(variant=at % 2, replies=(at,), bought=(0.1,)) for at in range(10)])
    report = await report_of(store, clock)
    assert (report.whole.accepted, report.whole.replied, report.whole.conversions, report.whole.value) == (
        10,
        10,
        10,
        1,
    )
    assert [each.accepted for each in report.variants] == [5, 5]
    assert sorted(report.whole.delays_us) == [at * SECOND_US for at in range(10)]
    assert report.remarks == ["no_open", "running", "stopped_early"]


async def test_messages_in_groups(store: Store, clock: ManualClock, bench: Bench, ledger: Ledger) -> None:
    await ledger.begin("a", "b", to=("seniors", "+33612345678", "lyon"))
    await ledger.write(Fate(), Fate(variant=1, replies=(1,)))
    rung = {"to": ["lyon", "+33612345678"]}
    values = {"test": False, "status": "finished", "category": "news", "priority": 3, "created_us": START_US}
    await store.write(lambda read: read.execute(insert(ring).values(id=RING, wanted=json.dumps(rung), **values)))
    other = Ledger(store, bench.principal.token_id, None)
    other._made = 1000
    await other.write(
        replace(SENT, fields={"category": "alert", "modem": "sim2"}),
        replace(SENT, fields={"test": True}),
        Fate(fields={"ring_id": RING}),
        Fate(fields={"reply_to_inbox_id": "2" * 32}),
    )
    reporter = Reporter(store, clock, "Europe/Paris")

    async def grouped(by: str, *, test: bool = False) -> list[tuple[object, ...]]:
        report = await reporter.messages(Span(test=test), 0, 1, by, {("test-1", "sim1"): "Orange F"})
        assert report.whole.accepted == (1 if test else 5)
        return [(*group.key.values(), group.tally.accepted) for group in report.groups]

    assert await grouped("category") == [("news", 4), ("alert", 1)]
    assert await grouped("category", test=True) == [("news", 1)]
    assert await grouped("kind") == [("campaign", 2), ("alert", 1), ("automatic", 1), ("single", 1)]
    assert await grouped("campaign") == [(None, None, 3), (CAMPAIGN, "Spring", 2)]
    assert await grouped("variant") == [
        (None, None, None, 3),
        (CAMPAIGN, "Spring", "a", 1),
        (CAMPAIGN, "Spring", "b", 1),
    ]
    assert await grouped("segment") == [("lyon", 3), ("seniors", 2), (None, 2)]
    assert await grouped("modem") == [("test-1", "sim1", 4), ("test-1", "sim2", 1)]
    assert await grouped("operator") == [("Orange F", 4), (None, 1)]


async def test_only_messages_of_the_time_count(store: Store, clock: ManualClock, ledger: Ledger) -> None:
    await ledger.begin("a")
    await ledger.write(Fate())
    reporter = Reporter(store, clock, "Europe/Paris")
    empty = await reporter.messages(Span(first="0" * 32, end=CAMPAIGN), 0, 1, "modem", {})
    assert (empty.whole.accepted, list(empty.groups)) == (0, [])


async def test_hours_are_those_of_the_recipient_and_the_best_stands_out(
    store: Store, clock: ManualClock, ledger: Ledger
) -> None:
    await ledger.begin("a")
    nine = [Fate(replies=(1,) if at < 60 else ()) for at in range(100)]
    evening = [Fate(begun_us=START_US + 10 * 3600 * SECOND_US, replies=(1,) if at < 20 else ()) for at in range(100)]
    await ledger.write(*nine, *evening, Fate(begun_us=None, status="queued"))
    report = await Reporter(store, clock, "Europe/Paris").timing(Span(), 0, 1, None)
    (news,) = report.categories
    assert {place: (cell.begun, cell.reply, cell.delivery) for place, cell in news.cells.items()} == {
        (0, 9): (100, 60, 100),
        (0, 19): (100, 20, 100),
    }
    assert (news.best["reply"].hour, news.best["click"].reason) == (9, "not_enough_data")
    assert (news.best["delivery"].hour, news.best["delivery"].reason) == (None, "no_difference")
    assert not (await Reporter(store, clock, "Europe/Paris").timing(Span(), 0, 1, "alert")).categories


async def test_how_many_people_got_how_much(store: Store, clock: ManualClock, bench: Bench, ledger: Ledger) -> None:
    many = Ledger(store, bench.principal.token_id, None)
    for number, times in (("+33700000001", 1), ("+33700000002", 2), ("+33700000003", 3), ("+33700000004", 11)):
        await many.write(*[SENT] * times, person=number)
    await many.write(Fate(status="failed"), person="+33700000005")
    await many.write(replace(SENT, begun_us=START_US - 40 * DAY_US), person="+33700000006")
    report = await Reporter(store, clock, "Europe/Paris").pressure(
        "2026-03", START_US - DAY_US, START_US + 20 * DAY_US, test=False
    )
    assert list(report.people) == [0, 2, 1, 1]


async def test_what_people_did_is_found_by_index(store: Store) -> None:
    """A hundred thousand messages cost a hundred thousand look-ups, and no reading of whole tables."""
    statement = Prepared(report_figures._counts(OF_CAMPAIGN, Span(CAMPAIGN).behind("0", "1")))
    found = await store.read(lambda connection: explained(connection, statement, {}))
    for index in ("ix_message_campaign", "ix_link_recipient", "ix_click_code", "ix_inbox_reply"):
        assert index in found
    for index in ("uq_optout_live", "ix_optout_lifted", "ix_conversion_recipient"):
        assert index in found
    for table in ("message", "link", "click", "inbox", "optout", "conversion", "campaign_member"):
        assert f"SCAN {table}" not in found
        assert f"Seq Scan on {table}" not in found
