"""Keys of callers: one message however often it is asked for, and nothing for what was refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.settings import settings_in

from gateway.errors import Conflict, InvalidRequest
from gateway.message import Message, PartEvent, Status
from gateway.outbound.dispatcher import upkeep_at
from gateway.requests import NewMessage, NewToken, Principal, Submission
from gateway.store import tokens
from gateway.store.opening import open_store

OTHER = "+33698765432"
DAY = timedelta(days=1)


async def keyed(bench: Bench, key: str = "k", text: str = "hello", **fields: object) -> Message:
    return await bench.intake.accept(bench.principal, NewMessage(NUMBER, text, **fields), key)  # type: ignore[arg-type]


async def rows(bench: Bench, table: str = "message") -> int:
    return await bench.store.read(
        lambda connection: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # type: ignore[return-value]
    )


async def test_a_thousand_repeats_at_once_are_one_message(bench: Bench, tell) -> None:
    # What is refused first uses up no key.
    for key, text in (("k", ""), ("k" * 256, "hello")):
        with pytest.raises(InvalidRequest):
            await keyed(bench, key, text)
    messages = await asyncio.gather(*(keyed(bench) for _ in range(1000)))
    assert len({message.id for message in messages}) == 1
    found = await rows(bench), await rows(bench, "idempotency")
    assert found == (1, 1)
    tell(f"H08: 1000 at once with one key, after a 422 with it: {found[0]} row; a key of 256 characters: 422")


async def test_a_thousand_bodies_under_one_key_are_one_message_and_conflicts(bench: Bench) -> None:
    results = await asyncio.gather(*(keyed(bench, text=f"{n % 4}") for n in range(1000)), return_exceptions=True)
    accepted = [each for each in results if isinstance(each, Message)]
    refused = [each for each in results if not isinstance(each, Message)]
    assert len({message.id for message in accepted}) == 1
    assert len(accepted) == 250
    assert {(type(each), getattr(each, "code", "")) for each in refused} == {(Conflict, "idempotency_mismatch")}
    assert await rows(bench) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "hello!"},
        {"reference": "r"},
        {"flash": True},
        {"send_us": 1_767_610_000_000_000},
        {"category": "emergency"},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_another_body_is_a_conflict(bench: Bench, fields: dict[str, object]) -> None:
    first = await keyed(bench)
    with pytest.raises(Conflict) as refused:
        await keyed(bench, **fields)  # type: ignore[arg-type]
    assert refused.value.code == "idempotency_mismatch"
    assert (await keyed(bench)).id == first.id


async def test_the_repeat_is_answered_with_the_message_as_it_is_by_then(bench: Bench) -> None:
    first = await keyed(bench)
    (marked,) = await bench.send_all()
    again = await keyed(bench)
    assert (first.status, again.status, again.id) == (Status.QUEUED, Status.SENT, first.id)
    assert marked.message_id == first.id


async def test_what_was_refused_uses_up_no_key(bench: Bench) -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            await keyed(bench, text="")
    assert await rows(bench, "idempotency") == 0
    assert (await keyed(bench)).status is Status.QUEUED


async def test_a_repeat_is_good_when_a_new_request_would_no_longer_be(bench: Bench) -> None:
    fields = {"expires_us": bench.clock.now_us() + 60_000_000}
    first = await keyed(bench, **fields)
    bench.clock.advance(timedelta(hours=1))
    assert (await keyed(bench, **fields)).id == first.id
    with pytest.raises(Conflict):
        await keyed(bench, text="other", **fields)
    with pytest.raises(InvalidRequest):
        await keyed(bench, key="another", **fields)


async def test_a_key_counts_within_its_token(bench: Bench) -> None:
    first = await keyed(bench)
    other = await bench.store.write(
        lambda connection: tokens.add(connection, NewToken("other", ("send",)), b"1" * 32, bench.clock.now_us())
    )
    assert other is not None
    bench.principal = Principal(other.id, "other", frozenset({"send"}))
    assert (await keyed(bench, text="something else")).id != first.id


async def test_a_key_counts_for_seven_days(bench: Bench) -> None:
    first = await keyed(bench)
    bench.clock.advance(7 * DAY - timedelta(seconds=1))
    assert (await keyed(bench)).id == first.id
    bench.clock.advance(timedelta(seconds=1))
    second = await keyed(bench, text="other")
    assert second.id != first.id
    assert (await keyed(bench, text="other")).id == second.id
    assert await rows(bench, "idempotency") == 1


async def test_keys_that_no_longer_count_are_forgotten(bench: Bench) -> None:
    for number in range(5):
        await keyed(bench, key=f"k{number}")
    bench.clock.advance(7 * DAY)
    await bench.store.write(lambda connection: upkeep_at(connection, bench.clock.now_us()))
    assert await rows(bench, "idempotency") == 0


async def test_a_key_survives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    store = open_store(folder / "tocsin.db")
    bench = await make_bench(settings_in(folder), store, clock)
    first = await keyed(bench)
    await store.close()
    store = open_store(folder / "tocsin.db")
    reopened = replace(bench, store=store, intake=type(bench.intake)(bench.settings, store, clock, bench.ids))
    assert (await keyed(reopened)).id == first.id
    with pytest.raises(Conflict):
        await keyed(reopened, text="other")
    await store.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "\ud800"])
async def test_a_key_that_cannot_be_one(bench: Bench, key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await keyed(bench, key=key)
    assert refused.value.code == "idempotency_key_invalid"
    assert await rows(bench) == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, "é" * 255, "a b\tc", "0" * 32])
async def test_a_key_that_is_one(bench: Bench, key: str) -> None:
    assert (await keyed(bench, key=key)).id == (await keyed(bench, key=key)).id


async def test_neither_key_nor_text_can_be_read_from_the_store(bench: Bench) -> None:
    await keyed(bench, key="an-order-number-4711", text="hello")
    stored = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT lookup, body FROM idempotency").one()
    )
    assert [len(each) for each in stored] == [32, 32]
    assert b"4711" not in b"".join(stored)


async def test_a_batch_is_repeated_as_a_whole(bench: Bench) -> None:
    batch = [Submission(NewMessage(NUMBER, "one")), Submission(NewMessage(OTHER, "two"))]
    first = await bench.intake.accept_all(bench.principal, batch, "b")
    assert await bench.intake.accept_all(bench.principal, batch, "b") == first
    for other in (batch[:1], [*batch, batch[0]], batch[::-1]):
        with pytest.raises(Conflict) as refused:
            await bench.intake.accept_all(bench.principal, other, "b")
        assert refused.value.code == "idempotency_mismatch"
    assert await rows(bench) == 2


async def test_in_a_batch_each_may_have_its_own_key_also_twice(bench: Bench) -> None:
    one, two = Submission(NewMessage(NUMBER, "one"), "1"), Submission(NewMessage(OTHER, "two"), "2")
    first, again, second = await bench.intake.accept_all(bench.principal, [one, one, two])
    assert first == again
    assert first != second
    assert await rows(bench) == 2
    bad = Submission(NewMessage(NUMBER, "three"), "1")
    fresh = Submission(NewMessage(NUMBER, "four"), "4")
    with pytest.raises(Conflict) as refused:
        await bench.intake.accept_all(bench.principal, [fresh, two, bad])
    assert [error.pointer for error in refused.value.errors] == ["/messages/2"]
    assert (await rows(bench), await rows(bench, "idempotency")) == (2, 2)


async def test_a_repeat_with_replaces_replaces_nothing_again(bench: Bench) -> None:
    first = await keyed(bench, reference="r", replaces=True)
    newer = await bench.accept(reference="r", text="newer")
    assert (await keyed(bench, reference="r", replaces=True)).id == first.id
    assert (await bench.get(newer.id)).status is Status.QUEUED
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
