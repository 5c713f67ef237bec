"""Messages and reports that are kept together: as if each had come alone, whatever stands in the group."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, Bench, delivers, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import settings_in

from drivers.events import NO_RECEIPT, DeliverReceived, StatusReportReceived
from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, TimeStamp, UserData, join_smsc
from gateway.clock import SECOND_US, to_datetime
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Heard, Inbox
from gateway.inbound.replies import Replies
from gateway.inbound.reports import Reports
from gateway.message import Status
from gateway.store.database import Store

ORIGIN = Origin("sim1", "test-1", "8933")
OTHER = "+33622222222"
TEXTS = ("Bonjour", "STOP", "START", "ok", "x" * 200, "é" * 300, "😀" * 80, "stop ", "2 parts? " * 25)
SENDERS = (NUMBER, OTHER, "36111", "Clinique", "0612345678")

Pair = tuple[SmsDeliver, bytes]


@dataclass
class Ears:
    """Takes groups of SMS-DELIVERs and reports as a receiver does."""

    bench: Bench
    store: Store
    origin: Origin = ORIGIN

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.bench.ids, Replies(self.bench.settings, self.bench.ids))
        self.reports = Reports(self.store, "FR")

    async def hear(self, pairs: Sequence[Pair], *, after_us: int = 0) -> list[bool]:
        arrivals = [arrival_of(DeliverReceived(one, None, raw, NO_RECEIPT), self.origin, "FR") for one, raw in pairs]
        group = [Heard(arrival, self.store.fingerprint(arrival.sender), self.origin) for arrival in arrivals]
        now_us = self.bench.clock.now_us() + after_us
        return await self.store.write(lambda connection: self.inbox.take_all(connection, group, now_us))

    async def told(self, reports: Sequence[SmsStatusReport]) -> list[bool]:
        events = [StatusReportReceived(told, join_smsc(None, told.to_bytes()), NO_RECEIPT) for told in reports]
        group, now_us = [(event, self.origin) for event in events], self.bench.clock.now_us()
        return await self.store.write(lambda connection: self.reports.take_all(connection, group, now_us))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        def work(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

        return await self.store.read(work)

    async def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that a group leaves behind, in its order, without what is another each time."""
        queries = {
            "inbox": "SELECT number, text, i.parts, keyword, (SELECT count(*) FROM inbound_part WHERE inbox_id = i.id)"
            " FROM inbox i JOIN recipient r ON r.id = recipient_id ORDER BY i.id",
            "parts": "SELECT number, text, concat_sequence, inbox_id IS NULL FROM inbound_part p"
            " JOIN recipient r ON r.id = recipient_id ORDER BY p.id",
            "events": "SELECT type, detail FROM event ORDER BY id",
            "optouts": "SELECT number, category, lifted_us IS NULL FROM optout o"
            " JOIN recipient r ON r.id = recipient_id ORDER BY o.id",
            "messages": "SELECT number, text, status FROM message m JOIN recipient r ON r.id = recipient_id"
            " ORDER BY m.id",
        }
        return {name: await self.rows(query) for name, query in queries.items()}


@pytest.fixture
def ears(bench: Bench) -> Ears:
    return Ears(bench, bench.store)


def report(number: str, tp_mr: int, bench: Bench, tp_st: int = 0) -> SmsStatusReport:
    stamp = TimeStamp.from_datetime(to_datetime(bench.clock.now_us()))
    return SmsStatusReport(tp_mr=tp_mr, tp_ra=Address.from_text(number), tp_scts=stamp, tp_dt=stamp, tp_st=tp_st)


def drawn(chance: Random, now_us: int) -> list[Pair]:
    """What a few people send within some seconds: long texts torn apart, repeated, and out of order."""
    heard: list[Pair] = []
    for number in range(chance.randint(1, 12)):
        sent_us = now_us + chance.randint(0, 3) * SECOND_US
        heard += delivers(chance.choice(SENDERS), chance.choice(TEXTS), sent_us, reference=number % 3)
    for _ in range(chance.randint(0, 4)):
        heard.insert(chance.randrange(len(heard) + 1), chance.choice(heard))
    if chance.random() < 0.5:
        one, other = (chance.randrange(len(heard)) for _ in range(2))
        heard[one], heard[other] = heard[other], heard[one]
    return heard


