"""Reminders that may not leave at night and must not come after their event: all leave before the night, by as many
modems as there are, none earlier than need be, and what a preview says stays as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from support.bench import SIM1, Bench, make_bench
from support.clock import START_US, ManualClock
from support.place import Place
from support.settings import category, settings_in

from gateway.clock import SECOND_US
from gateway.config.settings import Category
from gateway.message import PartEvent, Rule, Status
from gateway.outbound.dispatcher import next_us_of, upkeep_at
from gateway.requests import NewMessage
from gateway.rules.lead import MOST_LEAD_US
from gateway.services.messages import Messages
from gateway.store import upkeep
from gateway.store.schema import message

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
#: A Monday, 11:00 in Paris.
EVENING_US = START_US + 10 * HOUR_US
LAST_US = EVENING_US - MINUTE_US
SEND_US, ABOUT_US = EVENING_US + 10 * HOUR_US, EVENING_US + 10 * HOUR_US + 30 * MINUTE_US
#: What a slow modem needs for a part.
PART_US = 5 * SECOND_US
NIGHT = category("transactional", quiet_hours=("21:00-08:00",), expires_after_us=72 * HOUR_US)


@dataclass
class Night:
    """A gateway of this many modems, each of which needs some seconds for a part, until nothing waits any more."""

    bench: Bench
    modems: int = 1
    #: When each began, by its id.
    left_us: dict[str, int] = field(default_factory=dict[str, int])

    async def run(self, until_us: int) -> None:
        """What dispatcher and senders do until then."""
        bench, clock = self.bench, self.bench.clock
        free_us = [clock.now_us()] * self.modems
        while clock.now_us() < until_us:
            await bench.store.write(lambda connection: upkeep_at(connection, clock.now_us(), modems=self.modems))
            idle = [at for at, each_us in enumerate(free_us) if each_us <= clock.now_us()]
            for at in idle:
                marked = await bench.next(replace(SIM1, name=f"sim{at + 1}", iccid=None))
                if marked is not None:
                    self.left_us.setdefault(marked.message_id, clock.now_us())
                    await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=len(self.left_us) % 256)
                    free_us[at] = clock.now_us() + PART_US
            due_us = await bench.store.read(lambda connection: next_us_of(connection, modems=self.modems))
            busy = [each_us for each_us in free_us if each_us > clock.now_us()]
            next_us = min([until_us, *busy, *(() if due_us is None else (due_us,))])
            clock.advance(timedelta(microseconds=max(next_us - clock.now_us(), SECOND_US)))

    async def became(self) -> Mapping[Status, int]:
        """How many came to each end."""

        def work(connection: Connection) -> dict[Status, int]:
            found = connection.exec_driver_sql("SELECT status, count(*) FROM message GROUP BY status")
            return {Status(row[0]): row[1] for row in found}

        return await self.bench.store.read(work)


def _led(connection: Connection) -> int:
    """At how many instants messages were let go before their time."""
    return connection.exec_driver_sql("SELECT count(DISTINCT led_us) FROM message").scalar_one()


def _number(at: int) -> str:
    return f"+33612{at:06}"


@pytest.fixture
def rules() -> Category:
    """The category of all these messages."""
    return NIGHT


@pytest.fixture
async def bench(place: Place, tmp_path: Path, clock: ManualClock, rules: Category) -> AsyncIterator[Bench]:
    made = await make_bench(settings_in(tmp_path, categories=(rules,)), place.open(), clock)
    yield made
    await made.store.close()


async def _accept(bench: Bench, count: int, first: int = 0, **fields: object) -> None:
    for at in range(first, first + count):
        held = await bench.accept(_number(at), send_us=SEND_US, about_us=ABOUT_US, **fields)
        assert held.status is Status.HELD


@pytest.mark.parametrize(
    ("count", "modems", "first_us"),
    [
        (1, 1, LAST_US),
        (10, 1, LAST_US),
        (30, 1, LAST_US - 2 * MINUTE_US),
        (100, 1, LAST_US - 9 * MINUTE_US),
        pytest.param(300, 1, LAST_US - 29 * MINUTE_US, marks=pytest.mark.long),
        (300, 3, LAST_US - 9 * MINUTE_US),
    ],
)
async def test_as_many_as_wait_for_one_minute_leave_before_the_night(
    bench: Bench, count: int, modems: int, first_us: int, tell: Callable[[str], None]
) -> None:
    await _accept(bench, count)
    night = Night(bench, modems)
    await night.run(SEND_US)
    assert await night.became() == {Status.SENT: count}
    assert len(night.left_us) == count
    assert (min(night.left_us.values()), max(night.left_us.values()) < EVENING_US) == (first_us, True)
    early_min = (EVENING_US - first_us) // MINUTE_US
    tell(f"{count} reminders for the minute before a night, modems {modems}: the first {early_min} min before, late 0")


async def test_a_preview_and_the_hold_name_the_last_minute_however_many_wait(bench: Bench) -> None:
    await _accept(bench, 60)
    told = await bench.intake.preview(
        bench.principal, NewMessage(_number(99), "x", send_us=SEND_US, about_us=ABOUT_US), None
    )
    assert (told.decision, told.rule, told.until_us) == ("hold", Rule.QUIET_HOURS, LAST_US)
    held = await bench.accept(_number(99), send_us=SEND_US, about_us=ABOUT_US)
    assert held.hold is not None
    assert (held.hold.until_us, held.due_us) == (LAST_US, LAST_US)


async def test_each_that_is_accepted_may_be_one_more_than_fits(bench: Bench) -> None:
    """The dispatcher, which sleeps until the last minute, is told of an instant before that."""
    told: list[int | None] = []
    service = Messages(bench.store, bench.clock, bench.intake, told.append, settings=bench.settings, book=bench.book)
    await service.create(bench.principal, NewMessage(_number(1), "x", send_us=SEND_US, about_us=ABOUT_US))
    await service.create(bench.principal, NewMessage(_number(2), "x", send_us=LAST_US))
    assert told == [LAST_US - MOST_LEAD_US, LAST_US]


async def test_long_texts_need_as_much_time_as_they_have_parts(bench: Bench) -> None:
    await _accept(bench, 30, text="x" * 400)
    assert await bench.store.read(next_us_of) == LAST_US - 8 * MINUTE_US
    night = Night(bench)
    await night.run(SEND_US)
    assert await night.became() == {Status.SENT: 30}


async def test_what_has_to_leave_first_leaves_first(bench: Bench) -> None:
    """Of those that were let go together too, whichever was accepted first: London's night is an hour later."""
    for at in range(20):
        await bench.accept(f"+447700900{at:03}", send_us=SEND_US, about_us=ABOUT_US)
    await _accept(bench, 40)

    def many(connection: Connection) -> None:
        # As if the evening in London were to need all of that hour.
        connection.execute(update(message).where(message.c.due_us > EVENING_US).values(parts=31))

    await bench.store.write(many)
    night = Night(bench)
    await night.run(SEND_US)
    assert await night.became() == {Status.SENT: 60}
    order = [(await bench.get(each)).to[:3] for each in night.left_us]
    assert order == ["+33"] * 40 + ["+44"] * 20
    assert await bench.store.read(_led) == 1


