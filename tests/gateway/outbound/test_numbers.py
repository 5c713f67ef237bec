"""Numbers that are not written to: nothing passes the door, and nothing that waits passes the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from support.bench import NUMBER, Bench
from support.numbers import ALLOWED, REFUSED

from gateway.errors import InvalidRequest
from gateway.ids import IdSource
from gateway.message import PartEvent, Rule, Status
from gateway.outbound.gate import Gate
from gateway.outbound.intake import Intake
from gateway.requests import MessageFilter, NewMessage, Submission
from gateway.store import events, messages

BELGIAN = "+32470123456"


def _lists(rows: Sequence[tuple[str, tuple[str, ...], str]]) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for number, countries, _ in rows:
        found.setdefault(countries, []).append(number)
    return found


def _intake(bench: Bench, countries: tuple[str, ...], own: str | None = None) -> Intake:
    settings = bench.settings
    modems = {name: replace(modem, number=own) for name, modem in settings.modems.items()}
    listed = replace(settings, api=replace(settings.api, allowed_countries=countries), modems=modems)
    return Intake(listed, bench.store, bench.clock, IdSource(bench.clock))


def _close_to(bench: Bench, countries: tuple[str, ...]) -> None:
    """The gateway was started anew with this list."""
    api = replace(bench.settings.api, allowed_countries=countries)
    bench.gate = Gate(replace(bench.settings, api=api))


async def _count(bench: Bench) -> int:
    found = await bench.store.read(
        lambda connection: messages.page(
            connection, MessageFilter(), recipient_id=None, token_id=None, limit=200, before=None
        )
    )
    return len(found.items)


async def test_the_door_takes_none_of_them(bench: Bench, tell) -> None:
    for number, countries, why in REFUSED:
        intake = _intake(bench, countries)
        for asked in (
            intake.accept(bench.principal, NewMessage(number, "x")),
            intake.preview(bench.principal, NewMessage(number, "x"), None),
            intake.accept_all(bench.principal, [Submission(NewMessage(to, "x")) for to in (NUMBER, number)]),
        ):
            with pytest.raises(InvalidRequest) as refused:
                await asked
            error = refused.value.errors[-1]
            assert (refused.value.code, error.pointer.rpartition("/")[2]) == (Rule.NUMBER_NOT_ALLOWED, "to")
            assert error.message.startswith(why)
            assert number not in error.message
    accepted = await _count(bench)
    assert accepted == 0
    for number, countries in ALLOWED:
        await _intake(bench, countries).accept(bench.principal, NewMessage(number, "x"))
    assert await _count(bench) == len(ALLOWED)
    tell(f"S05: {len(REFUSED)} numbers at the door, one by one, in a batch, as a preview: accepted {accepted}")


async def test_the_gate_lets_none_of_them_pass(bench: Bench, tell) -> None:
    """Another host took them, whose own numbers they were said to be."""
    passed = 0
    for countries, numbers in _lists(REFUSED).items():
        _close_to(bench, countries)
        waiting = {
            number: await _intake(bench, (), own=number).accept(bench.principal, NewMessage(number, "x"))
            for number in numbers
        }
        marked = await bench.send_all()
        passed += len(marked)
        for number, message in waiting.items():
            done = await bench.get(message.id)
            assert (done.status, done.attempts) == (Status.FAILED, 0), number
            assert done.error_code == Rule.NUMBER_NOT_ALLOWED
            assert number not in (done.error_message or number)
            rows = await bench.store.read(lambda connection, found=message.id: events.of_message(connection, found))
            assert rows[-1].type == f"message.{Status.FAILED}"
    assert passed == 0
    tell(f"S05: {len(REFUSED)} numbers at the gate: sent {passed}")


async def test_the_gate_lets_the_others_pass(bench: Bench) -> None:
    for number, countries in ALLOWED:
        _close_to(bench, countries)
        message = await bench.accept(to=number)
        (marked,) = await bench.send_all()
        assert marked.message_id == message.id


async def test_a_number_that_is_allowed_by_itself_passes_both(bench: Bench) -> None:
    allowed = ("+33899", "3949")
    settings = replace(
        bench.settings, api=replace(bench.settings.api, allowed_countries=("DE",), allowed_numbers=allowed)
    )
    intake, bench.gate = Intake(settings, bench.store, bench.clock, IdSource(bench.clock)), Gate(settings)
    for number in ("+33899123456", "3949"):
        message = await intake.accept(bench.principal, NewMessage(number, "x"))
        assert [each.message_id for each in await bench.send_all()] == [message.id]
    # Not any more, when the configuration changes while it waits.
    waiting = await intake.accept(bench.principal, NewMessage("3949", "y"))
    bench.gate = Gate(bench.settings)
    assert await bench.next() is None
    assert (await bench.get(waiting.id)).error_code == Rule.NUMBER_NOT_ALLOWED


async def test_a_list_that_was_made_shorter_ends_what_waits_and_lets_the_rest_go(bench: Bench) -> None:
    first, second, third = [await bench.accept(to=number) for number in (BELGIAN, NUMBER, "+4915112345678")]
    _close_to(bench, ("FR", "DE"))
    assert {each.message_id for each in await bench.send_all()} == {second.id, third.id}
    assert (await bench.get(first.id)).status is Status.FAILED


async def test_a_scheduled_message_is_asked_again_when_it_is_due(bench: Bench) -> None:
    message = await bench.accept(to=BELGIAN, send_us=bench.clock.now_us() + 60_000_000)
    _close_to(bench, ("FR",))
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.HELD
    bench.clock.advance(timedelta(minutes=1))
    await bench.upkeep()
    assert await bench.next() is None
    assert (await bench.get(message.id)).status is Status.FAILED


async def test_a_message_that_has_begun_is_finished(bench: Bench) -> None:
    message = await bench.accept(to=BELGIAN, text="x" * 161)
    first = await bench.next()
    assert first is not None
    _close_to(bench, ("FR",))
    await bench.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    assert [each.sequence for each in await bench.send_all(reference=2)] == [2]
    assert (await bench.get(message.id)).status is Status.SENT
