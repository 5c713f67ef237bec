"""The kill switch at the gate, and how messages look while it stands."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, Bench
from support.place import Place
from support.waiting import eventually

from gateway.message import NO_PAUSE, PartEvent, Pause, Rule, Status
from gateway.outbound.dispatcher import upkeep_at
from gateway.requests import MessageFilter, NewMessage
from gateway.store import events, lanes, messages, outcomes, pauses
from gateway.store.beside import write_beside
from gateway.store.engines import SqliteEngine
from gateway.store.opening import StoreUnusable

OTHER = "+33698765432"


async def pause(bench: Bench, *categories: str) -> Pause:
    return await bench.store.write(
        lambda connection: pauses.add(connection, categories, bench.clock.now_us(), by="test")
    )


async def resume(bench: Bench) -> Pause:
    return await bench.store.write(lambda connection: pauses.lift(connection, bench.clock.now_us(), by="test"))


async def listed(bench: Bench, *words: str) -> list[str]:
    wanted = MessageFilter(status=words)
    page = await bench.store.read(
        lambda connection: messages.page(connection, wanted, recipient_id=None, token_id=None, limit=50, before=None)
    )
    assert {item.status for item in page.items} <= set(words)
    return sorted(item.id for item in page.items)


async def words_of(bench: Bench, message_id: str) -> list[str]:
    rows = await bench.store.read(lambda connection: events.of_message(connection, message_id))
    return [row.type for row in rows]


async def test_nothing_is_marked_while_everything_is_paused(bench: Bench) -> None:
    alert = await bench.accept(category="emergency")
    await pause(bench)
    assert await bench.next() is None
    held = await bench.get(alert.id)
    assert (held.status, held.hold and held.hold.rule, held.hold and held.hold.until_us) == (
        Status.HELD, Rule.PAUSED, None,
    )  # fmt: skip
    await resume(bench)
    assert (await bench.get(alert.id)).status is Status.QUEUED
    marked = await bench.next()
    assert marked is not None
    assert marked.message_id == alert.id


async def test_it_is_asked_at_every_part(bench: Bench) -> None:
    message = await bench.accept(text="x" * 400)
    first = await bench.next()
    assert first is not None
    await pause(bench)
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    assert await bench.next() is None
    shown = await bench.get(message.id)
    assert (shown.status, shown.hold) == (Status.SENDING, None)
    await resume(bench)
    assert len(await bench.send_all(2)) == 2
    assert (await bench.get(message.id)).status is Status.SENT


async def test_categories_are_paused_alone_also_within_a_begun_message(bench: Bench) -> None:
    promotion = await bench.accept(text="x" * 400, category="promotional")
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    waiting = await bench.accept(to="+33600000001", category="promotional")
    await pause(bench, "promotional", "authentication")
    notice = await bench.accept(to=OTHER)
    alert = await bench.accept(to="+33600000002", category="emergency")
    assert [each.message_id for each in await bench.send_all(2)] == [alert.id, notice.id]
    assert (await bench.get(promotion.id)).status is Status.SENDING
    assert (await bench.get(waiting.id)).status is Status.HELD
    await resume(bench)
    assert [each.message_id for each in await bench.send_all(4)] == [promotion.id, promotion.id, waiting.id]


async def test_the_order_among_free_categories_is_that_of_the_queue(bench: Bench) -> None:
    await pause(bench, "authentication")
    ids = {}
    for number, name in enumerate(("promotional", "transactional", "authentication", "emergency", "transactional")):
        ids[number] = (await bench.accept(to=f"+3360000000{number}", category=name)).id
    assert [each.message_id for each in await bench.send_all()] == [ids[3], ids[1], ids[4], ids[0]]


async def test_a_further_copy_waits_too(bench: Bench) -> None:
    message = await bench.accept(category="emergency")
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout")
    await pause(bench)
    await bench.store.write(lambda connection: outcomes.resend(connection, message.id, bench.clock.now_us()))
    assert await bench.next() is None
    await resume(bench)
    assert await bench.next() is not None


async def test_what_is_accepted_meanwhile_says_held(bench: Bench) -> None:
    await pause(bench, "transactional")
    message, free = await bench.accept(), await bench.accept(category="emergency")
    assert (message.status, message.hold and message.hold.rule) == (Status.HELD, Rule.PAUSED)
    assert (free.status, free.hold) == (Status.QUEUED, None)
    assert message == await bench.get(message.id)
    assert await words_of(bench, message.id) == ["message.held"]
    found = await bench.intake.preview(bench.principal, NewMessage(NUMBER, "x"), None)
    assert (found.decision, found.rule, found.until_us) == ("hold", Rule.PAUSED, None)


async def test_another_rule_keeps_its_word_and_gives_way_when_its_time_has_come(bench: Bench) -> None:
    later = await bench.accept(send_us=bench.clock.now_us() + 60_000_000)
    await pause(bench)
    assert (await bench.get(later.id)).hold == later.hold
    bench.clock.advance(timedelta(minutes=2))
    await bench.store.write(lambda connection: upkeep_at(connection, bench.clock.now_us()))
    shown = await bench.get(later.id)
    assert (shown.status, shown.hold and shown.hold.rule) == (Status.HELD, Rule.PAUSED)
    assert await words_of(bench, later.id) == ["message.held", "message.held"]


async def test_lists_and_filters_agree_with_what_is_shown(bench: Bench) -> None:
    scheduled = await bench.accept(send_us=bench.clock.now_us() + 60_000_000)
    promotion = await bench.accept(to=OTHER, category="promotional")
    alert = await bench.accept(category="emergency")
    assert await listed(bench, "held") == [scheduled.id]
    assert await listed(bench, "queued") == sorted([promotion.id, alert.id])
    await pause(bench, "promotional")
    assert await listed(bench, "held") == sorted([scheduled.id, promotion.id])
    assert await listed(bench, "queued") == [alert.id]
    await pause(bench)
    assert await listed(bench, "held") == sorted([scheduled.id, promotion.id, alert.id])
    assert await listed(bench, "queued") == []
    assert await listed(bench, "held", "queued") == sorted([scheduled.id, promotion.id, alert.id])
    assert await listed(bench, "sent", "queued") == []
    await resume(bench)
    assert await listed(bench, "queued") == sorted([promotion.id, alert.id])


async def test_a_paused_message_can_be_cancelled_and_expires(bench: Bench) -> None:
    first, second = await bench.accept(reference="r"), await bench.accept(to=OTHER)
    await pause(bench)
    await bench.accept(reference="r", replaces=True)
    assert (await bench.get(first.id)).status is Status.CANCELED
    bench.clock.advance(timedelta(days=2))
    await bench.store.write(lambda connection: upkeep_at(connection, bench.clock.now_us()))
    assert (await bench.get(second.id)).status is Status.EXPIRED


async def test_pausing_and_resuming_are_events_once(bench: Bench) -> None:
    await bench.accept()
    assert (await pause(bench, "promotional")).categories == ("promotional",)
    since_us = bench.clock.now_us()
    bench.clock.advance(timedelta(minutes=1))
    again = await pause(bench, "promotional")
    assert (again.categories, again.since_us, again.everything) == (("promotional",), since_us, False)
    assert (await pause(bench)).everything
    assert await resume(bench) == await resume(bench) == NO_PAUSE

    def told(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.exec_driver_sql(
            "SELECT type, detail FROM event WHERE type IN ('queue.paused', 'queue.resumed') ORDER BY id"
        )
        return [(row[0], row[1]) for row in rows]

    assert await bench.store.read(told) == [
        ("queue.paused", "promotional, by test"),
        ("queue.paused", "everything, by test"),
        ("queue.resumed", "by test"),
    ]


async def test_no_mark_is_made_after_the_pause_was_committed(bench: Bench) -> None:
    for number in range(40):
        await bench.accept(to=f"+336000{number:05d}")
    paused = asyncio.Event()
    after: list[object] = []

    async def send() -> None:
        while not paused.is_set():
            marked = await bench.next()
            if marked is None:
                return
            if paused.is_set():
                after.append(marked)
            await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)

    async def some_marks() -> bool:
        return await bench.store.read(queue_marks) >= 5

    async def stop() -> None:
        await eventually(some_marks)
        await pause(bench)
        marks.append(await bench.store.read(queue_marks))
        paused.set()

    marks: list[int] = []
    await asyncio.gather(*(send() for _ in range(4)), stop())
    assert await bench.store.read(queue_marks) == marks[0] < 40
    assert await bench.next() is None


def queue_marks(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM attempt").scalar()  # type: ignore[return-value]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_paused_category_is_not_walked_over(bench: Bench) -> None:
    """However many wait in it: the query of a free category steps only on rows of its own."""
    await bench.accept()

    def plan(connection: Connection) -> str:
        text = lanes._ready(0)._text(connection.dialect)
        names = {name: 0 for name, _ in text.places if name is not None}
        rows = connection.connection.driver_connection.execute(  # type: ignore[union-attr]
            f"EXPLAIN QUERY PLAN {text.sql}", text.arguments(names)
        )
        return "\n".join(row[3] for row in rows)

    told = await bench.store.read(plan)
    assert "ix_message_lane (lane=?" in told
    assert "USE TEMP B-TREE" not in told


async def test_the_store_can_be_paused_beside_its_holder(place: Place, bench: Bench) -> None:
    message = await bench.accept()
    now_us = bench.clock.now_us()
    write_beside(place.engine(), lambda connection: pauses.add(connection, (), now_us, by="test"))
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.HELD
    write_beside(place.engine(), lambda connection: pauses.lift(connection, now_us, by="test"))
    assert await bench.next() is not None


def test_what_is_no_store_of_this_version_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="no store"):
        write_beside(SqliteEngine(tmp_path / "none.db"), lambda _connection: None)
    (tmp_path / "other.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnusable, match="not a database"):
        write_beside(SqliteEngine(tmp_path / "other.db"), lambda _connection: None)
