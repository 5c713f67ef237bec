"""When a store that could not be written calls itself writable again."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import Connection, insert
from support.failing_store import failing_store
from support.place import Place

from gateway.errors import StorageFull
from gateway.store.schema import meta


def full(place: Place) -> Exception:
    if place.database is None:
        return sqlite3.OperationalError("database or disk is full")
    return psycopg.errors.DiskFull("could not extend file")


def put(connection: Connection) -> None:
    connection.execute(insert(meta).values(key="t", value=""))


async def test_a_store_is_writable_again_when_something_was_written_and_not_before(place: Place) -> None:
    store, calls = failing_store(place)
    assert await store.can_be_written()
    calls.fail_at(1, full(place))
    with pytest.raises(StorageFull):
        await store.write(put)
    assert not store.writable
    tries = 0
    while not store.writable:
        tries += 1
        calls.fail_from(tries, full(place))
        assert await store.can_be_written() is not calls.failed
    # Begin, the work and the trial row, each with its savepoint: whichever fails, the store is not called writable.
    assert tries > 5
    calls.spare()
    await store.write(put)
    assert await store.read(lambda connection: connection.exec_driver_sql("SELECT key FROM meta").scalars().all()) == [
        "lookup_key_id",
        "t",
    ]
    await store.close()
