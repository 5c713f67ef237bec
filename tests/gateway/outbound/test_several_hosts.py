"""Two hosts on one queue: leases, fences, what a silent host leaves, and who comes first where both decide."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, SIM1
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.two_hosts import TwoHosts, two_hosts
from support.waiting import eventually

from gateway.errors import Conflict, Unavailable
from gateway.message import PartEvent, Pause, Status
from gateway.outbound.dispatcher import upkeep_at
from gateway.requests import NewMessage, Settlement
from gateway.store import lanes, locks, optouts, outcomes, pauses, recipients, resolution, upkeep
from gateway.store.locks import Lock
from gateway.store.opening import KEY_NAME
from gateway.store.queue import ModemFacts

OTHER = "+33698765432"
AN_HOUR_S = 3600


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


@pytest.fixture
async def hosts(place: Place, tmp_path: Path, clock: ManualClock) -> AsyncIterator[TwoHosts]:
    async with two_hosts(place, tmp_path, clock) as made:
        yield made


def at_gate(connection: Connection) -> Pause:
    """What is paused, as a gate asks for it."""
    modem = ModemFacts("m0", "a", simulated=True, imei=None, iccid=None, takes_test=True, takes_live=True)
    return lanes.look(connection, modem, 0)[0]


class Held:
    """A transaction of one host that is stopped in its middle, after `work` was done in it.

    `refused` says that it comes to nothing.
    """

    def __init__(self, store, work, *, refused: bool = False) -> None:
        self._refused = refused
        self._inside, self._go = threading.Event(), threading.Event()

        def held(connection: Connection):
            result = work(connection)
            self._inside.set()
            assert self._go.wait(20)
            return result

        self._task = asyncio.ensure_future(store.write(held))

    async def __aenter__(self) -> Held:
        await asyncio.to_thread(self._inside.wait, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._go.set()
        with pytest.raises(Unavailable) if self._refused else nullcontext():
            await self._task

    def go(self) -> asyncio.Future:
        """Let it end."""
        self._go.set()
        return self._task


# --- the lease


async def test_a_host_whose_lease_has_passed_marks_nothing_until_it_has_another(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept()
    hosts.age("a", AN_HOUR_S)
    with pytest.raises(Unavailable) as refused:
        await hosts.a.next()
    assert refused.value.code == "lease_lost"
    assert hosts.rows("SELECT 1 FROM attempt") == []
    await hosts.a.renew()
    marked = await hosts.a.next()
    assert marked is not None
    assert marked.message_id == message.id


async def test_a_session_that_another_host_ended_is_no_session_although_its_lease_were_long(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    hosts.age("a", AN_HOUR_S)
    await hosts.b.renew()
    assert hosts.rows("SELECT session, ended FROM host WHERE node = 'a'") == [(None, "silent")]
    hosts.age("a", -2 * AN_HOUR_S)
    with pytest.raises(Unavailable, match="silent for too long"):
        await hosts.a.next()
    assert await hosts.b.next() is not None
    await hosts.a.renew()
    assert await hosts.a.next() is None


async def test_what_else_a_stale_host_commits_is_not_fenced(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    marked = await hosts.a.next()
    assert marked is not None
    hosts.age("a", AN_HOUR_S)
    await hosts.b.renew()
    await hosts.a.bench.accept(OTHER)
    await hosts.a.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    assert (await hosts.b.bench.get(marked.message_id)).status is Status.SENT


async def test_nobody_ends_a_session_in_the_middle_of_its_mark(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    bench = hosts.a.bench

    def mark(connection: Connection) -> None:
        assert bench.gate.next(connection, replace(SIM1, node="a"), bench.clock.now_us()) is not None

    async with Held(bench.store, mark):
        await hosts.b.bench.store.write(lambda c: _expire(c, "a"))
        await hosts.b.renew()
        assert hosts.rows("SELECT session IS NULL FROM host WHERE node = 'a'") == [(False,)]
    await hosts.b.renew()
    assert hosts.rows("SELECT session IS NULL FROM host WHERE node = 'a'") == [(True,)]
    assert hosts.rows("SELECT state FROM attempt") == [("submitting",)]


async def test_a_host_that_is_stopped_while_it_sends_is_idle_for_nobody_and_ended_by_who_needs_what_it_holds(
    hosts: TwoHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "STUCK_S", 0)
    await hosts.a.bench.accept()
    bench = hosts.a.bench

    def mark(connection: Connection) -> None:
        assert bench.gate.next(connection, replace(SIM1, node="a"), bench.clock.now_us()) is not None

    async with Held(bench.store, mark, refused=True):
        await hosts.b.bench.store.write(lambda c: _expire(c, "a"))
        await hosts.b.renew()
        await eventually(lambda: not hosts.rows(A_TRANSACTION), what="the end of its transaction")
        await hosts.b.renew()
        assert hosts.rows("SELECT session IS NULL FROM host WHERE node = 'a'") == [(True,)]
    assert hosts.rows("SELECT state FROM attempt") == []
    assert await hosts.b.next() is not None


async def test_a_pause_does_not_wait_for_a_gate_that_is_stuck(hosts: TwoHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "STUCK_S", 0)
    now_us = hosts.clock.now_us()
    async with Held(hosts.a.bench.store, at_gate, refused=True):
        paused = await hosts.b.bench.store.write(lambda c: pauses.add(c, (), now_us, by="token test"))
        assert paused.everything


A_TRANSACTION = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tocsin a' AND xact_start IS NOT NULL"


def _expire(connection: Connection, node: str) -> None:
    connection.exec_driver_sql(f"UPDATE host SET lease_us = lease_us - 60000000 WHERE node = '{node}'")


async def test_a_host_that_ends_is_known_at_once_as_stopped(hosts: TwoHosts) -> None:
    await hosts.a.lease.end()
    assert hosts.rows("SELECT session, ended FROM host WHERE node = 'a'") == [(None, "stopped")]
    with pytest.raises(Unavailable):
        await hosts.a.next()


async def test_hosts_that_are_long_gone_are_forgotten(hosts: TwoHosts) -> None:
    await hosts.a.lease.end()
    hosts.age("a", 8 * 24 * AN_HOUR_S)
    await hosts.b.renew()
    assert hosts.rows("SELECT node FROM host") == [("b",)]


# --- what a silent host leaves


async def test_open_marks_become_uncertain_when_no_submit_can_be_under_way(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(on_uncertain="hold")
    assert await hosts.a.next() is not None
    hosts.age("a", 16)
    await hosts.b.renew()
    assert (await hosts.b.bench.get(message.id)).status is Status.SENDING
    hosts.age("a", 140)
    await hosts.b.renew()
    found = await hosts.b.bench.get(message.id)
    assert (found.status, found.error_code) == (Status.UNCERTAIN, "host_lost")
    assert await hosts.b.next() is None


async def test_policy_resend_spends_its_one_copy_elsewhere_by_upkeep(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(category="emergency")
    first = await hosts.a.next()
    hosts.age("a", 200)
    await hosts.b.renew()
    assert await hosts.b.next() is None
    hosts.clock.advance(timedelta(microseconds=60_000_000))
    await hosts.b.bench.upkeep()
    again = await hosts.b.next()
    assert first is not None
    assert again is not None
    assert (again.message_id, again.copies) == (message.id, 2)
    await hosts.b.settle(again, PartEvent.ACCEPTED, tp_mr=2)
    # The first host returns with what its modem had answered: it is written down, and nothing leaves.
    await hosts.a.renew()
    await hosts.a.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    assert hosts.rows("SELECT state, tp_mr FROM attempt ORDER BY id") == [("sent", 1), ("sent", 2)]
    assert await hosts.a.next() is None
    assert await hosts.b.next() is None


async def test_a_host_that_has_come_back_settles_its_own_marks(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    assert await hosts.a.next() is not None
    hosts.age("a", 20)
    await hosts.b.renew()
    await hosts.a.renew()
    hosts.age("a", -1)
    await hosts.b.renew()
    assert hosts.rows("SELECT state FROM attempt") == [("submitting",)]


async def test_a_begun_message_stays_with_its_sim_and_one_of_which_nothing_left_is_set_free(hosts: TwoHosts) -> None:
    begun = await hosts.a.bench.accept(text="x" * 400)
    first = await hosts.a.next()
    assert first is not None
    await hosts.a.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    bound = await hosts.b.bench.accept(OTHER)
    hosts.rows(f"UPDATE message SET status = 'sending', node = 'a', modem = 'sim1' WHERE id = '{bound.id}'; SELECT 1")
    assert await hosts.b.next() is None
    hosts.age("a", 20)
    await hosts.b.renew()
    marked = await hosts.b.next()
    assert marked is not None
    assert marked.message_id == bound.id
    assert await hosts.b.next() is None
    assert (await hosts.b.bench.get(begun.id)).status is Status.SENDING


async def test_marks_of_a_node_that_nobody_knows_are_not_forgotten(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(on_uncertain="hold")
    assert await hosts.a.next() is not None
    hosts.rows("DELETE FROM host WHERE node = 'a'; SELECT 1")
    await hosts.b.renew()
    assert hosts.rows("SELECT ended FROM host WHERE node = 'a'") == [("silent",)]
    hosts.age("a", 200)
    await hosts.b.renew()
    assert (await hosts.b.bench.get(message.id)).status is Status.UNCERTAIN


# --- who comes first


async def test_a_pause_waits_for_marks_that_are_being_made_and_later_ones_see_it(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    bench, now_us = hosts.a.bench, hosts.clock.now_us()
    async with Held(bench.store, at_gate) as held:
        pausing = asyncio.ensure_future(hosts.b.bench.store.write(lambda c: pauses.add(c, (), now_us, by="token test")))
        await eventually(lambda: hosts.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), what="a pause that waits")
        assert not pausing.done()
        assert not (await held.go()).everything
        assert (await pausing).everything
    assert await hosts.a.next() is None


async def test_two_hosts_that_pause_at_once_both_get_their_answer(hosts: TwoHosts) -> None:
    now_us = hosts.clock.now_us()

    def work(connection: Connection):
        at_gate(connection)
        return pauses.add(connection, (), now_us, by="token test")

    both = await asyncio.gather(*(host.bench.store.write(work) for host in (hosts.a, hosts.b) for _ in range(5)))
    assert all(pause.everything for pause in both)
    assert hosts.rows("SELECT count(*) FROM pause") == [(1,)]


async def test_the_victim_of_a_deadlock_is_run_again(hosts: TwoHosts) -> None:
    people = {number: (await hosts.a.bench.accept(number)).id for number in (NUMBER, OTHER)}
    assert len(people) == 2
    met = threading.Barrier(2, timeout=10)
    tries: list[tuple[int, ...]] = []

    def crossing(order: tuple[int, ...]):
        def work(connection: Connection) -> str:
            tries.append(order)
            recipients.lock(connection, order[0])
            if tries.count(order) == 1:
                met.wait()
            recipients.lock(connection, order[1])
            return "done"

        return work

    ids = tuple(row[0] for row in hosts.rows("SELECT id FROM recipient ORDER BY id"))
    results = await asyncio.gather(
        hosts.a.bench.store.write(crossing(ids)), hosts.b.bench.store.write(crossing(ids[::-1]))
    )
    assert results == ["done", "done"]
    assert len(tries) >= 3


async def test_one_key_used_at_two_hosts_at_once_is_one_message(hosts: TwoHosts) -> None:
    principal = hosts.a.bench.principal
    both = (hosts.a.bench.intake, hosts.b.bench.intake)
    asked = [intake.accept(principal, NewMessage(NUMBER, "once"), "key") for _ in range(50) for intake in both]
    assert len({message.id for message in await asyncio.gather(*asked)}) == 1
    assert hosts.rows("SELECT count(*) FROM message") == [(1,)]


async def test_accepting_waits_for_a_stop_that_another_host_hears(hosts: TwoHosts) -> None:
    await hosts.a.bench.accept()
    person = hosts.rows("SELECT id FROM recipient")[0][0]
    assert isinstance(person, int)
    now_us = hosts.clock.now_us()
    async with Held(hosts.a.bench.store, lambda c: optouts.add(c, person, "", now_us, source="test")) as held:
        accepting = asyncio.ensure_future(hosts.b.bench.accept())
        await eventually(lambda: hosts.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), what="a host that waits")
        await held.go()
        assert (await accepting).status is Status.SUPPRESSED


async def test_upkeep_is_done_by_one_at_a_time_and_by_the_next_when_that_one_is_gone(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(expires_us=hosts.clock.now_us() + 60_000_000)
    hosts.clock.advance(timedelta(microseconds=120_000_000))
    now_us = hosts.clock.now_us()
    async with Held(hosts.a.bench.store, lambda c: locks.try_alone(c, Lock.UPKEEP)):
        await hosts.b.bench.store.write(lambda c: upkeep_at(c, now_us))
        assert (await hosts.b.bench.get(message.id)).status is Status.QUEUED
    await hosts.b.bench.upkeep()
    assert (await hosts.b.bench.get(message.id)).status is Status.EXPIRED


async def test_a_message_that_was_taken_back_elsewhere_is_not_released(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(send_us=hosts.clock.now_us() + 60_000_000)
    hosts.clock.advance(timedelta(microseconds=120_000_000))

    def cancel(connection: Connection) -> None:
        connection.exec_driver_sql(f"UPDATE message SET status = 'canceled' WHERE id = '{message.id}'")

    async with Held(hosts.a.bench.store, cancel) as held:
        now_us = hosts.clock.now_us()
        releasing = asyncio.ensure_future(hosts.b.bench.store.write(lambda c: upkeep.release_held(c, now_us)))
        await eventually(lambda: hosts.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), what="a host that waits")
        await held.go()
        assert await releasing == 0
    assert (await hosts.b.bench.get(message.id)).status is Status.CANCELED


async def test_two_operators_who_settle_one_message_at_once(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept(on_uncertain="hold")
    marked = await hosts.a.next()
    assert marked is not None
    await hosts.a.settle(marked, PartEvent.OUTCOME_LOST, code="timeout")
    now_us = hosts.clock.now_us()

    def settle(connection: Connection) -> None:
        outcomes.settle_by_hand(connection, message.id, PartEvent.ACCEPTED, now_us, "by hand")

    def again(connection: Connection) -> None:
        resolution.resolve(connection, message.id, Settlement.RESEND, now_us, by="token test")

    async with Held(hosts.a.bench.store, settle) as held:
        resolving = asyncio.ensure_future(hosts.b.bench.store.write(again))
        await eventually(lambda: hosts.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), what="a host that waits")
        await held.go()
        with pytest.raises(Conflict):
            await resolving
    assert (await hosts.b.bench.get(message.id)).status is Status.SENT
    assert await hosts.b.next() is None