async def test_more_than_three_hours_of_them_begin_three_hours_before(bench: Bench) -> None:
    await _accept(bench, 2)

    def many(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE message SET parts = 5000")

    await bench.store.write(many)
    assert await bench.store.read(next_us_of) == LAST_US - 3 * HOUR_US


async def test_those_that_were_asked_for_at_an_allowed_time_wait_for_it(bench: Bench) -> None:
    for at in range(40):
        await bench.accept(_number(at), send_us=LAST_US - HOUR_US, about_us=ABOUT_US)
    assert await bench.store.read(next_us_of) == LAST_US - HOUR_US


@pytest.mark.parametrize("rules", [replace(NIGHT, quiet_hours=("21:00-08:00", "20:30-20:50"))])
async def test_a_pause_between_allowed_hours_is_kept_and_asked_about_once(bench: Bench) -> None:
    """Nobody writes in the pause, though they would have begun in it."""
    await _accept(bench, 110)
    night = Night(bench)
    await night.run(EVENING_US - 10 * MINUTE_US - SECOND_US)
    assert night.left_us == {}
    # What was held again is not let go again before it may leave.
    assert await bench.store.read(_led) == 1
    assert await bench.store.read(next_us_of) == EVENING_US - 10 * MINUTE_US
    await night.run(SEND_US)
    assert await bench.store.read(_led) == 1
    assert await night.became() == {Status.SENT: 110}
    assert min(night.left_us.values()) == EVENING_US - 10 * MINUTE_US
    assert max(night.left_us.values()) < EVENING_US


@pytest.mark.parametrize("rules", [replace(NIGHT, caps=("1/570m",), on_cap="refuse")])
async def test_a_cap_that_is_free_again_by_its_minute_refuses_nobody_before(bench: Bench) -> None:
    bench.clock.advance(timedelta(minutes=25))
    await bench.accept(_number(0), text="before")
    night = Night(bench)
    await night.run(bench.clock.now_us() + MINUTE_US)
    await _accept(bench, 100, text="reminder")
    await night.run(SEND_US)
    assert await night.became() == {Status.SENT: 101}
    assert max(night.left_us.values()) < EVENING_US


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_they_are_counted_by_their_index_alone(bench: Bench) -> None:
    """Whatever else is held, and without reading a message."""

    def plans(connection: Connection) -> list[str]:
        statements: list[str] = []
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(statements.append)
        upkeep.waiting_early(connection, 100)
        raw.set_trace_callback(None)
        (asked,) = statements
        return [str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]

    assert any("COVERING INDEX ix_message_early" in each for each in await bench.store.write(plans))
