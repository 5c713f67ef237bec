"""Numbers that are of no use, over a real store of either engine: marked by the network's word, and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.bench import Bench
from support.clock import ManualClock

from gateway.message import PartEvent
from gateway.people.contact import Contact
from gateway.people.hygiene import Hygiene
from gateway.people.hygiene_causes import CAUSES, CERTAIN, DOUBTFUL, verdict_of
from gateway.requests import Principal
from gateway.services.contacts import ContactFilter, Contacts
from gateway.store import outcomes, reports

ADMIN = Principal(0, "cli", frozenset({"admin"}))
NUMBER, OTHER = "+33612345678", "+33612345679"


class Keeper:
    """Messages that end, and whoever looks at how."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.contacts = Contacts(bench.settings, bench.store, bench.clock, bench.ids)
        self.hygiene = Hygiene(bench.store, bench.clock)
        self.reference = 0

    async def look(self) -> None:
        while await self.hygiene.follow():
            pass

    async def ended(self, code: str | None, number: str = NUMBER) -> None:
        """A message to the number ended so: None, it was delivered."""
        await self.bench.accept(number)
        marked = await self.bench.next()
        assert marked is not None
        if code is not None and code.startswith("cms_"):
            await self.bench.settle(marked, PartEvent.REFUSED, code=code, sentence="no")
        else:
            self.reference = (self.reference + 1) % 256
            await self.bench.settle(marked, PartEvent.ACCEPTED, tp_mr=self.reference)
            tp_st = 0 if code is None else int(code.removeprefix("tp_st_"), 16)
            event = PartEvent.REPORT_DELIVERED if code is None else PartEvent.REPORT_UNDELIVERED

            def told(connection) -> None:
                (row,) = [reports._attempt.first(connection, attempt_id=marked.attempt_id)]
                now_us = self.bench.clock.now_us()
                outcomes.by_report(connection, row, now_us, tp_mr=1, tp_st=tp_st, event=event, sentence="told")

            await self.bench.store.write(told)
        self.bench.clock.advance(timedelta(seconds=1))

    async def card(self, number: str = NUMBER) -> Contact:
        return await self.contacts.get(ADMIN, number)

    async def listed(self, hygiene: str, days: int | None = None) -> list[str]:
        page = await self.contacts.list(ADMIN, ContactFilter(hygiene=hygiene, days=days), limit=100, cursor=None)
        return [each.number for each in page.items]


@pytest.fixture
async def keeper(bench: Bench) -> Keeper:
    made = Keeper(bench)
    for number in (NUMBER, OTHER):
        await made.contacts.create(ADMIN, number, {})
    await made.look()
    return made


@pytest.mark.parametrize("code", [code for code, cause in CAUSES.items() if cause.messages == CERTAIN])
async def test_one_certain_word_is_enough_and_a_delivery_takes_it_back(keeper: Keeper, code: str):
    await keeper.ended(code)
    await keeper.ended(None, OTHER)
    before_us = keeper.bench.clock.now_us()
    await keeper.look()
    found = await keeper.card()
    assert (found.dead_code, found.dead_us is not None and found.dead_us < before_us) == (code, True)
    assert (await keeper.card(OTHER)).dead_us is None
    assert await keeper.listed("dead") == [NUMBER]
    await keeper.ended(None)
    await keeper.look()
    assert (await keeper.card()).dead_us is None


async def test_a_doubtful_word_is_believed_the_third_time_in_a_row(keeper: Keeper):
    seen = []
    for code in ("tp_st_43", "cms_28", None, "tp_st_43", "tp_st_40", "tp_st_43"):
        await keeper.ended(code)
        await keeper.look()
        seen.append((await keeper.card()).dead_code)
    assert seen == [None] * 5 + ["tp_st_43"]


@pytest.mark.parametrize("code", ["cms_8", "cms_10", "cms_42", "tp_st_46", "tp_st_62"])
async def test_what_speaks_of_the_sender_or_of_the_moment_marks_nobody(keeper: Keeper, code: str):
    for _ in range(4):
        await keeper.ended(code)
    await keeper.look()
    assert (await keeper.card()).dead_us is None


async def test_a_test_marks_nobody(keeper: Keeper):
    keeper.bench.principal = Principal(keeper.bench.principal.token_id, "t", frozenset({"send"}), test=True)
    await keeper.ended("cms_1")
    await keeper.look()
    assert (await keeper.card()).dead_us is None


async def test_a_mark_is_taken_back_by_hand_and_stays_so(keeper: Keeper):
    await keeper.ended("cms_1")
    await keeper.look()
    assert (await keeper.contacts.change(ADMIN, NUMBER, {"dead": None})).dead_us is None
    await keeper.look()
    assert (await keeper.card()).dead_us is None


async def test_a_gateway_that_starts_again_misses_nothing(keeper: Keeper):
    await keeper.ended("cms_1")
    keeper.hygiene = Hygiene(keeper.bench.store, keeper.bench.clock)
    await keeper.look()
    assert (await keeper.card()).dead_code == "cms_1"


async def test_never_delivered_and_stale_are_told_apart(keeper: Keeper, clock: ManualClock):
    await keeper.ended("cms_42")
    await keeper.ended(None, OTHER)
    assert await keeper.listed("never_delivered") == [NUMBER]
    assert await keeper.listed("stale") == []
    clock.advance(timedelta(days=40))
    assert await keeper.listed("stale", 30) == [OTHER, NUMBER]
    await keeper.ended(None, OTHER)
    assert await keeper.listed("stale", 30) == [NUMBER]
    assert await keeper.listed("stale", 60) == []


def test_the_verdict_of_endings():
    certain, doubtful = "cms_1", "tp_st_43"
    for endings, verdict in (
        ([], None),
        ([None], None),
        ([certain], certain),
        ([certain, None], certain),
        ([doubtful], None),
        ([doubtful] * (DOUBTFUL - 1), None),
        ([doubtful] * DOUBTFUL, doubtful),
        ([doubtful, certain, doubtful], doubtful),
        ([doubtful, doubtful, None], None),
        ([doubtful, "cms_42", doubtful], None),
        (["cms_42", certain], None),
    ):
        assert verdict_of(endings) == verdict, endings
