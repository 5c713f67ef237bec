"""The writer: groups, savepoints, flushes, a full disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, func, insert, select
from support.place import Place
from support.sharing import share_all
from support.waiting import eventually

from gateway.errors import StorageFull, StoreClosed, Unavailable
from gateway.store import events
from gateway.store.database import Store
from gateway.store.prepared import Prepared
from gateway.store.schema import meta


def put(key: str, value: str = "x"):  # type: ignore[no-untyped-def]
    row = insert(meta).values(key=key, value=value).returning(meta.c.key)
    return lambda connection: len(connection.execute(row).all())


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(meta).where(meta.c.key.like("t%"))).scalar_one()


async def held_up(store: Store, works: int) -> int:
    """Let so many works wait for the writer at once; how many commits they took."""
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_connection: Connection) -> None:
        loop.call_soon_threadsafe(gate.set)
        # The writer is held here until everybody has queued up behind it.
        queued.wait(5)

    queued = threading.Event()
    first = asyncio.create_task(store.write(slow))
    await gate.wait()
    groups = store.groups
    others = [asyncio.create_task(store.write(put(f"t{number}"))) for number in range(works)]
    await asyncio.sleep(0)
    queued.set()
    assert await asyncio.gather(*others) == [1] * works
    await first
    assert await store.read(count) == works
    return store.groups - groups


async def test_works_that_wait_share_one_commit_where_a_flush_takes_long(store: Store) -> None:
    share_all(store)
    assert await held_up(store, 50) == 1


async def test_however_long_a_work_takes_a_quarter_of_what_waits_shares_a_commit(store: Store) -> None:
    store._waiting.pace.learn(works=1, work_us=10**15, flush_us=1)
    # 12, 9, 7, 5, 4, 3, 2, 2, and six of one.
    assert await held_up(store, 50) == 14


async def test_a_work_that_fails_is_rolled_back_alone(store: Store) -> None:
    share_all(store)

    def half(connection: Connection) -> None:
        put("t-half")(connection)
        raise ValueError("no")

    results = await asyncio.gather(
        store.write(put("t1")), store.write(half), store.write(put("t2")), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, ValueError, int]
    assert await store.read(count) == 2


async def test_a_work_that_fails_before_it_has_asked_anything_fails_alone(store: Store) -> None:
    """Beginning costs no trip: the server may not have heard of the transaction yet."""
    share_all(store)

    def refuse(_connection: Connection) -> None:
        raise ValueError("no")

    for works in ([refuse, put("t1"), put("t2")], [put("t3"), refuse], [refuse, refuse], [refuse]):
        held = threading.Event()
        blocker = asyncio.create_task(store.write(lambda _connection, held=held: held.wait(5)))
        await asyncio.sleep(0)
        tasks = [asyncio.create_task(store.write(work)) for work in works]
        await asyncio.sleep(0)
        held.set()
        await blocker
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [ValueError if work is refuse else int for work in works]
    assert await store.read(count) == 3


@pytest.mark.parametrize("company", [0, 2])
async def test_an_error_of_the_last_statement_is_the_works_own(store: Store, company: int) -> None:
    """A statement whose answer nobody needs may be put off until the work is over."""

    def broken(connection: Connection) -> None:
        put("t-broken")(connection)
        events.record(connection, None, "nothing")  # type: ignore[arg-type]

    share_all(store)
    held = threading.Event()
    blocker = asyncio.create_task(store.write(lambda _connection: held.wait(5)))
    await asyncio.sleep(0)
    works = [asyncio.create_task(store.write(work)) for work in (broken, *[put(f"t{n}") for n in range(company)])]
    await asyncio.sleep(0)
    held.set()
    await blocker
    first, *others = await asyncio.gather(*works, return_exceptions=True)
    assert "at_us" in str(first)
    assert others == [1] * company
    assert store.writable
    assert await store.write(put("t-after")) == 1
    assert await store.read(count) == company + 1


async def test_a_cancelled_caller_does_not_undo_its_work(store: Store) -> None:
    task = asyncio.create_task(store.write(put("t1")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(lambda _connection: None)
    assert await store.read(count) == 1


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await store.read(put("t1"))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_and_serves_again_once_there_is_room(store: Store) -> None:
    def limit(pages: int):  # type: ignore[no-untyped-def]
        # Outside a transaction of its own the pragma is what a full disk is: no further page.
        return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar()

    await store.write(limit(1))
    with pytest.raises(StorageFull) as refused:
        await store.write(put("t1", "x" * 1_000_000))
    assert refused.value.retry_after_s > 0
    assert not store.writable
    assert await store.read(count) == 0
    await store.write(limit(1_000_000))
    assert await store.write(put("t1", "x" * 1_000_000)) == 1
    assert store.writable


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_a_server_without_room_refuses_and_serves_again(store: Store) -> None:
    def without_room(connection: Connection) -> None:
        put("t1")(connection)
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$")

    with pytest.raises(StorageFull):
        await store.write(without_room)
    assert not store.writable
    assert await store.write(put("t2")) == 1
    assert store.writable
    assert await store.read(count) == 1


async def test_every_commit_is_flushed(place: Place, store: Store) -> None:
    words = (
        ("SHOW synchronous_commit", "SHOW fsync") if place.database else ("PRAGMA journal_mode", "PRAGMA synchronous")
    )
    settings = await store.write(lambda connection: [connection.exec_driver_sql(each).scalar() for each in words])
    assert settings == (["on", "on"] if place.database else ["wal", 2])


async def test_closing_finishes_what_was_handed_over(place: Place, store: Store) -> None:
    writes = [asyncio.create_task(store.write(put(f"t{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*writes) == [1] * 20
    with pytest.raises(StoreClosed):
        await store.write(put("late"))
    again = place.open()
    assert await again.read(count) == 20
    await again.close()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_another_program_that_holds_the_store_is_waited_for_and_told(tmp_path: Path, store: Store) -> None:
    await store.write(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 20").scalar())
    with sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as refused:
            await store.write(put("t1"))
        assert refused.value.code == "store_busy"
        other.execute("ROLLBACK")
    other.close()
    assert await store.write(put("t1")) == 1


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_file_that_was_removed_takes_nothing_more(tmp_path: Path, store: Store) -> None:
    (tmp_path / "tocsin.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(StorageFull, match="removed"):
        await store.write(put("t1"))
    assert not store.writable
    (tmp_path / "elsewhere.db").rename(tmp_path / "tocsin.db")
    assert await store.write(put("t1")) == 1


async def test_an_error_never_repeats_what_was_to_be_written(store: Store) -> None:
    def twice(connection: Connection) -> None:
        for _ in range(2):
            connection.execute(insert(meta).values(key="CANARY", value="CANARY"))

    with pytest.raises(Exception, match=r"(?i)unique") as failed:
        await store.write(twice)
    told: BaseException | None = failed.value
    while told is not None:
        assert "CANARY" not in str(told)
        told = told.__cause__ or told.__context__


async def test_a_store_that_was_opened_compiles_its_statements_before_anybody_asks_them(place: Place) -> None:
    never_asked = Prepared(select(meta.c.key).where(meta.c.value == bindparam("sought")))
    store = place.open()
    try:
        await eventually(lambda: never_asked._texts, what="the statement to be compiled")
        assert not await store.read(lambda connection: never_asked.rows(connection, sought="nothing"))
    finally:
        await store.close()


async def test_a_work_that_can_wait_shares_the_commit_of_the_next(store: Store) -> None:
    groups = store.groups
    patient = asyncio.create_task(store.write(put("t-patient"), within_s=60))
    await asyncio.sleep(0)
    assert await store.write(put("t-next")) == 1
    assert await patient == 1
    assert store.groups - groups == 1
    assert await store.read(count) == 2


async def test_a_work_that_can_wait_is_done_once_and_without_others_too(store: Store) -> None:
    works = store.works
    assert await asyncio.gather(*(store.write(put(f"t{at}"), within_s=0.001 * at) for at in range(1, 20))) == [1] * 19
    # Each comes to the writer a second time by its timer.
    await asyncio.gather(*(store.write(put(f"t-other {at}"), within_s=0.02) for at in range(3)))
    assert store.works - works == 22
    assert await store.read(count) == 22


async def test_what_can_wait_is_finished_before_the_store_closes(place: Place) -> None:
    store = place.open()
    patient = [asyncio.create_task(store.write(put(f"t{at}"), within_s=60)) for at in range(3)]
    await asyncio.sleep(0)
    await asyncio.wait_for(store.close(), 10)
    assert await asyncio.gather(*patient) == [1] * 3
    again = place.open()
    assert await again.read(count) == 3
    await again.close()