async def test_a_group_leaves_what_its_messages_would_have_left_alone(
    ears: Ears, tmp_path: Path, clock: ManualClock, seeded: Random
) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    store = Place(folder, None).open()
    alone = Ears(await make_bench(settings_in(folder), store, clock), store)
    try:
        for day in range(12):
            heard = drawn(seeded, clock.now_us() + day * 86_400 * SECOND_US)
            after_us = day * 86_400 * SECOND_US
            kept = [kept for pair in heard for kept in await alone.hear([pair], after_us=after_us)]
            cut = seeded.randint(0, len(heard))
            together = [await ears.hear(group, after_us=after_us) for group in (heard[:cut], heard[cut:]) if group]
            assert [each for group in together for each in group] == kept
            assert await ears.dump() == await alone.dump()
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("STOP",), Status.SUPPRESSED),
        (("STOP", "START"), Status.QUEUED),
        (("START", "STOP"), Status.SUPPRESSED),
        (("STOP", "START", "STOP"), Status.SUPPRESSED),
        (("STOP", "hello", "START"), Status.QUEUED),
    ],
)
async def test_words_count_in_their_order_and_one_in_a_day_is_answered(
    ears: Ears, words: tuple[str, ...], status: Status
) -> None:
    now_us = ears.bench.clock.now_us()
    pairs = [pair for second, word in enumerate(words) for pair in delivers(NUMBER, word, now_us + second * SECOND_US)]
    assert all(await ears.hear(pairs))
    assert (await ears.bench.accept()).status is status
    sent = await ears.bench.send_all()
    assert len(sent) == 1 + (status is Status.QUEUED)


async def test_a_stop_in_a_group_ends_what_waits_in_its_commit(ears: Ears) -> None:
    later_us = ears.bench.clock.now_us() + 3600 * SECOND_US
    waiting = await ears.bench.accept(send_us=later_us)
    other = await ears.bench.accept(OTHER, send_us=later_us)
    now_us = ears.bench.clock.now_us()
    await ears.hear(
        [*delivers(OTHER, "hello", now_us), *delivers(NUMBER, "STOP", now_us), *delivers("36111", "x", now_us)]
    )
    assert (await ears.bench.get(waiting.id)).status is Status.SUPPRESSED
    assert (await ears.bench.get(other.id)).status is Status.HELD


async def test_the_same_octets_twice_in_a_group_are_one_message(ears: Ears) -> None:
    pairs = delivers(NUMBER, "once", ears.bench.clock.now_us())
    assert await ears.hear([*pairs, *delivers(OTHER, "another", ears.bench.clock.now_us()), *pairs]) == [
        True,
        True,
        False,
    ]
    assert await ears.hear([*pairs, *pairs]) == [False, False]
    assert await ears.rows("SELECT text FROM inbox ORDER BY id") == [("once",), ("another",)]


async def test_two_modems_that_hear_the_same_through_one_sim_keep_it_once(ears: Ears) -> None:
    there = Ears(ears.bench, ears.store, replace(ORIGIN, modem="sim2"))
    elsewhere = Ears(ears.bench, ears.store, Origin("sim3", "test-1", "8944"))
    pairs = [pair for text in range(20) for pair in delivers(NUMBER, f"text {text}", ears.bench.clock.now_us())]
    kept = await asyncio.gather(*(each.hear(pairs) for each in (ears, there, elsewhere)))
    assert [sum(each) for each in kept] == [20, 0, 20]
    assert await ears.rows("SELECT modem, count(*) FROM inbox GROUP BY modem ORDER BY modem") == [
        ("sim1", 20),
        ("sim3", 20),
    ]


