"""STOP is heard at the moment at which a part is marked for that person: D18, thousands of times, on one host and
across two. And so for a consent that is taken back, and for a reply that may mean STOP."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from support.bench import SIM1, Bench, delivers, make_bench
from support.clock import ManualClock
from support.long_run import hours_asked_for
from support.place import Place
from support.settings import category, settings_in
from support.two_hosts import two_hosts

from drivers.events import NO_RECEIPT, DeliverReceived
from gateway.address import AddressKind
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.replies import Replies
from gateway.message import ConsentState, PartEvent, Status
from gateway.outbound.gate import Marked
from gateway.requests import ConsentIn
from gateway.services.consents import Consents
from gateway.store import consents, recipients
from gateway.store.consents import NewConsent
from gateway.store.outcomes import Outcome
from gateway.store.schema import attempt, message, recipient

#: Pairs of a mark and a STOP: on each change, and in the long run, whose full form is that of `make soak`.
FEW, MANY = 250, 4000 if hours_asked_for() is None else 10_000
#: And of a mark and what else takes leave away.
FEW_OTHERS, MANY_OTHERS = 80, 800 if hours_asked_for() is None else 2000
#: So many race at once at most: works that wait together share a transaction.
AT_ONCE, MANY_AT_ONCE = 6, 24
#: Trips to the server by which the mark and the STOP are behind at most: what a STOP does first takes longer.
MARK_BEHIND, STOP_BEHIND = 14, 4
#: How often one of them is accepted only then.
LATE = 0.2
#: Races after which the leases are renewed.
RENEWED = 4
#: Of a hundred, each side comes first at least so often; else nothing was raced for.
LEAST = 5
THERE = Origin("sim1", "b", "8933bsim1")
MARKING = replace(SIM1, node="a", iccid="8933asim1")
PROMOTIONAL = category("promotional", consent="opt_in", priority=1)
_SENT = (
    select(recipient.c.number)
    .join(message, message.c.recipient_id == recipient.c.id)
    .join(attempt, attempt.c.message_id == message.c.id)
    .where(message.c.reply_to_inbox_id.is_(None))
)
_WORDS = select(message.c.status).where(message.c.reply_to_inbox_id.is_(None))


def _fall_behind(connection: Connection, trips: int) -> None:
    for _ in range(trips):
        connection.exec_driver_sql("SELECT 1")


async def _at_once() -> None:
    """Where there is one host there are no leases."""


@dataclass
class Sides:
    """The bench that marks and the one that hears; the same where the store has one host."""

    marks: Bench
    hears: Bench
    renew: Callable[[], Awaitable[object]] = _at_once


class Behind:
    """A store as a service knows it, in which each work is a little late, and tells who was marked by its end."""

    def __init__(self, bench: Bench, trips: int, number: str) -> None:
        self._store = bench.store
        self._trips = trips
        self._number = number
        self.seen = False

    def fingerprint(self, number: str) -> bytes:
        """As the store's."""
        return self._store.fingerprint(number)

    async def write(self, work: Callable[[Connection], Any], *, hurried: bool = False) -> Any:
        """As the store's."""

        def late(connection: Connection) -> Any:
            _fall_behind(connection, self._trips)
            done = work(connection)
            # The person is locked by now: a mark that is not there yet would be one after this.
            self.seen = connection.execute(_SENT.where(recipient.c.number == self._number)).first() is not None
            return done

        return await self._store.write(late, hurried=hurried)


