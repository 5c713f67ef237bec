"""What a modem says of a part after it was given up: evidence, and never the reason for a second copy (M03, D11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.bench import Bench

from gateway.message import Message, PartEvent, PartState, Status
from gateway.outbound.gate import Marked
from gateway.requests import Settlement
from gateway.store import events, queue, resolution

LATE = "message.answered_late"


async def given_up(bench: Bench, **fields: object) -> tuple[Message, Marked]:
    message = await bench.accept(**fields)
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="timeout", sentence="no answer")
    found = await bench.get(message.id)
    assert found.status is Status.UNCERTAIN
    return found, marked


async def attempts(bench: Bench, message: Message) -> list[tuple[str, int | None]]:
    rows = await bench.store.read(lambda connection: events.attempts_of(connection, message.id))
    return [(row.state, row.tp_mr) for row in rows]


async def kinds(bench: Bench, message: Message) -> list[str]:
    rows = await bench.store.read(lambda connection: events.of_message(connection, message.id))
    return [row.type.removeprefix("message.") for row in rows]


async def resolve(bench: Bench, message: Message, word: str) -> None:
    now_us = bench.clock.now_us()
    await bench.store.write(
        lambda connection: resolution.resolve(connection, message.id, Settlement(word), now_us, by="token test")
    )


async def test_taken_after_all_it_is_sent_and_no_further_copy_leaves(bench: Bench) -> None:
    message, marked = await given_up(bench, on_uncertain="resend")
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=5)
    found = await bench.get(message.id)
    assert (found.status, found.error_code, found.attempts) == (Status.SENT, None, 1)
    assert await attempts(bench, message) == [("sent", 5)]
    assert (await kinds(bench, message))[-3:] == ["uncertain", "answered_late", "sent"]
    bench.clock.advance(timedelta(days=1))
    await bench.upkeep()
    assert await bench.next() is None


@pytest.mark.parametrize("event", [PartEvent.ACCEPTED, PartEvent.REFUSED, PartEvent.RELEASED])
async def test_told_twice_it_counts_once(bench: Bench, event: PartEvent) -> None:
    message, marked = await given_up(bench)
    await bench.settle(marked, event, tp_mr=5 if event is PartEvent.ACCEPTED else None)
    before = await bench.get(message.id), await attempts(bench, message), await kinds(bench, message)
    for again in (event, PartEvent.REFUSED, PartEvent.OUTCOME_LOST):
        await bench.settle(marked, again, tp_mr=6)
    assert (await bench.get(message.id), await attempts(bench, message), await kinds(bench, message)) == before


async def test_refused_after_all_it_has_failed_and_no_further_copy_leaves(bench: Bench) -> None:
    message, marked = await given_up(bench, on_uncertain="resend")
    await bench.settle(marked, PartEvent.REFUSED, code="cms_1", sentence="the network refused the message")
    found = await bench.get(message.id)
    assert (found.status, found.error_code) == (Status.FAILED, "cms_1")
    bench.clock.advance(timedelta(days=1))
    await bench.upkeep()
    assert await bench.next() is None


async def test_a_late_proof_that_it_did_not_leave_lets_it_wait_again(bench: Bench) -> None:
    message, marked = await given_up(bench, on_uncertain="resend")
    await bench.settle(marked, PartEvent.RELEASED, code="cms_302", counts=False)
    found = await bench.get(message.id)
    assert (found.status, found.attempts, found.modem) == (Status.QUEUED, 0, None)
    again = await bench.next()
    assert again is not None
    await bench.settle(again, PartEvent.ACCEPTED, tp_mr=1)
    bench.clock.advance(timedelta(days=1))
    await bench.upkeep()
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.SENT


async def test_a_further_copy_that_waits_does_not_leave_any_more(bench: Bench) -> None:
    message, marked = await given_up(bench)
    await resolve(bench, message, "resend")
    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=5)
    found = await bench.get(message.id)
    assert (found.status, found.modem) == (Status.SENT, "sim1")
    assert await bench.next() is None


@pytest.mark.parametrize("event", [PartEvent.REFUSED, PartEvent.RELEASED])
async def test_a_refusal_of_the_first_does_not_take_back_a_further_copy_that_waits(
    bench: Bench, event: PartEvent
) -> None:
    message, marked = await given_up(bench)
    await resolve(bench, message, "resend")
    await bench.settle(marked, event, code="cms_1")
    assert (await bench.get(message.id)).status is Status.SENDING
    again = await bench.next()
    assert again is not None
    assert again.copies == 2
    assert await bench.next() is None


@pytest.mark.parametrize(
    ("event", "second", "status"),
    [
        (PartEvent.ACCEPTED, PartEvent.ACCEPTED, Status.SENT),
        (PartEvent.ACCEPTED, PartEvent.REFUSED, Status.SENT),
        (PartEvent.ACCEPTED, PartEvent.RELEASED, Status.SENT),
        (PartEvent.ACCEPTED, PartEvent.OUTCOME_LOST, Status.SENT),
        (PartEvent.REFUSED, PartEvent.ACCEPTED, Status.SENT),
        (PartEvent.REFUSED, PartEvent.REFUSED, Status.FAILED),
        (PartEvent.REFUSED, PartEvent.OUTCOME_LOST, Status.UNCERTAIN),
    ],
)
async def test_while_a_further_copy_is_on_its_way_it_is_written_down_and_that_copy_decides(
    bench: Bench, event: PartEvent, second: PartEvent, status: Status
) -> None:
    message, marked = await given_up(bench)
    await resolve(bench, message, "resend")
    again = await bench.next()
    assert again is not None
    await bench.settle(marked, event, tp_mr=5 if event is PartEvent.ACCEPTED else None)
    assert (await bench.get(message.id)).status is Status.SENDING
    assert (await attempts(bench, message))[0][0] == ("sent" if event is PartEvent.ACCEPTED else "failed")
    await bench.settle(again, second, tp_mr=6 if second is PartEvent.ACCEPTED else None)
    assert (await bench.get(message.id)).status is status
    assert await bench.next() is None


@pytest.mark.parametrize("event", [PartEvent.REFUSED, PartEvent.RELEASED])
async def test_one_of_two_doubtful_copies_refused_leaves_the_other_in_doubt(bench: Bench, event: PartEvent) -> None:
    message, first = await given_up(bench)
    await resolve(bench, message, "resend")
    second = await bench.next()
    assert second is not None
    await bench.settle(second, PartEvent.OUTCOME_LOST, code="timeout")
    await bench.settle(first, event, code="cms_42")
    assert (await bench.get(message.id)).status is Status.UNCERTAIN
    assert await bench.next() is None
    await bench.settle(second, PartEvent.ACCEPTED, tp_mr=9)
    assert (await bench.get(message.id)).status is Status.SENT


@pytest.mark.parametrize(("word", "status"), [("sent", Status.SENT), ("failed", Status.FAILED)])
@pytest.mark.parametrize("event", [PartEvent.ACCEPTED, PartEvent.REFUSED, PartEvent.RELEASED])
async def test_what_an_operator_settled_stays_and_the_answer_is_on_record(
    bench: Bench, word: str, status: Status, event: PartEvent
) -> None:
    message, marked = await given_up(bench)
    await resolve(bench, message, word)
    await bench.settle(marked, event, tp_mr=5 if event is PartEvent.ACCEPTED else None)
    assert (await bench.get(message.id)).status is status
    states = {PartEvent.ACCEPTED: "sent", PartEvent.REFUSED: "failed", PartEvent.RELEASED: "pending"}
    assert [state for state, _ in await attempts(bench, message)] == [states[event]]
    assert LATE.removeprefix("message.") in await kinds(bench, message)
    assert await bench.next() is None


async def test_the_rest_of_a_long_message_goes_on(bench: Bench) -> None:
    message, first = await given_up(bench, text="x" * 400)
    assert await bench.next() is None
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    assert (await bench.get(message.id)).status is Status.SENDING
    assert [marked.sequence for marked in await bench.send_all(2)] == [2, 3]
    states = await bench.store.read(lambda connection: queue.part_states(connection, message.id))
    assert states == [PartState.SENT] * 3
