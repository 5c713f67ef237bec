"""A reply is judged at one host at the moment at which another holds a message because of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, SIM1
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import category
from support.two_hosts import TwoHosts, two_hosts

from gateway.address import AddressKind
from gateway.message import ConsentState
from gateway.store import consents, recipients, reviews
from gateway.store.consents import NewConsent
from gateway.store.opening import KEY_NAME

CLUB = category("club", consent="opt_in")
ITEM = "0" * 32
_PATIENCE_S = 0.3


async def _agreed(hosts: TwoHosts) -> int:
    store, now_us = hosts.a.bench.store, hosts.a.bench.clock.now_us()

    def work(connection: Connection) -> int:
        person = recipients.ensure(connection, NUMBER, AddressKind.E164, store.fingerprint(NUMBER), now_us)
        given = NewConsent(
            recipient_id=person, category=CLUB.name, state=ConsentState.GIVEN, at_us=now_us, recorded_us=now_us
        )
        consents.record(connection, given)
        return person

    return await store.write(work)


def _by_the_list(connection: Connection, person: int, now_us: int) -> None:
    row = reviews.settle(connection, ITEM, "nothing", now_us, by="somebody")
    reviews.release_reviewed(connection, row.recipient_id, now_us)


def _by_the_person(connection: Connection, person: int, now_us: int) -> None:
    reviews.settle_all(connection, person, "start", now_us, by="sms")
    reviews.release_reviewed(connection, person, now_us)


@pytest.mark.parametrize("judge", [_by_the_list, _by_the_person])
async def test_what_is_held_while_its_reason_is_judged_elsewhere_is_let_go(
    postgresql_database: Database, tmp_path: Path, clock: ManualClock, judge: Callable[[Connection, int, int], None]
) -> None:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    place = Place(tmp_path, postgresql_database)
    async with two_hosts(place, tmp_path, clock, categories=(CLUB,)) as hosts:
        a, b, now_us = hosts.a.bench, hosts.b.bench, clock.now_us()
        person = await _agreed(hosts)
        message = await a.accept(category=CLUB.name)
        await b.store.write(lambda connection: reviews.add(connection, ITEM, person, "stop", now_us))
        held, judged, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            assert a.gate.next(connection, replace(SIM1, node="a", iccid="8933asim1"), now_us) is None
            loop.call_soon_threadsafe(held.set)
            judged.wait()

        holding = asyncio.ensure_future(a.store.write(hold))
        await held.wait()
        judging = asyncio.ensure_future(b.store.write(lambda connection: judge(connection, person, now_us)))
        await asyncio.wait({judging}, timeout=_PATIENCE_S)
        judged.set()
        await asyncio.gather(holding, judging)
        await b.upkeep()
        marked = await hosts.a.next()
        assert marked is not None
        assert marked.message_id == message.id