@dataclass
class Race:
    """What takes leave away, against marks; and what came of each pair."""

    sides: Sides
    chance: random.Random
    #: "stop", "withdrawn" or "doubt": what the person, or somebody for them, says.
    says: str
    #: Of each number, whether it was said after the mark.
    seen: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bench = self.sides.hears
        shared = self.sides.hears is not self.sides.marks
        self.inbox = Inbox(bench.ids, Replies(bench.settings, bench.ids, shared=shared))
        self.category = "transactional" if self.says == "stop" else PROMOTIONAL.name

    async def say(self, number: str) -> bool:
        """It is heard; whether a mark was there at the end of its transaction."""
        bench = self.sides.hears
        behind = Behind(bench, self.chance.randrange(STOP_BEHIND), number)
        if self.says == "withdrawn":
            service = Consents(behind, bench.clock, bench.ids, lambda: None, settings=bench.settings)  # type: ignore[arg-type]
            await service.add(bench.principal, ConsentIn(number, self.category, "withdrawn"))
            return behind.seen
        ((deliver, raw),) = delivers(number, {"stop": "STOP", "doubt": "stpo"}[self.says], bench.clock.now_us())
        arrival = arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), THERE, "FR")

        def work(connection: Connection) -> None:
            lookup = bench.store.fingerprint(arrival.sender)
            assert self.inbox.take(connection, arrival, lookup, THERE, bench.clock.now_us())

        await behind.write(work)
        return behind.seen

    async def accept(self, number: str) -> None:
        await self.sides.marks.accept(number, category=self.category)

    async def mark(self, number: str, *, accept: bool) -> Marked | None:
        """A modem asks for work; `accept` has the message be accepted first."""
        bench, behind = self.sides.marks, self.chance.randrange(MARK_BEHIND)
        if accept:
            await self.accept(number)

        def work(connection: Connection) -> Marked | None:
            _fall_behind(connection, behind)
            return bench.gate.next(connection, MARKING, bench.clock.now_us())

        return await bench.store.write(work)

    async def agree(self, numbers: Sequence[str]) -> None:
        """All of them have agreed to advertising, an hour ago."""
        bench = self.sides.marks
        at_us = bench.clock.now_us() - 3_600_000_000

        def work(connection: Connection) -> None:
            for number in numbers:
                lookup = bench.store.fingerprint(number)
                person = recipients.ensure(connection, number, AddressKind.E164, lookup, at_us)
                entry = NewConsent(
                    recipient_id=person,
                    category=self.category,
                    state=ConsentState.GIVEN,
                    at_us=at_us,
                    recorded_us=at_us,
                )
                consents.record(connection, entry)

        await bench.store.write(work)

    async def run(self, numbers: list[str]) -> None:
        """Let a mark and a word for each of these people race, all at once."""
        if self.says != "stop":
            await self.agree(numbers)
        # Two that are accepted beside each other's STOP would be a deadlock of a second, and not more of a race.
        early = numbers[self.chance.random() < LATE :]
        await asyncio.gather(*[self.accept(number) for number in early])
        sides: list[tuple[str, Awaitable[object]]] = []
        for number in numbers:
            sides += [(number, self.say(number)), ("", self.mark(number, accept=number not in early))]
        self.chance.shuffle(sides)
        found = await asyncio.gather(*[work for _, work in sides])
        for (number, _), seen in zip(sides, found, strict=True):
            if number:
                self.seen[number] = bool(seen)
        await self._finish([each for each in found if isinstance(each, Marked)])

    async def _finish(self, marked: list[Marked]) -> None:
        """What was marked is sent, and whatever can be marked still: where one modem hears and sends, the answers."""
        bench = self.sides.marks

        def work(connection: Connection) -> None:
            now_us = bench.clock.now_us()

            def settle(each: Marked) -> None:
                bench.gate.settle(connection, Outcome(each.attempt_id, PartEvent.ACCEPTED, tp_mr=1), SIM1.name, now_us)

            for each in marked:
                settle(each)
            # What is marked from now on was missed by a STOP, or is an answer to one.
            while (extra := bench.gate.next(connection, MARKING, now_us)) is not None:
                settle(extra)

        await bench.store.write(work)

    async def verdict(self) -> tuple[int, int, int]:
        """How often the mark came first, and the word; how many marks there are that a word before them had missed."""
        rows = await self.sides.marks.store.read(lambda connection: connection.execute(_SENT).all())
        marked = {str(row.number) for row in rows}
        assert len(marked) == len(rows)
        assert marked <= self.seen.keys()
        return len(marked), len(self.seen) - len(marked), sum(not self.seen[number] for number in marked)


async def _raced(
    sides: Sides, chance: random.Random, pairs: int, tell: Callable[[str], None], says: str = "stop"
) -> None:
    race, races = Race(sides, chance, says), 0
    numbers = [f"+336{each:08}" for each in range(pairs)]
    while numbers:
        size = chance.randint(1, AT_ONCE if pairs < MANY else MANY_AT_ONCE)
        await race.run(numbers[:size])
        del numbers[:size]
        races += 1
        if races % RENEWED == 0:
            await sides.renew()
    marks, stops, leaks = await race.verdict()
    rows = await sides.marks.store.read(lambda connection: connection.execute(_WORDS).all())
    where = "at the same host" if sides.hears is sides.marks else "at another host"
    what = {"stop": "a STOP", "withdrawn": "a withdrawn consent", "doubt": "a reply that may mean STOP"}[says]
    tell(
        f"D18: {pairs} marks raced {what} {where}: the mark came first {marks} times, the other {stops} times, "
        f"{leaks} marked after it"
    )
    ended = Status.HELD if says == "doubt" else Status.SUPPRESSED
    assert Counter(row.status for row in rows) == {Status.SENT: marks, ended: stops}
    assert leaks == 0
    assert min(marks, stops) >= pairs * LEAST // 100


@asynccontextmanager
async def _sides(place: Place, folder: Path, clock: ManualClock) -> AsyncIterator[Sides]:
    settings = settings_in(folder, categories=(PROMOTIONAL,))
    if place.database is not None:
        async with two_hosts(place, folder, clock, settings=settings) as hosts:
            a, b = hosts.a, hosts.b
            yield Sides(a.bench, b.bench, lambda: asyncio.gather(a.renew(), b.renew()))
        return
    store = place.open("a")
    settings = replace(settings, gateway=replace(settings.gateway, node="a"))
    bench = await make_bench(settings, store, clock)
    yield Sides(bench, bench)
    await store.close()


@pytest.fixture
async def sides(place: Place, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Sides]:
    async with _sides(place, tmp_path, clock) as made:
        yield made


async def test_d18_no_part_is_marked_after_a_stop(
    sides: Sides, seeded: random.Random, tell: Callable[[str], None]
) -> None:
    await _raced(sides, seeded, FEW, tell)


@pytest.mark.parametrize("says", ["withdrawn", "doubt"])
async def test_d18_nor_after_what_else_takes_leave_away(
    sides: Sides, seeded: random.Random, tell: Callable[[str], None], says: str
) -> None:
    await _raced(sides, seeded, FEW_OTHERS, tell, says)


@pytest.mark.long
async def test_d18_thousands_of_times(sides: Sides, seeded: random.Random, tell: Callable[[str], None]) -> None:
    await _raced(sides, seeded, MANY, tell)


@pytest.mark.long
@pytest.mark.parametrize("says", ["withdrawn", "doubt"])
async def test_d18_and_the_others_again_and_again(
    sides: Sides, seeded: random.Random, tell: Callable[[str], None], says: str
) -> None:
    await _raced(sides, seeded, MANY_OTHERS, tell, says)
