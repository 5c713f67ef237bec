"""A server that says nothing and keeps its connections open: frozen itself, or behind a network that is half gone."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from support.database_proxy import Cut, Proxy, door_to
from support.place import Place
from support.postgresql import Database, Server
from support.sharing import share_all
from support.waiting import eventually

from gateway.clock import SystemClock
from gateway.errors import Unavailable
from gateway.store import signals
from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine
from gateway.store.listening import Listener
from gateway.store.opening import KEY_NAME, open_on
from gateway.store.schema import meta
from gateway.store.server_settings import LIMITS, OF_SESSION, TripLimits
from gateway.store.signals import Topic

#: As short as may be where a slow machine is not to be taken for a dead one; the driver connects for 2 s at least.
SHORT = TripLimits(trip_s=0.6, connect_s=2, doubt_s=0.4)
#: What a caller waits at most: a trip, a connection that does not come about, and what a busy machine adds.
BOUND_S = 6.0


@pytest.fixture(params=["postgresql"])
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


@pytest.fixture
def proxy(postgresql: Server) -> Iterator[Proxy]:
    with door_to(postgresql.folder) as proxy:
        yield proxy


def engine_through(proxy: Proxy, place: Place, node: str = "far") -> PostgresqlEngine:
    assert place.database is not None
    return PostgresqlEngine(place.database.url_through(proxy.folder), None, node, SHORT)


@pytest.fixture
async def far(place: Place, proxy: Proxy) -> AsyncIterator[Store]:
    """A store that is reached through the proxy, and does not wait for long."""
    opened = open_on(engine_through(proxy, place), place.folder / KEY_NAME)
    yield opened
    proxy.thaw()
    await opened.close()


def put(key: str):
    return lambda connection: connection.execute(insert(meta).values(key=key, value="x")) and None


def keys(connection: Connection) -> list[str]:
    return list(connection.execute(select(meta.c.key).where(meta.c.key.like("t%")).order_by(meta.c.key)).scalars())


def pid_of(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


async def refused(*asked: asyncio.Future[object]) -> set[str]:
    """The codes with which all of these are refused, within the bound."""
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), BOUND_S)
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    return {answer.code for answer in answers if isinstance(answer, Unavailable)}


async def works_again(store: Store, key: str) -> bool:
    try:
        await store.write(put(key))
    except Unavailable:
        return False
    return True


def test_the_server_ends_what_takes_long_before_we_give_it_up() -> None:
    seconds = {name: int(value.removesuffix("s")) for name, value in OF_SESSION if value.endswith("s")}
    assert seconds["lock_timeout"] < seconds["statement_timeout"] < LIMITS.trip_s
    assert LIMITS.trip_s + LIMITS.connect_s <= 15
    assert LIMITS.trip_s + LIMITS.doubt_s <= 15


async def test_who_waits_for_a_frozen_server_is_refused_and_it_goes_on_by_itself(proxy: Proxy, far: Store) -> None:
    await far.write(put("t0"))
    assert await far.read(keys) == ["t0"]
    proxy.freeze()
    writes = [asyncio.ensure_future(far.write(put(f"t{number}"))) for number in range(1, 4)]
    # As many as would take minutes, each waiting for those before.
    reads = [asyncio.ensure_future(far.read(keys)) for _ in range(40)]
    assert await refused(*writes, *reads) == {"store_unreachable"}
    assert not far.writable
    began = time.monotonic()
    assert not await far.can_be_written()
    assert time.monotonic() - began < BOUND_S
    proxy.thaw()
    await eventually(lambda: works_again(far, "t9"), 10, "a store that is written")
    assert await far.read(keys) == ["t0", "t9"]


async def test_a_server_process_that_is_stopped_is_a_lost_connection(place: Place, proxy: Proxy, far: Store) -> None:
    writing, reading = await far.write(pid_of), await far.read(pid_of)
    try:
        for pid in (writing, reading):
            os.kill(pid, signal.SIGSTOP)
        assert await refused(asyncio.ensure_future(far.write(put("t1")))) == {"store_unreachable"}
        # Another process of the server answers instead of the one that does not.
        assert await asyncio.wait_for(far.read(keys), BOUND_S) == []
    finally:
        for pid in (writing, reading):
            os.kill(pid, signal.SIGCONT)
    await eventually(lambda: works_again(far, "t2"), 10, "a store that is written")
    assert await far.read(keys) == ["t2"]


@pytest.mark.parametrize("how", Cut)
async def test_a_commit_that_meets_the_frost_is_found_done_or_undone(proxy: Proxy, far: Store, how: Cut) -> None:
    """Before it: the server gets the COMMIT when its client has long been gone."""
    proxy.freeze_at_commit(how)
    patient = asyncio.ensure_future(far.write(put("t1")))
    await eventually(proxy.was_cut.is_set, what="the COMMIT")
    assert await refused(asyncio.ensure_future(far.write(put("t2"), hurried=True))) == {"store_unreachable"}
    assert not far.writable
    assert not patient.done()
    proxy.thaw()
    (answer,) = await asyncio.wait_for(asyncio.gather(patient, return_exceptions=True), 10)
    stored = await eventually(lambda: asyncio.ensure_future(_read(far)), 10, "what is stored")
    assert ("t1" in stored) == (answer is None), (stored, answer)
    assert answer is None or (isinstance(answer, Unavailable) and answer.code == "store_unreachable")
    if how is Cut.AFTER:
        assert answer is None


async def _read(store: Store) -> list[str] | None:
    """What is there, and a row of ours for sure; None while it cannot be read."""
    try:
        return [*await store.read(keys), "read"]
    except Unavailable:
        return None


async def test_who_is_in_a_hurry_hears_of_the_doubt_and_nobody_else(proxy: Proxy, far: Store) -> None:
    share_all(far)
    begun, go_on = threading.Event(), threading.Event()
    blocker = asyncio.ensure_future(far.write(lambda _connection: begun.set() or go_on.wait(5)))
    await eventually(begun.is_set, what="a writer that is busy")
    patient = asyncio.ensure_future(far.write(put("t0")))
    hurried = asyncio.ensure_future(far.write(put("t1"), hurried=True))
    # Both have been handed over by then, and share the next commit.
    await asyncio.sleep(0)
    go_on.set()
    await blocker
    proxy.freeze_at_commit(Cut.AFTER)
    assert await refused(hurried) == {"commit_in_doubt"}
    assert not patient.done()
    proxy.thaw()
    await asyncio.wait_for(patient, 10)
    assert await far.read(keys) == ["t0", "t1"]


async def test_slow_is_not_silent(proxy: Proxy, far: Store) -> None:
    proxy.be_slow(SHORT.trip_s / 2)
    await far.write(put("t1"))
    assert await far.read(keys) == ["t1"]
    assert far.writable


async def test_who_changes_the_schema_is_not_hurried(place: Place, proxy: Proxy) -> None:
    """Another host is at it for longer than a trip may take."""
    assert place.database is not None
    with place.database.server.connect(place.database.name) as other:
        other.execute("SELECT pg_advisory_lock(5533539, 0)")
        opening = asyncio.ensure_future(
            asyncio.to_thread(open_on, engine_through(proxy, place), place.folder / KEY_NAME)
        )
        done, _ = await asyncio.wait([opening], timeout=2 * SHORT.trip_s)
        assert not done
        other.execute("SELECT pg_advisory_unlock(5533539, 0)")
    store = await opening
    raw_limit = await store.write(lambda connection: connection.connection.driver_connection.limit_s)  # type: ignore[union-attr]
    await store.close()
    assert raw_limit == SHORT.trip_s


async def test_what_is_committed_here_and_not_at_the_standby_is_not_answered(place: Place, postgresql: Server) -> None:
    assert place.database is not None
    store = open_on(PostgresqlEngine(place.database.url, None, "far", SHORT), place.folder / KEY_NAME)
    try:
        with postgresql.set_to("synchronous_standby_names", "nobody"):
            patient = asyncio.ensure_future(store.write(put("t1")))
            assert await refused(asyncio.ensure_future(store.write(put("t2"), hurried=True))) <= {
                "store_unreachable",
                "commit_in_doubt",
            }
            assert not patient.done()
        await asyncio.wait_for(patient, 10)
        assert "t1" in await store.read(keys)
    finally:
        await store.close()


async def test_a_listener_that_hears_nothing_for_long_listens_anew(
    place: Place, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Collection[Topic]] = []
    store = place.open("near")
    engine = engine_through(proxy, place)
    # What the driver is to be told is known once somebody wants to connect.
    engine.reading().dispose()
    listener = Listener(engine, SystemClock(), ask_us=200_000)
    listener.heard = heard.append
    running = asyncio.create_task(listener.run())
    try:
        await eventually(lambda: heard, what="a listener that listens")
        asked = {_asked(place)}
        await eventually(lambda: asked.add(_asked(place)) or len(asked) > 3, what="some questions and their answers")
        await store.write(lambda connection: _told(connection, Topic.TOKENS))
        await eventually(lambda: {Topic.TOKENS} in heard, what="a signal")
        assert heard == [frozenset(Topic), {Topic.TOKENS}]
        proxy.freeze()
        lost = lambda: any(getattr(record, "action", "") == "listening_lost" for record in caplog.records)  # noqa: E731
        await eventually(lost, 10, "the end of a connection that is not answered")
        proxy.thaw()
        await eventually(lambda: heard.count(frozenset(Topic)) == 2, 10, "a listener that listens again")
        await store.write(lambda connection: _told(connection, Topic.HOSTS))
        await eventually(lambda: {Topic.HOSTS} in heard, what="a signal")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


async def test_a_listener_that_is_ended_while_it_connects_leaves_no_session(place: Place, proxy: Proxy) -> None:
    assert place.database is not None
    engine = engine_through(proxy, place)
    engine.reading().dispose()
    proxy.freeze()
    running = asyncio.create_task(Listener(engine, SystemClock()).run())
    await eventually(lambda: proxy.clients, what="a listener that connects")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    proxy.thaw()
    await eventually(lambda: not proxy.clients, what="a session that is closed")


def _told(connection: Connection, topic: Topic) -> None:
    connection.exec_driver_sql("SELECT 1")
    signals.send(connection, topic)


def _asked(place: Place) -> object:
    """When the session that listens was last asked something."""
    assert place.database is not None
    ((start,),) = place.database.run("SELECT query_start FROM pg_stat_activity WHERE application_name = 'tocsin far'")
    return start
