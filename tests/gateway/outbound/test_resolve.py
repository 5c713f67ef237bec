"""An operator's word on what may have gone: every state of a message, and every word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.bench import NUMBER, Bench

from gateway.errors import Conflict, NotFound
from gateway.message import Message, PartEvent, PartState, Status
from gateway.outbound.dispatcher import upkeep_at
from gateway.requests import Principal, Settlement
from gateway.services import Messages
from gateway.store import events, optouts, queue, recipients


async def uncertain(bench: Bench, text: str = "hello", **fields: object) -> Message:
    message = await bench.accept(text=text, **fields)
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    return await bench.get(message.id)


async def resolve(bench: Bench, message: Message, word: str, principal: Principal | None = None) -> Message:
    nudged.clear()
    service = Messages(
        bench.store,
        bench.clock,
        bench.intake,
        lambda _earliest_us=None: nudged.append(True),
        settings=bench.settings,
        book=bench.book,
    )
    return await service.resolve(principal or bench.principal, message.id, Settlement(word))


nudged: list[bool] = []


async def parts(bench: Bench, message: Message) -> list[PartState]:
    return await bench.store.read(lambda connection: queue.part_states(connection, message.id))


@pytest.mark.parametrize(
    ("word", "status", "part", "code"),
    [
        ("sent", Status.SENT, PartState.SENT, None),
        ("failed", Status.FAILED, PartState.FAILED, "resolved"),
        ("resend", Status.SENDING, PartState.PENDING, None),
    ],
)
async def test_an_uncertain_message_is_settled(
    bench: Bench, word: str, status: Status, part: PartState, code: str | None
) -> None:
    message = await uncertain(bench)
    assert message.status is Status.UNCERTAIN
    resolved = await resolve(bench, message, word)
    assert (resolved.status, resolved.error_code, await parts(bench, message)) == (status, code, [part])
    assert (resolved.sent_us is not None) == (word == "sent")
    assert nudged == [True]
    rows = await bench.store.read(lambda connection: events.of_message(connection, message.id))
    assert (rows[-1].type, rows[-1].detail) == (f"message.{status}", f"resolved as {word} by token test")
    with pytest.raises(Conflict) as refused:
        await resolve(bench, message, word)
    assert refused.value.code == "not_uncertain"


@pytest.mark.parametrize("word", list(Settlement))
@pytest.mark.parametrize(
    "state", ["held", "queued", "sending", "sent", "failed", "delivered", "canceled", "expired", "suppressed"]
)
async def test_any_other_state_is_a_conflict(bench: Bench, state: str, word: str) -> None:
    message = await bench.accept()
    await bench.store.write(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE message SET status = '{state}' WHERE id = '{message.id}'"
        )
    )
    with pytest.raises(Conflict) as refused:
        await resolve(bench, message, word)
    assert refused.value.code == "not_uncertain"
    assert (await bench.get(message.id)).status == state


async def test_all_its_uncertain_parts_are_settled_and_the_rest_goes_on(bench: Bench) -> None:
    message = await bench.accept(text="x" * 400)
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.OUTCOME_LOST, code="timeout")
    assert await bench.next() is None
    resolved = await resolve(bench, message, "sent")
    assert resolved.status is Status.SENDING
    assert await parts(bench, message) == [PartState.SENT, PartState.PENDING, PartState.PENDING]
    assert [marked.sequence for marked in await bench.send_all()] == [2, 3]
    assert (await bench.get(message.id)).status is Status.SENT


async def test_settled_as_sent_and_then_too_late_for_the_rest_it_has_failed(bench: Bench) -> None:
    message = await bench.accept(text="x" * 400)
    first = await bench.next()
    assert first is not None
    await bench.settle(first, PartEvent.OUTCOME_LOST, code="timeout")
    await resolve(bench, message, "sent")
    bench.clock.advance(timedelta(days=2))
    await bench.store.write(lambda connection: upkeep_at(connection, bench.clock.now_us()))
    ended = await bench.get(message.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, "expired")


async def test_a_further_copy_leaves_once_and_its_outcome_counts(bench: Bench) -> None:
    message = await uncertain(bench)
    await resolve(bench, message, "resend")
    (marked,) = await bench.send_all()
    assert (marked.message_id, marked.copies) == (message.id, 2)
    done = await bench.get(message.id)
    assert (done.status, done.attempts) == (Status.SENT, 2)


async def test_the_policy_spends_no_copy_after_it_was_settled(bench: Bench) -> None:
    message = await uncertain(bench, category="emergency")
    await resolve(bench, message, "sent")
    bench.clock.advance(timedelta(minutes=5))
    await bench.store.write(lambda connection: upkeep_at(connection, bench.clock.now_us()))
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.SENT


async def test_no_further_copy_to_whoever_opted_out_meanwhile(bench: Bench) -> None:
    message = await uncertain(bench)
    lookup = bench.store.fingerprint(NUMBER)

    def opt_out(connection: object) -> None:
        person = recipients.find(connection, lookup)  # type: ignore[arg-type]
        assert person is not None
        optouts.add(connection, person, "", bench.clock.now_us(), source="test")  # type: ignore[arg-type]

    await bench.store.write(opt_out)
    with pytest.raises(Conflict) as refused:
        await resolve(bench, message, "resend")
    assert refused.value.code == "opted_out"
    assert (await resolve(bench, message, "failed")).status is Status.FAILED


async def test_no_further_copy_after_its_time(bench: Bench) -> None:
    message = await uncertain(bench)
    bench.clock.advance(timedelta(days=2))
    with pytest.raises(Conflict) as refused:
        await resolve(bench, message, "resend")
    assert refused.value.code == "message_expired"
    assert (await resolve(bench, message, "sent")).status is Status.SENT


async def test_only_whoever_may_see_it_may_settle_it(bench: Bench) -> None:
    message = await uncertain(bench)
    with pytest.raises(NotFound):
        await resolve(bench, message, "sent", Principal(99, "other", frozenset({"send"})))
    assert (await resolve(bench, message, "sent", Principal(99, "boss", frozenset({"admin"})))).status is Status.SENT
