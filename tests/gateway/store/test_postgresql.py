"""What only a database on a server can do to us: unsafe settings, a second daemon, lost connections, doubt."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select
from support.bench import NUMBER, SIM1, Bench, make_bench
from support.clock import ManualClock
from support.database_proxy import Cut, Proxy, door_to
from support.place import Place
from support.postgresql import Database, Server
from support.settings import settings_in
from support.waiting import eventually, eventually_sync

from gateway.errors import StoreInUse, Unavailable
from gateway.message import Status
from gateway.store import messages, optouts, recipients
from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine, StoreUnusable
from gateway.store.opening import KEY_NAME, open_on
from gateway.store.schema import meta


@pytest.fixture(params=["postgresql"])
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


@pytest.fixture
def proxy(postgresql: Server) -> Iterator[Proxy]:
    with door_to(postgresql.folder) as proxy:
        yield proxy


@pytest.fixture
async def far(place: Place, proxy: Proxy):
    """A store that is reached through the proxy."""
    assert place.database is not None
    url = f"postgresql://tocsin@/{place.database.name}?host={proxy.folder}"
    opened = open_on(PostgresqlEngine(url, None, "far"), place.folder / KEY_NAME)
    yield opened
    proxy.lets_in.set()
    await opened.close()


def put(key: str):
    return lambda connection: connection.execute(insert(meta).values(key=key, value="x")) and None


def keys(connection: Connection) -> list[str]:
    return list(connection.execute(select(meta.c.key).where(meta.c.key.like("t%")).order_by(meta.c.key)).scalars())


def end_sessions(database: Database, like: str = "tocsin%") -> int:
    """End every session of ours; how many there were."""
    ended = database.run(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
        f"WHERE application_name LIKE '{like}' AND datname = current_database()"
    )
    return len(ended)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_p04_settings_that_lose_what_was_accepted_are_refused_by_name(
    place: Place, postgresql: Server, name: str
) -> None:
    with postgresql.set_to(name, "off"), pytest.raises(StoreUnusable, match=f"{name} = off.*set it to on"):
        place.open()


async def test_what_was_safe_at_the_start_stays_so_for_the_session(place: Place, postgresql: Server) -> None:
    store = place.open()
    try:
        with postgresql.set_to("synchronous_commit", "off"):
            shown = await store.write(lambda connection: connection.exec_driver_sql("SHOW synchronous_commit").scalar())
    finally:
        await store.close()
    assert shown == "on"


def test_a_local_commit_where_a_standby_is_waited_for_is_refused(place: Place, postgresql: Server) -> None:
    with (
        postgresql.set_to("synchronous_commit", "local"),
        postgresql.set_to("synchronous_standby_names", "other"),
        pytest.raises(StoreUnusable, match="synchronous_commit = local"),
    ):
        place.open()


def test_a_database_that_is_not_utf_8_is_refused(postgresql: Server, tmp_path: Path) -> None:
    postgresql.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(StoreUnusable, match="LATIN1; UTF8 is needed"):
        open_on(PostgresqlEngine(postgresql.url("latin"), None, "n"), tmp_path / KEY_NAME)


def test_a_server_that_is_not_there_and_a_database_that_is_not_are_told(postgresql: Server, tmp_path: Path) -> None:
    for url in (f"postgresql://tocsin@/tocsin?host={tmp_path}", postgresql.url("nowhere")):
        with pytest.raises(StoreUnusable, match="cannot be opened"):
            open_on(PostgresqlEngine(url, "geheim", "n"), tmp_path / KEY_NAME)
    assert not (tmp_path / KEY_NAME).exists()


def test_another_host_needs_the_key_of_the_first(place: Place) -> None:
    (place.folder / KEY_NAME).unlink()
    with pytest.raises(StoreUnusable, match="copy it from another host"):
        place.open()


async def test_a_node_has_one_daemon_and_a_database_many_nodes(place: Place) -> None:
    first = place.open("a")
    with pytest.raises(StoreInUse, match="node a"):
        place.open("a")
    await place.open("b").close()
    await first.close()
    await place.open("a").close()


async def test_sessions_have_limits_and_a_name(place: Place, store: Store) -> None:
    wanted = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
    work = lambda connection: [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in wanted]  # noqa: E731
    expected = ["8s", "6s", "15s", "tocsin test-1"]
    assert await store.write(work) == expected
    assert await store.read(work) == expected


@pytest.mark.parametrize("how", ["at once", "put off", "many"])
def test_a_session_that_stops_inside_a_transaction_loses_it(place: Place, how: str) -> None:
    assert place.database is not None
    engine = place.engine("stopped")
    connection = engine.writing().connect()
    raw: Any = connection.connection.driver_connection
    raw.execute("SET idle_in_transaction_session_timeout = '100ms'")
    connection.begin()
    if how == "put off":
        raw.later("SELECT 1")
    if how == "many":
        raw.many("SELECT %s::int", [[1], [2]])
    else:
        raw.execute("SELECT 2")
    gone = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tocsin stopped'"
    eventually_sync(lambda: place.database is not None and not place.database.run(gone), what="the end of the session")
    connection.invalidate()
    connection.close()


async def test_a_text_with_a_null_character_is_kept_without_it(store: Store) -> None:
    await store.write(lambda connection: connection.execute(insert(meta).values(key="t\0", value="a\0b")) and None)
    assert await store.read(keys) == ["t\ufffd"]


async def test_connections_that_broke_unused_are_replaced_and_nobody_notices(place: Place, store: Store) -> None:
    assert place.database is not None
    for number in range(5):
        assert await store.read(keys) == [f"t{each}" for each in range(number)]
        assert end_sessions(place.database) >= 2
        await store.write(put(f"t{number}"))
    assert store.writable


async def test_a_work_whose_connection_breaks_is_refused_and_left_no_trace(place: Place, store: Store) -> None:
    def broken(connection: Connection) -> None:
        put("t1")(connection)
        assert place.database is not None
        end_sessions(place.database)
        put("t2")(connection)

    with pytest.raises(Unavailable) as refused:
        await store.write(broken)
    assert (refused.value.code, store.writable) == ("store_unreachable", False)
    await store.write(put("t3"))
    assert await store.read(keys) == ["t3"]
    assert store.writable


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("works", [1, 3])
async def test_a_commit_whose_answer_is_lost_is_found_done_or_undone(
    place: Place, proxy: Proxy, far: Store, cut: Cut, works: int
) -> None:
    held = threading.Event()
    blocker = asyncio.create_task(far.write(lambda _connection: held.wait(5)))
    group = [asyncio.create_task(far.write(put(f"t{number}"))) for number in range(works)]
    await asyncio.sleep(0)
    held.set()
    await blocker
    # Whichever of the commits comes next is the one: a group may have been taken apart by then.
    proxy.cut_next_commit(cut)
    late = [asyncio.create_task(far.write(put(f"u{number}"))) for number in range(works)]
    answers = await asyncio.gather(*group, *late, return_exceptions=True)
    refused = [answer for answer in answers if answer is not None]
    assert proxy.was_cut.is_set()
    assert all(isinstance(answer, Unavailable) and answer.code == "store_unreachable" for answer in refused)
    stored = await far.read(lambda connection: connection.execute(select(func.count()).select_from(meta)).scalar_one())
    # One row is the store's own; what was refused is not there, what was answered is.
    assert stored - 1 == len(answers) - len(refused)
    assert bool(refused) == (cut is Cut.BEFORE)


async def test_in_doubt_nobody_is_answered_and_others_are_refused_meanwhile(proxy: Proxy, far: Store) -> None:
    proxy.cut_next_commit(Cut.AFTER, shut=True)
    doubtful = asyncio.create_task(far.write(put("t1")))
    await eventually(proxy.was_cut.is_set, what="the cut")
    with pytest.raises(Unavailable):
        await far.write(put("t2"))
    with pytest.raises(Unavailable):
        await far.read(keys)
    assert not far.writable
    assert not doubtful.done()
    proxy.lets_in.set()
    await doubtful
    assert await far.read(keys) == ["t1"]
    await far.write(put("t3"))
    assert far.writable


async def test_a_store_that_closes_in_doubt_says_so(proxy: Proxy, far: Store) -> None:
    proxy.cut_next_commit(Cut.AFTER, shut=True)
    doubtful = asyncio.create_task(far.write(put("t1")))
    await eventually(proxy.was_cut.is_set, what="the cut")
    await far.close()
    with pytest.raises(Unavailable) as refused:
        await doubtful
    assert refused.value.code == "commit_in_doubt"


async def test_a_cut_off_session_of_our_own_does_not_keep_us_out(place: Place, proxy: Proxy, far: Store) -> None:
    """The server may not have noticed that the first session is gone."""
    assert place.database is not None
    me = await far.write(lambda connection: connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
    proxy.strand()
    await far.write(put("t1"))
    alive = place.database.run(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {me}")
    assert alive == [(0,)]


class TwoHosts:
    """Two stores of two nodes on one database; the second looks while a transaction of the first is open."""

    def __init__(self, first: Bench, second: Bench) -> None:
        self.first = first
        self.second = second

    async def during(self, begun, look):
        """Run `look` of the second host between the end of `begun` and the commit of the first; both results."""
        reached, go_on = threading.Event(), threading.Event()

        def work(connection: Connection):
            result = begun(connection)
            reached.set()
            assert go_on.wait(10)
            return result

        first = asyncio.create_task(self.first.store.write(work))
        await asyncio.to_thread(reached.wait, 10)
        try:
            seen = await look()
        finally:
            go_on.set()
        return await first, seen


@pytest.fixture
async def hosts(place: Place, store: Store, clock: ManualClock):
    other = place.open("test-2")
    settings = settings_in(place.folder)
    first = await make_bench(settings, store, clock)
    second = Bench(settings, other, clock, first.ids, first.gate, first.intake, first.principal)
    yield TwoHosts(first, second)
    await other.close()


def gate_of(bench: Bench):
    return lambda connection: bench.gate.next(connection, SIM1, bench.clock.now_us())


async def test_what_one_host_takes_the_other_leaves(hosts: TwoHosts) -> None:
    sent = await hosts.first.accept()
    mine, other = await hosts.during(gate_of(hosts.first), hosts.second.next)
    assert (mine.message_id, other) == (sent.id, None)
    assert await hosts.second.store.read(lambda connection: messages.get(connection, sent.id).status) is Status.SENDING


async def test_two_messages_to_one_person_do_not_leave_through_two_hosts(hosts: TwoHosts) -> None:
    sent = {(await hosts.first.accept(text=text)).id for text in ("one", "two")}
    mine, other = await hosts.during(gate_of(hosts.first), hosts.second.next)
    assert mine.message_id in sent
    assert other is None
    assert await hosts.second.next() is None


async def test_a_stop_waits_for_a_mark_and_the_next_part_of_anybody_waits_for_the_stop(hosts: TwoHosts) -> None:
    await hosts.first.accept()
    lookup = hosts.first.store.fingerprint(NUMBER)
    now_us = hosts.first.clock.now_us()

    def stop(connection: Connection) -> bool:
        person = recipients.find(connection, lookup)
        return optouts.stop(connection, person, "", now_us, source="test", stoppable=("transactional",))

    added, taken = await hosts.during(stop, hosts.second.next)
    assert added
    assert taken is None
    assert await hosts.second.next() is None


async def test_a_new_number_on_two_hosts_at_once_is_one_person(hosts: TwoHosts) -> None:
    lookup = hosts.first.store.fingerprint("+33611111111")

    def ensure(connection: Connection) -> int:
        return recipients.ensure(connection, "+33611111111", "e164", lookup, 1)

    async def second():
        return asyncio.create_task(hosts.second.store.write(ensure))

    mine, waiting = await hosts.during(ensure, second)
    assert await waiting == mine
