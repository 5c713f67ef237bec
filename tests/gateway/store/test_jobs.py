"""Works that are handed over together: one run for all of a kind, and nobody suffers for another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from gateway.errors import Conflict, StorageFull
from gateway.store.database import Store
from gateway.store.schema import meta


class Rows:
    """Writes one row for each item; `runs` tells how many items each call had."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def __call__(self, connection: Connection, items: Sequence[str]) -> list[str | Exception]:
        self.runs.append(len(items))
        return [self._one(connection, item) for item in items]

    def _one(self, connection: Connection, item: str) -> str | Exception:
        if item.startswith("refused"):
            return Conflict("no", "no")
        value = "x" * 4_000_000 if item.startswith("huge") else "x"
        connection.execute(insert(meta).values(key=f"t-{item}", value=value))
        if item.startswith("broken"):
            raise ValueError(item)
        return item


async def behind(store: Store, *waiting: Coroutine[Any, Any, Any]) -> list[Any]:
    """What becomes of works that wait while the writer is busy with another."""
    held = threading.Event()
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    blocker = asyncio.create_task(store.write(lambda _connection: (loop.call_soon_threadsafe(begun.set), held.wait(5))))
    await begun.wait()
    tasks = [asyncio.ensure_future(each) for each in waiting]
    await asyncio.sleep(0)
    held.set()
    await blocker
    return await asyncio.gather(*tasks, return_exceptions=True)


async def keys(store: Store) -> list[str]:
    rows = select(meta.c.key).where(meta.c.key.like("t-%")).order_by(meta.c.key)
    return await store.read(lambda connection: [key[2:] for key in connection.execute(rows).scalars()])


async def test_those_that_wait_are_one_run_and_one_commit(store: Store) -> None:
    rows = Rows()
    groups = store.groups
    items = [f"{number:02d}" for number in range(20)]
    assert await behind(store, *(store.write_together(rows, item) for item in items)) == items
    assert rows.runs == [20]
    assert store.groups - groups == 2
    assert await keys(store) == items


async def test_a_refusal_is_for_its_item_alone(store: Store) -> None:
    rows = Rows()
    outcomes = await behind(store, *(store.write_together(rows, item) for item in ("1", "refused", "2")))
    assert [type(each) for each in outcomes] == [str, Conflict, str]
    assert rows.runs == [3]
    assert await keys(store) == ["1", "2"]


async def test_an_item_that_fails_is_alone_in_failing(store: Store) -> None:
    rows = Rows()
    outcomes = await behind(store, *(store.write_together(rows, item) for item in ("1", "broken", "2", "refused")))
    assert [type(each) for each in outcomes] == [str, ValueError, str, Conflict]
    assert rows.runs == [4, 1, 1, 1, 1]
    assert await keys(store) == ["1", "2"]
    assert store.writable


async def test_a_row_that_the_database_refuses_is_alone_in_failing(store: Store) -> None:
    outcomes = await behind(store, *(store.write_together(Rows(), item) for item in ("same", "1")))
    assert outcomes == ["same", "1"]
    rows = Rows()
    again = await behind(store, *(store.write_together(rows, item) for item in ("2", "same", "3")))
    assert again[::2] == ["2", "3"]
    assert isinstance(again[1], Exception)
    assert await keys(store) == ["1", "2", "3", "same"]


async def test_works_in_between_keep_their_place(store: Store) -> None:
    rows = Rows()
    seen = await behind(
        store,
        store.write_together(rows, "1"),
        store.write_together(rows, "2"),
        store.write(lambda connection: connection.execute(select(func.count()).select_from(meta)).scalar_one()),
        store.write_together(rows, "3"),
    )
    before = len(await keys(store))
    assert rows.runs == [2, 1]
    assert before == 3
    assert seen[2] == await store.read(lambda c: c.execute(select(func.count()).select_from(meta)).scalar_one()) - 1


async def test_one_that_waits_alone_raises_what_it_is_refused_with(store: Store) -> None:
    rows = Rows()
    assert await store.write_together(rows, "1") == "1"
    with pytest.raises(Conflict):
        await store.write_together(rows, "refused")
    with pytest.raises(ValueError, match="broken"):
        await store.write_together(rows, "broken")
    assert await keys(store) == ["1"]


async def test_a_cancelled_caller_changes_nothing_for_the_others(store: Store) -> None:
    rows = Rows()
    callers: list[asyncio.Task[Any] | None] = []

    async def cancelled() -> Any:
        callers.append(asyncio.current_task())
        return await store.write_together(rows, "1")

    async def cancel() -> None:
        assert callers[0] is not None
        callers[0].cancel()

    outcomes = await behind(store, cancelled(), store.write_together(rows, "2"), cancel())
    assert [type(each) for each in outcomes[:2]] == [asyncio.CancelledError, str]
    await store.write(lambda _connection: None)
    assert await keys(store) == ["1", "2"]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_what_has_no_room_does_not_take_the_place_of_others(store: Store) -> None:
    def pages(more: int) -> Any:
        def work(connection: Connection) -> None:
            count = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {count + more}")

        return store.write(work)

    await pages(20)
    rows = Rows()
    other = store.write(lambda connection: rows(connection, ["0"]))
    outcomes = await behind(store, other, *(store.write_together(rows, item) for item in ("1", "huge", "2")))
    assert [type(each) for each in outcomes] == [list, str, StorageFull, str]
    assert await keys(store) == ["0", "1", "2"]
    assert not store.writable
    await pages(100_000)
    assert await store.write_together(rows, "3") == "3"
    assert store.writable