async def test_two_hosts_that_hear_the_same_at_once_keep_it_once(ears: Ears, place: Place) -> None:
    if place.database is None:
        pytest.skip("SQLite has one host")
    store = place.open("test-2")
    other = Ears(ears.bench, store, replace(ORIGIN, node="test-2"))
    try:
        for day in range(10):
            texts = [f"{day} {text}" for text in range(20)]
            pairs = [pair for text in texts for pair in delivers(NUMBER, text, ears.bench.clock.now_us())]
            kept = await asyncio.gather(ears.hear(pairs), other.hear(pairs))
            assert [a + b for a, b in zip(*kept, strict=True)] == [True] * 20
        assert await ears.rows("SELECT count(*) FROM inbox") == [(200,)]
        assert await ears.rows("SELECT count(*) FROM inbound_part WHERE inbox_id IS NULL") == [(0,)]
    finally:
        await store.close()


async def test_replies_of_a_group_are_tied_to_what_each_person_was_sent_last(ears: Ears) -> None:
    for to in (NUMBER, OTHER):
        await ears.bench.accept(to, reference=f"for {to}")
    await ears.bench.send_all()
    now_us = ears.bench.clock.now_us()
    await ears.hear([*delivers(OTHER, "yes", now_us), *delivers(NUMBER, "no", now_us), *delivers("36111", "?", now_us)])
    assert await ears.rows("SELECT text, reference FROM inbox ORDER BY id") == [
        ("yes", f"for {OTHER}"),
        ("no", f"for {NUMBER}"),
        ("?", None),
    ]


async def test_a_network_without_a_clock_is_heard_again_in_a_group_too(ears: Ears) -> None:
    octets = SmsDeliver(Address.from_text(NUMBER), TimeStamp(b"\x00" * 7), UserData(text="OK")).to_bytes()
    pair = (SmsDeliver.from_bytes(octets), join_smsc(None, octets))
    assert await ears.hear([pair, pair]) == [True, False]
    more = delivers(NUMBER, "more", ears.bench.clock.now_us())
    assert await ears.hear([*more, pair], after_us=660 * SECOND_US) == [True, True]
    assert await ears.rows("SELECT text FROM inbox ORDER BY id") == [("OK",), ("more",), ("OK",)]


async def test_reports_of_a_group_move_each_its_part(ears: Ears) -> None:
    bench = ears.bench
    long = await bench.accept(text="x" * 161)
    short = await bench.accept(OTHER)
    await bench.send_all(reference=5)
    unknown = report("+33699999999", 99, bench)
    told = [report(NUMBER, 6, bench), unknown, report(OTHER, 7, bench, 0x46), report(NUMBER, 5, bench)]
    assert await ears.told([*told, told[0]]) == [True, True, True, True, False]
    assert [(await bench.get(each.id)).status for each in (long, short)] == [Status.DELIVERED, Status.UNDELIVERED]
    assert await ears.rows("SELECT tp_mr, attempt_id IS NULL FROM report ORDER BY id") == [
        (6, False),
        (99, True),
        (7, False),
        (5, False),
    ]


async def test_still_trying_and_delivered_in_one_group(ears: Ears) -> None:
    message = await ears.bench.accept()
    await ears.bench.send_all(reference=5)
    await ears.told([report(NUMBER, 5, ears.bench, 0x20), report(NUMBER, 5, ears.bench)])
    assert (await ears.bench.get(message.id)).status is Status.DELIVERED


async def test_octets_that_came_again_in_earnest_are_known_when_they_are_told_again(
    ears: Ears, clock: ManualClock
) -> None:
    # A stamp that stands still, or that of a centre which kept it for long.
    heard = delivers(NUMBER, "ok", clock.now_us() - 10 * 24 * 3600 * SECOND_US, reference=1)
    day_us = 25 * 3600 * SECOND_US
    kept = [
        (await ears.hear(heard, after_us=after_us))[0]
        for after_us in (0, SECOND_US, day_us, day_us + SECOND_US, day_us + 2 * SECOND_US, 2 * day_us, 2 * day_us + 1)
    ]
    assert kept == [True, False, True, False, False, True, False]
    assert len(await ears.rows("SELECT 1 FROM inbox")) == 3
