"""What comes in: once, whole, across restarts, and what its words do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER, SIM1, Bench, delivers, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import category, settings_in

from drivers.events import NO_RECEIPT, DeliverReceived, StatusReportReceived
from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, TimeStamp, UserData, join_smsc
from gateway.clock import to_datetime
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.replies import Replies
from gateway.inbound.reports import Reports
from gateway.message import InboxItem, Message, PartEvent, Status
from gateway.requests import InboxFilter, MessageFilter
from gateway.store import inbox, messages, optouts, recipients
from gateway.store.database import Store

ORIGIN = Origin("sim1", "test-1", "8933")


@dataclass
class Ear:
    """Takes SMS-DELIVERs and reports as a receiver does."""

    bench: Bench

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.bench.ids, Replies(self.bench.settings, self.bench.ids))
        self.reports = Reports(self.bench.store, "FR")

    async def hear(self, pairs: Sequence[tuple[SmsDeliver, bytes]]) -> list[bool]:
        return [await self._deliver(deliver, raw) for deliver, raw in pairs]

    async def text(self, sender: str, text: str) -> list[bool]:
        self.bench.clock.advance(timedelta(seconds=1))
        return await self.hear(delivers(sender, text, self.bench.clock.now_us()))

    async def _deliver(self, deliver: SmsDeliver, raw: bytes) -> bool:
        arrival = arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), ORIGIN, "FR")
        store, now_us = self.bench.store, self.bench.clock.now_us()
        lookup = store.fingerprint(arrival.sender)
        return await store.write(lambda connection: self.inbox.take(connection, arrival, lookup, ORIGIN, now_us))

    async def give_up(self) -> int:
        now_us = self.bench.clock.now_us()
        return await self.bench.store.write(lambda connection: self.inbox.give_up(connection, "test-1", now_us))

    async def report(self, number: str, tp_mr: int, tp_st: int = 0) -> bool:
        stamp = TimeStamp.from_datetime(to_datetime(self.bench.clock.now_us()))
        told = SmsStatusReport(tp_mr=tp_mr, tp_ra=Address.from_text(number), tp_scts=stamp, tp_dt=stamp, tp_st=tp_st)
        event = StatusReportReceived(told, join_smsc(None, told.to_bytes()), NO_RECEIPT)
        now_us = self.bench.clock.now_us()
        return await self.bench.store.write(lambda connection: self.reports.take(connection, event, ORIGIN, now_us))

    async def items(self) -> Sequence[InboxItem]:
        return (
            await self.bench.store.read(
                lambda connection: inbox.page(
                    connection, InboxFilter(), recipient_id=None, token_id=None, limit=100, before=None
                )
            )
        ).items

    async def outgoing(self) -> Sequence[Message]:
        return (
            await self.bench.store.read(
                lambda connection: messages.page(
                    connection, MessageFilter(), recipient_id=None, token_id=None, limit=100, before=None
                )
            )
        ).items


@pytest.fixture
def ear(bench: Bench) -> Ear:
    return Ear(bench)


async def test_a_text_arrives_once_however_often_it_is_read(ear: Ear) -> None:
    pairs = delivers("+33611111111", "Bonjour", ear.bench.clock.now_us())
    assert await ear.hear(pairs + pairs) == [True, False]
    (item,) = await ear.items()
    assert (item.sender, item.text, item.parts, item.modem, item.keyword) == (
        "+33611111111",
        "Bonjour",
        1,
        "sim1",
        None,
    )
    assert item.sent_us == ear.bench.clock.now_us()


@pytest.mark.parametrize("text", ["é" * 400, "😀" * 100, "a[" * 200], ids=["gsm7", "ucs2", "extension"])
async def test_long_texts_are_whole_when_the_last_part_is_there_in_any_order(ear: Ear, text: str) -> None:
    pairs = delivers("+33611111111", text, ear.bench.clock.now_us())
    for pair in reversed(pairs):
        assert not await ear.items()
        await ear.hear([pair])
    (item,) = await ear.items()
    assert (item.text, item.parts) == (text, len(pairs))


async def test_parts_wait_in_the_store_across_a_restart(tmp_path: Path, place: Place, clock: ManualClock) -> None:
    settings = settings_in(tmp_path)
    first = place.open()
    pairs = delivers("+33611111111", "x" * 200, clock.now_us())
    await Ear(await make_bench(settings, first, clock)).hear(pairs[:1])
    await first.close()
    second = place.open()
    bench = Bench(settings, second, clock, *_parts_of(settings, second, clock))
    after = Ear(bench)
    await after.hear(pairs[1:])
    assert [item.text for item in await after.items()] == ["x" * 200]
    await second.close()


def _parts_of(settings, store, clock):  # type: ignore[no-untyped-def]
    from gateway.ids import IdSource  # noqa: PLC0415
    from gateway.outbound.gate import Gate  # noqa: PLC0415
    from gateway.outbound.intake import Intake  # noqa: PLC0415
    from gateway.requests import Principal  # noqa: PLC0415

    ids = IdSource(clock)
    return ids, Gate(settings), Intake(settings, store, clock, ids), Principal(1, "test", frozenset())


async def test_parts_of_two_senders_or_with_another_total_are_never_mixed(ear: Ear) -> None:
    now_us = ear.bench.clock.now_us()
    one = delivers("+33611111111", "x" * 200, now_us)
    two = delivers("+33622222222", "y" * 200, now_us)
    three = delivers("+33611111111", "z" * 400, now_us)
    await ear.hear([one[0], two[1], three[1]])
    assert not await ear.items()
    await ear.hear([two[0]])
    assert [item.text for item in await ear.items()] == ["y" * 200]


async def test_parts_a_day_apart_are_not_joined_and_shown_as_they_came(ear: Ear) -> None:
    pairs = delivers("+33611111111", "x" * 200, ear.bench.clock.now_us())
    await ear.hear(pairs[:1])
    ear.bench.clock.advance(timedelta(hours=25))
    await ear.hear(pairs[1:])
    assert not await ear.items()
    assert await ear.give_up() == 1
    assert await ear.give_up() == 0
    (fragment,) = await ear.items()
    assert (fragment.text, fragment.parts) == ("x" * 153, 1)


async def test_a_reference_that_comes_round_never_mixes_two_messages(ear: Ear) -> None:
    first = delivers("+33611111111", "a" * 400, ear.bench.clock.now_us())
    await ear.hear(first[:2])
    ear.bench.clock.advance(timedelta(hours=10))
    await ear.hear(delivers("+33611111111", "b" * 400, ear.bench.clock.now_us()))
    assert [item.text for item in await ear.items()] == ["b" * 400, "a" * 306]


async def test_in_doubt_a_repeated_stop_is_a_stop(ear: Ear) -> None:
    now_us = ear.bench.clock.now_us()
    for word in ("STOP", "START", "STOP"):
        await ear.hear(delivers(NUMBER, word, now_us))
    assert (await ear.bench.accept()).status is Status.SUPPRESSED


async def test_the_same_words_are_heard_again_when_the_network_has_no_clock(ear: Ear) -> None:
    stamp = TimeStamp(b"\x00" * 7)
    deliver = SmsDeliver(tp_oa=Address.from_text(NUMBER), tp_scts=stamp, tp_ud=UserData(text="OK"))
    octets = deliver.to_bytes()
    pair = (SmsDeliver.from_bytes(octets), join_smsc(None, octets))
    assert await ear.hear([pair, pair]) == [True, False]
    ear.bench.clock.advance(timedelta(minutes=11))
    assert await ear.hear([pair]) == [True]
    assert [item.text for item in await ear.items()] == ["OK", "OK"]


async def test_stop_ends_what_waits_confirms_once_and_start_lifts_it(ear: Ear) -> None:
    bench = ear.bench
    waiting = await bench.accept(send_us=bench.clock.now_us() + 3600 * 1_000_000)
    alert = await bench.accept(category="emergency", send_us=bench.clock.now_us() + 3600 * 1_000_000)
    await ear.text(NUMBER, "Stop !")
    assert (await bench.get(waiting.id)).status is Status.SUPPRESSED
    assert (await bench.get(alert.id)).status is Status.HELD
    assert (await bench.accept()).status is Status.SUPPRESSED
    (confirmation,) = await bench.send_all()
    assert "START" in ((await bench.get(confirmation.message_id)).text or "")
    await ear.text("06 12 34 56 78".replace(" ", ""), "« ARRÊT »")
    assert await bench.send_all() == []
    await ear.text(NUMBER, "start")
    assert (await bench.accept()).status is Status.QUEUED
    assert [item.keyword for item in await ear.items()] == ["start", "stop", "stop"]


async def test_after_start_a_new_stop_is_confirmed_again_the_next_day(ear: Ear) -> None:
    for word in ("STOP", "START", "STOP"):
        await ear.text(NUMBER, word)
    assert len(await ear.bench.send_all()) == 1
    ear.bench.clock.advance(timedelta(hours=25))
    for word in ("START", "STOP"):
        await ear.text(NUMBER, word)
    assert len(await ear.bench.send_all()) == 1


@pytest.mark.parametrize("sender", ["36111", "Clinique"])
async def test_short_codes_and_names_are_heard_and_never_answered(ear: Ear, sender: str) -> None:
    await ear.text(sender, "STOP")
    (item,) = await ear.items()
    assert (item.sender, item.keyword) == (sender, "stop")
    assert await ear.bench.send_all() == []


async def test_a_stop_is_never_answered_at_a_premium_rate(ear: Ear) -> None:
    await ear.text("+33899123456", "STOP")
    assert await ear.bench.send_all() == []
    (answer,) = await ear.outgoing()
    assert (answer.status, answer.error_code) == (Status.FAILED, "number_not_allowed")
    lookup = ear.bench.store.fingerprint("+33899123456")
    person = await ear.bench.store.read(lambda connection: recipients.find(connection, lookup))
    standing = await ear.bench.store.read(lambda c: optouts.page(c, recipient_id=person, limit=9, before=None))
    assert len(standing.items) == 1


async def test_stop_of_one_category_alone_when_configured_so(tmp_path: Path, store: Store, clock: ManualClock) -> None:
    settings = settings_in(tmp_path, categories=(category("club"),), stop_scope="category")
    bench = await make_bench(settings, store, clock)
    ear = Ear(bench)
    await bench.accept(category="club")
    await bench.send_all()
    await ear.text(NUMBER, "STOP")
    assert (await bench.accept(category="club")).status is Status.SUPPRESSED
    assert (await bench.accept()).status is Status.QUEUED
    standing = await store.read(lambda connection: optouts.page(connection, recipient_id=None, limit=9, before=None))
    assert [each.category for each in standing.items] == ["club"]


async def test_a_reply_is_tied_to_the_last_message_that_left(ear: Ear) -> None:
    bench = ear.bench
    await ear.text(NUMBER, "hello?")
    first = await bench.accept(reference="appointment-1")
    await bench.send_all()
    await bench.accept(reference="later", send_us=bench.clock.now_us() + 3600 * 1_000_000)
    await ear.text(NUMBER, "OK")
    answered, before = await ear.items()
    assert (before.in_reply_to, before.reference) == (None, None)
    assert (answered.in_reply_to, answered.reference) == (first.id, "appointment-1")


async def test_a_report_delivers_part_by_part(ear: Ear) -> None:
    message = await ear.bench.accept(text="x" * 161)
    await ear.bench.send_all(reference=5)
    assert await ear.report(NUMBER, 5)
    assert (await ear.bench.get(message.id)).status is Status.SENT
    assert await ear.report(NUMBER, 6)
    done = await ear.bench.get(message.id)
    assert (done.status, done.delivered_us) == (Status.DELIVERED, ear.bench.clock.now_us())
    assert not await ear.report(NUMBER, 6), "the same octets again"


@pytest.mark.parametrize(
    ("tp_st", "status"),
    [(0x00, "delivered"), (0x20, "sent"), (0x30, "sent"), (0x41, "undelivered"), (0x65, "undelivered")],
)
async def test_what_tp_st_says(ear: Ear, tp_st: int, status: str) -> None:
    message = await ear.bench.accept()
    await ear.bench.send_all(reference=5)
    await ear.report(NUMBER, 5, tp_st)
    ended = await ear.bench.get(message.id)
    assert ended.status == status
    assert (ended.error_code is None) is (status != "undelivered")


async def test_still_trying_then_delivered(ear: Ear) -> None:
    message = await ear.bench.accept()
    await ear.bench.send_all(reference=5)
    await ear.report(NUMBER, 5, 0x20)
    ear.bench.clock.advance(timedelta(minutes=1))
    await ear.report(NUMBER, 5, 0x00)
    assert (await ear.bench.get(message.id)).status is Status.DELIVERED


@pytest.mark.parametrize("written", ["0612345678", "33612345678", "+33612345678", "0033612345678"])
async def test_networks_write_the_recipient_as_they_like(ear: Ear, written: str) -> None:
    message = await ear.bench.accept()
    await ear.bench.send_all(reference=5)
    await ear.report(written, 5)
    assert (await ear.bench.get(message.id)).status is Status.DELIVERED


async def test_a_report_of_another_person_or_reference_moves_nothing(ear: Ear) -> None:
    message = await ear.bench.accept()
    await ear.bench.send_all(reference=5)
    await ear.report("+33699999999", 5)
    await ear.report(NUMBER, 6)
    assert (await ear.bench.get(message.id)).status is Status.SENT


async def test_a_report_that_overtakes_its_own_answer_counts(ear: Ear) -> None:
    message = await ear.bench.accept()
    marked = await ear.bench.next(SIM1)
    assert marked is not None
    await ear.report(NUMBER, 9)
    assert (await ear.bench.get(message.id)).status is Status.SENDING
    await ear.bench.settle(marked, PartEvent.ACCEPTED, tp_mr=9)
    assert (await ear.bench.get(message.id)).status is Status.DELIVERED


async def test_when_the_reference_comes_round_the_latest_message_is_meant(ear: Ear) -> None:
    old = await ear.bench.accept(text="old")
    await ear.bench.send_all(reference=5)
    # After 256 others.
    ear.bench.clock.advance(timedelta(minutes=7))
    new = await ear.bench.accept(text="new")
    await ear.bench.send_all(reference=5)
    await ear.report(NUMBER, 5)
    assert (await ear.bench.get(new.id)).status is Status.DELIVERED
    assert (await ear.bench.get(old.id)).status is Status.SENT


async def test_octets_that_no_reading_fits_are_kept_once(ear: Ear) -> None:
    for _ in range(2):
        await ear.bench.store.write(
            lambda connection: ear.inbox.take_undecodable(connection, "0791FF", "TP-OA at octet 3: ends", ORIGIN, 1)
        )

    def count(connection) -> int:  # type: ignore[no-untyped-def]
        return connection.exec_driver_sql("SELECT count(*) FROM inbound_part WHERE problem IS NOT NULL").scalar()

    assert await ear.bench.store.read(count) == 1
    assert not await ear.items()


async def test_an_ordinary_text_is_answered_once_a_day_that_nobody_reads_it(
    tmp_path: Path, store: Store, clock: ManualClock
):
    settings = settings_in(tmp_path)
    unread = "This number is not read, call 01 99 00 11 22"
    bench = await make_bench(replace(settings, replies=replace(settings.replies, unread=unread)), store, clock)
    ear, strangers = Ear(bench), [f"+3363998010{at}" for at in range(6)]
    for text in ("I come later", "And tomorrow?"):
        await ear.text(NUMBER, text)
    # What is said to be unread comes back from a gateway like this one; a question of ours waits for its words; a word
    # is obeyed; who opted out, and who has no number, is left alone.
    await ear.text(strangers[0], unread)
    await bench.accept(to=strangers[1], expect=("OUI",))
    await bench.send_all()
    await ear.text(strangers[1], "Which day?")
    await ear.text(strangers[2], "STOP")
    await ear.text(strangers[2], "Really")
    await ear.text("Clinic", "Our news")
    await ear.text("36180", "Our news")
    answers = [(each.to, each.text) for each in await ear.outgoing() if each.text == unread]
    assert answers == [(NUMBER, unread)]
