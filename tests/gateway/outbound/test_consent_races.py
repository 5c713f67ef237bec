"""A consent is taken back at one host at the moment at which another marks a part that needs it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection
from support.bench import SIM1
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import category
from support.two_hosts import TwoHosts, two_hosts

from gateway.address import AddressKind
from gateway.message import ConsentState, PartEvent, Status
from gateway.outbound.gate import Marked
from gateway.store import choices, consents, recipients
from gateway.store.consents import NewConsent
from gateway.store.opening import KEY_NAME

PAIRS, AT_ONCE = 150, 5
MARK_BEHIND, WITHDRAWAL_BEHIND = 14, 4
CLUB = category("club", consent="opt_in")
_MARKED = """
SELECT number FROM attempt JOIN message ON message.id = message_id JOIN recipient ON recipient.id = recipient_id
"""


def _say(person: int, state: ConsentState, now_us: int) -> NewConsent:
    return NewConsent(recipient_id=person, category=CLUB.name, state=state, at_us=now_us, recorded_us=now_us)


async def _given(hosts: TwoHosts, number: str) -> None:
    store, now_us = hosts.a.bench.store, hosts.a.bench.clock.now_us()

    def work(connection: Connection) -> None:
        person = recipients.ensure(connection, number, AddressKind.E164, store.fingerprint(number), now_us)
        consents.record(connection, _say(person, ConsentState.GIVEN, now_us))

    await store.write(work)
    assert (await hosts.a.bench.accept(number, category=CLUB.name)).status is Status.QUEUED


async def _withdrawn(hosts: TwoHosts, number: str, trips: int) -> bool:
    """The other host takes it back; whether a mark was there at the end of its transaction."""
    store, now_us = hosts.b.bench.store, hosts.b.bench.clock.now_us()

    def work(connection: Connection) -> bool:
        for _ in range(trips):
            connection.exec_driver_sql("SELECT 1")
        person = recipients.find(connection, store.fingerprint(number))
        assert person is not None
        consents.say_now(connection, _say(person, ConsentState.WITHDRAWN, now_us))
        choices.end_without_consent(connection, person, CLUB.name, now_us)
        return connection.exec_driver_sql(f"{_MARKED} WHERE number = %s", (number,)).first() is not None

    return await store.write(work)


async def _marked(hosts: TwoHosts, trips: int) -> Marked | None:
    bench = hosts.a.bench

    def work(connection: Connection) -> Marked | None:
        for _ in range(trips):
            connection.exec_driver_sql("SELECT 1")
        facts = replace(SIM1, node="a", iccid="8933asim1")
        return bench.gate.next(connection, facts, bench.clock.now_us())

    return await bench.store.write(work)


async def _race(hosts: TwoHosts, chance: random.Random, numbers: list[str], seen: dict[str, bool]) -> None:
    await asyncio.gather(*[_given(hosts, number) for number in numbers])
    sides: list[tuple[str, Awaitable[object]]] = []
    for number in numbers:
        sides += [
            (number, _withdrawn(hosts, number, chance.randrange(WITHDRAWAL_BEHIND))),
            ("", _marked(hosts, chance.randrange(MARK_BEHIND))),
        ]
    chance.shuffle(sides)
    found = await asyncio.gather(*[work for _, work in sides])
    seen |= {number: bool(each) for (number, _), each in zip(sides, found, strict=True) if number}
    for each in found:
        if isinstance(each, Marked):
            await hosts.a.settle(each, PartEvent.ACCEPTED, tp_mr=1)
    assert await hosts.a.next() is None


async def test_no_part_is_marked_after_a_consent_was_taken_back_at_another_host(
    postgresql_database: Database,
    tmp_path: Path,
    clock: ManualClock,
    seeded: random.Random,
    tell: Callable[[str], None],
) -> None:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    place, seen = Place(tmp_path, postgresql_database), dict[str, bool]()
    async with two_hosts(place, tmp_path, clock, categories=(CLUB,)) as hosts:
        numbers = [f"+336{each:08}" for each in range(PAIRS)]
        for races, start in enumerate(range(0, PAIRS, AT_ONCE)):
            await _race(hosts, seeded, numbers[start : start + AT_ONCE], seen)
            if races % 4 == 3:
                await asyncio.gather(hosts.a.renew(), hosts.b.renew())
        marked = {str(number) for (number,) in hosts.rows(_MARKED)}
        words = dict(hosts.rows("SELECT status, count(*) FROM message GROUP BY status"))
    leaks = sum(not seen[number] for number in marked)
    tell(
        f"D18: {PAIRS} marks raced a withdrawal of consent at another host: the mark came first {len(marked)} times, "
        f"{leaks} marked after it"
    )
    assert leaks == 0
    assert words == {Status.SENT: len(marked), Status.SUPPRESSED: PAIRS - len(marked)}
    assert 0 < len(marked) < PAIRS
