"""STOP is heard by one host at the moment at which another marks a part for that person: D18, thousands of times."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import SIM1, delivers
from support.clock import ManualClock
from support.long_run import hours_asked_for
from support.place import Place
from support.postgresql import Database
from support.two_hosts import TwoHosts, two_hosts

from drivers.events import NO_RECEIPT, DeliverReceived
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.replies import Replies
from gateway.message import PartEvent, Status
from gateway.outbound.gate import Marked
from gateway.store.opening import KEY_NAME

#: Pairs of a mark and a STOP.
FEW, MANY = 200, 600 if hours_asked_for() is None else 10_000
#: So many race at once at most: works that wait together share a transaction.
AT_ONCE = 6
#: Trips to the server by which the mark and the STOP are behind at most: what a STOP does first takes longer.
MARK_BEHIND, STOP_BEHIND = 14, 4
#: How often one of them is accepted only then.
LATE = 0.2
#: Races after which the leases are renewed.
RENEWED = 4
#: Of a hundred, each side comes first at least so often; else nothing was raced for.
LEAST = 5
HERE, THERE = Origin("sim1", "a", "8933asim1"), Origin("sim1", "b", "8933bsim1")
_MARKED = """
SELECT number FROM attempt JOIN message ON message.id = message_id JOIN recipient ON recipient.id = recipient_id
WHERE reply_to_inbox_id IS NULL
"""


@pytest.fixture
async def hosts(postgresql_database: Database, tmp_path: Path, clock: ManualClock) -> AsyncIterator[TwoHosts]:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    async with two_hosts(Place(tmp_path, postgresql_database), tmp_path, clock) as made:
        yield made


def _fall_behind(connection: Connection, trips: int) -> None:
    for _ in range(trips):
        connection.exec_driver_sql("SELECT 1")


@dataclass
class Race:
    """Both hosts, and what came of each pair."""

    hosts: TwoHosts
    chance: random.Random
    #: Of each number, whether its STOP came after the mark.
    seen: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bench = self.hosts.b.bench
        self.inbox = Inbox(bench.ids, Replies(bench.settings, bench.ids, shared=True))

    async def stop(self, number: str) -> bool:
        """The other host hears STOP; whether a mark was there at the end of its transaction."""
        bench, behind = self.hosts.b.bench, self.chance.randrange(STOP_BEHIND)
        ((deliver, raw),) = delivers(number, "STOP", bench.clock.now_us())
        arrival = arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), THERE, "FR")

        def work(connection: Connection) -> bool:
            _fall_behind(connection, behind)
            lookup = bench.store.fingerprint(arrival.sender)
            assert self.inbox.take(connection, arrival, lookup, THERE, bench.clock.now_us())
            # The person is locked by now: a mark that is not there yet would be one after this STOP.
            return connection.exec_driver_sql(f"{_MARKED} AND number = %s", (number,)).first() is not None

        return await bench.store.write(work)

    async def mark(self, number: str, *, accept: bool) -> Marked | None:
        """A modem of this host asks for work; `accept` has the message be accepted first."""
        bench, behind = self.hosts.a.bench, self.chance.randrange(MARK_BEHIND)
        if accept:
            await bench.accept(number)
        facts = replace(SIM1, node="a", iccid=HERE.iccid)

        def work(connection: Connection) -> Marked | None:
            _fall_behind(connection, behind)
            return bench.gate.next(connection, facts, bench.clock.now_us())

        return await bench.store.write(work)

    async def run(self, numbers: list[str]) -> None:
        """Let a mark and a STOP for each of these people race, all at once."""
        # Two that are accepted beside each other's STOP would be a deadlock of a second, and not more of a race.
        early = numbers[self.chance.random() < LATE :]
        await asyncio.gather(*[self.hosts.a.bench.accept(number) for number in early])
        sides: list[tuple[str, Awaitable[object]]] = []
        for number in numbers:
            sides += [(number, self.stop(number)), ("", self.mark(number, accept=number not in early))]
        self.chance.shuffle(sides)
        found = await asyncio.gather(*[work for _, work in sides])
        for (number, _), seen in zip(sides, found, strict=True):
            if number:
                self.seen[number] = bool(seen)
        await self._finish([each for each in found if isinstance(each, Marked)])

    async def _finish(self, marked: list[Marked]) -> None:
        """What was marked is sent; nothing else of these people may be marked now."""
        await asyncio.gather(*[self.hosts.a.settle(each, PartEvent.ACCEPTED, tp_mr=1) for each in marked])
        assert await self.hosts.a.next() is None

    def verdict(self) -> tuple[int, int, int]:
        """How often the mark came first, and the STOP; how many marks there are that a STOP before them had missed."""
        marked = {str(number) for (number,) in self.hosts.rows(_MARKED)}
        assert marked <= self.seen.keys()
        return len(marked), len(self.seen) - len(marked), sum(not self.seen[number] for number in marked)


async def _raced(hosts: TwoHosts, chance: random.Random, pairs: int, tell: Callable[[str], None]) -> None:
    race, races = Race(hosts, chance), 0
    numbers = [f"+336{each:08}" for each in range(pairs)]
    while numbers:
        size = chance.randint(1, AT_ONCE)
        await race.run(numbers[:size])
        del numbers[:size]
        races += 1
        if races % RENEWED == 0:
            await asyncio.gather(hosts.a.renew(), hosts.b.renew())
    marks, stops, leaks = race.verdict()
    words = dict(hosts.rows("SELECT status, count(*) FROM message WHERE reply_to_inbox_id IS NULL GROUP BY status"))
    tell(
        f"D18: {pairs} marks raced a STOP at another host: the mark came first {marks} times, the STOP {stops} times, "
        f"{leaks} marked after a STOP"
    )
    assert words == {Status.SENT: marks, Status.SUPPRESSED: stops}
    assert leaks == 0
    assert min(marks, stops) >= pairs * LEAST // 100


async def test_d18_no_part_is_marked_after_a_stop_that_another_host_hears(
    hosts: TwoHosts, seeded: random.Random, tell: Callable[[str], None]
) -> None:
    await _raced(hosts, seeded, FEW, tell)


@pytest.mark.long
async def test_d18_again_and_again(hosts: TwoHosts, seeded: random.Random, tell: Callable[[str], None]) -> None:
    await _raced(hosts, seeded, MANY, tell)
