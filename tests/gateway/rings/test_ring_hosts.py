"""Rings on two hosts of one database: one of them looks after a ring, and when both do it nobody is rung twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.ringing import Ringing, number
from support.two_hosts import TwoHosts, two_hosts

from gateway.ring import Escalation
from gateway.rings.keeper import CLAIM_US
from gateway.store.opening import KEY_NAME

MINUTE_US = 60_000_000
PEOPLE = [number(at) for at in range(120)]


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


def both(hosts: TwoHosts) -> tuple[Ringing, Ringing]:
    """The rings of each."""
    return Ringing(hosts.a.bench), Ringing(hosts.b.bench)


async def test_one_host_escalates_and_another_takes_over_when_that_is_silent(place: Place, tmp_path: Path) -> None:
    async with two_hosts(place, tmp_path, ManualClock()) as hosts:
        first, second = both(hosts)
        rung = await first.ring(number(0), expect=("OK",), escalate=(Escalation(MINUTE_US, tuple(PEOPLE)),))
        hosts.clock.advance(timedelta(minutes=2))
        await first.look(rung.id)
        hosts.clock.advance(timedelta(microseconds=CLAIM_US // 2))
        await second.look(rung.id)
        assert len(hosts.rows("SELECT id FROM message")) == 120
        assert hosts.rows("SELECT claimed_by FROM ring") == [("a",)]
        hosts.clock.advance(timedelta(microseconds=CLAIM_US))
        await second.look(rung.id)
        assert hosts.rows("SELECT claimed_by FROM ring") == [("b",)]


async def test_two_hosts_that_ring_the_same_people_at_once_ring_nobody_twice(place: Place, tmp_path: Path) -> None:
    async with two_hosts(place, tmp_path, ManualClock()) as hosts:
        first, second = both(hosts)
        rung = await first.ring(number(0), expect=("OK",), escalate=(Escalation(MINUTE_US, tuple(PEOPLE)),))
        await first.send()
        hosts.clock.advance(timedelta(minutes=2))
        # Whoever takes a claim that another still believes in.
        second.rings.keeper._claims[rung.id] = first.rings.keeper._claims[rung.id] = hosts.clock.now_us() + CLAIM_US
        await asyncio.gather(first.look(rung.id), second.look(rung.id))
        await first.look(rung.id)
        rows = hosts.rows("SELECT recipient_id, count(*) FROM message GROUP BY recipient_id")
        counts = {count for _, count in rows}
        assert len(rows) == 120
        # The first of them was silent and among those who are rung: once more, and once only.
        assert counts == {1, 2}
        assert sum(count == 2 for _, count in rows) == 1
