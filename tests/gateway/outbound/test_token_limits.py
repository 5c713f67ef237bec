"""What a token may hand in: where to, how fast, how much in 24 hours; over restarts and at several hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from support.bench import NUMBER, Bench

from gateway.errors import Forbidden, GatewayError, InvalidRequest, TooMany
from gateway.ids import IdSource
from gateway.message import Message
from gateway.outbound.intake import Intake
from gateway.requests import Accepted, NewMessage, Principal, Submission
from gateway.rules.destinations import normalised, reaches

NEW = NewMessage(NUMBER, "hello", category="emergency")
LONG = replace(NEW, text="x" * 400)


def _submissions(count: int, new: NewMessage = NEW) -> list[Submission]:
    return [Submission(replace(new, text=f"{at} {new.text}")) for at in range(count)]


def _restarted(bench: Bench) -> Intake:
    return Intake(bench.settings, bench.store, bench.clock, IdSource(bench.clock))


async def _each(intake: Intake, holder: Principal, lines: Sequence[Submission]) -> list[Accepted | GatewayError]:
    async def groups() -> AsyncIterator[Sequence[Submission]]:
        for at in range(0, len(lines), 7):
            yield lines[at : at + 7]

    return [each async for group in intake.accept_each(holder, groups()) for each in group]


async def test_it_writes_to_its_destinations_alone(bench: Bench) -> None:
    holder = replace(bench.principal, destinations=("FR", "+3247"))
    for number in (NUMBER, "+32470123456"):
        await bench.intake.accept(holder, replace(NEW, to=number))
    for number in ("+4915112345678", "+3224567890", "+262692123456"):
        for asked in (
            bench.intake.accept(holder, replace(NEW, to=number)),
            bench.intake.preview(holder, replace(NEW, to=number), None),
            bench.intake.accept_all(holder, [Submission(NEW), Submission(replace(NEW, to=number))]),
        ):
            with pytest.raises(Forbidden) as refused:
                await asked
            assert refused.value.code == "destination_not_allowed"
            assert refused.value.errors[0].pointer.endswith("/to")


def test_destinations_are_numbers_beginnings_and_countries() -> None:
    assert [normalised(each) for each in ("+33 6", "fr", "FR", "+0", "33", "", "+", "ZZ", "+33é")] == [
        *("+336", "FR", "FR"),
        *[None] * 6,
    ]
    canadian, american, nobody_knows = "+14165551234", "+12025550123", "+15551234567"
    assert reaches(["US"], american)
    assert not any(reaches(["US"], number) for number in (canadian, nobody_knows, "112"))
    assert reaches(["US", "+1416"], canadian)


async def test_its_rate_holds_in_every_window(bench: Bench) -> None:
    """As fast as it can for three minutes: four at once, again and again."""
    holder = replace(bench.principal, rate="10/1m")
    accepted: list[int] = []
    for second in range(0, 180, 3):
        outcomes = await asyncio.gather(
            *(bench.intake.accept(holder, replace(NEW, text=f"{second} {at}")) for at in range(4)),
            return_exceptions=True,
        )
        accepted += [second for each in outcomes if isinstance(each, Message)]
        for each in outcomes:
            assert isinstance(each, Message | TooMany)
            if isinstance(each, TooMany):
                oldest = accepted[-10]
                assert (each.code, each.retry_after_s) == ("rate_limited", oldest + 60 - second)
        bench.clock.advance(timedelta(seconds=3))
    assert len(accepted) == 30
    assert all(last - first >= 60 for first, last in zip(accepted, accepted[10:], strict=False))


async def test_what_is_not_accepted_costs_no_place_in_the_rate(bench: Bench, tell) -> None:
    holder = replace(bench.principal, rate="2/1m")
    with pytest.raises(InvalidRequest):
        await bench.intake.accept(holder, replace(NEW, to="nobody"))
    outcomes = await asyncio.gather(
        *(bench.intake.accept(holder, NEW, "one key") for _ in range(1000)), return_exceptions=True
    )
    answers = {each.id if isinstance(each, Message) else repr(each) for each in outcomes}
    assert len(answers) == 1
    # A batch is refused whole, and gives its places back.
    with pytest.raises(TooMany):
        await bench.intake.accept_all(holder, _submissions(2))
    with pytest.raises(InvalidRequest) as too_many:
        await bench.intake.accept_all(holder, _submissions(3))
    assert too_many.value.code == "batch_over_rate"
    # Each line is refused for itself.
    told = await _each(bench.intake, holder, _submissions(20))
    assert [isinstance(each, Accepted) for each in told] == [True] + [False] * 19
    assert {each.code for each in told if isinstance(each, TooMany)} == {"rate_limited"}
    with pytest.raises(TooMany):
        await bench.intake.accept(holder, NEW)
    again = await bench.intake.accept(holder, NEW, "one key")
    assert again.id in answers
    tell(f"H08: 1000 at once with one key and a rate of 2 in a minute: {len(answers)} message, one place taken")


async def _parts(intake: Intake, holder: Principal, new: NewMessage) -> int:
    """How many parts were accepted."""
    (outcome,) = await asyncio.gather(intake.accept(holder, new), return_exceptions=True)
    if isinstance(outcome, Message):
        return outcome.parts
    assert isinstance(outcome, TooMany)
    assert outcome.code == "daily_parts"
    assert 0 < outcome.retry_after_s <= 24 * 3600 + 600
    return 0


async def test_its_parts_a_day_hold_over_restarts_and_hosts(bench: Bench, tell) -> None:
    """Two hosts with one store take turns, and start anew all the time."""
    holder = replace(bench.principal, parts_a_day=20)
    accepted: list[tuple[int, int]] = []
    overruns = 0
    for hour in range(0, 60, 2):
        for intake in (_restarted(bench), _restarted(bench)):
            for new in (LONG, NEW):
                parts = await _parts(intake, holder, new)
                accepted += [(hour, parts)] if parts else []
        overruns += sum(parts for at, parts in accepted if at > hour - 24) > 20
        bench.clock.advance(timedelta(hours=2))
    assert overruns == 0
    total = sum(parts for _, parts in accepted)
    assert total == 60
    tell(f"S06: a token of 20 parts in 24 h, 60 h at two hosts that start anew: {total} parts, overruns {overruns}")


async def test_its_parts_a_day_count_what_is_accepted_alone(bench: Bench) -> None:
    holder = replace(bench.principal, parts_a_day=5)
    first = await bench.intake.accept(holder, LONG, "key")
    assert first.parts == 3
    assert (await bench.intake.accept(holder, LONG, "key")).id == first.id
    with pytest.raises(TooMany):
        await bench.intake.accept_all(holder, _submissions(3))
    told = await _each(bench.intake, holder, _submissions(4))
    assert [isinstance(each, Accepted) for each in told] == [True, True, False, False]
    with pytest.raises(InvalidRequest) as too_long:
        await bench.intake.accept(holder, replace(NEW, text="x" * 1000))
    assert too_long.value.code == "text_too_long"
    # Other tokens have nothing to do with it.
    await bench.accept(category="emergency")
    assert (await bench.intake.accept(holder, LONG, "key")).id == first.id


async def test_when_it_is_told_to_come_again_there_is_room(bench: Bench) -> None:
    holder = replace(bench.principal, parts_a_day=3)
    for _ in range(3):
        await bench.intake.accept(holder, NEW)
        bench.clock.advance(timedelta(minutes=25))
    with pytest.raises(TooMany) as refused:
        await bench.intake.accept_all(holder, _submissions(2))
    bench.clock.advance(timedelta(seconds=refused.value.retry_after_s - 1))
    with pytest.raises(TooMany):
        await bench.intake.accept_all(holder, _submissions(2))
    bench.clock.advance(timedelta(seconds=1))
    assert len(await bench.intake.accept_all(holder, _submissions(2))) == 2
