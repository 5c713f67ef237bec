"""One short transaction on a store that another process may hold: for the kill switch alone.

A SQLite store has one writer and one who checkpoints, and stays so: this connection never checkpoints, and is closed at
once. Should the holder die meanwhile this is the only connection left, and what it does at its end is safe then too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway.store import migrations
from gateway.store.engine import StoreEngine, StoreUnusable

T = TypeVar("T")


def write_beside(store: StoreEngine, work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction that is flushed when this returns. Raises `StoreUnusable`."""
    engine = store.beside()
    try:
        with engine.connect() as connection, connection.begin():
            _check_revision(connection, store)
            return work(connection)
    except DBAPIError as error:
        raise StoreUnusable(f"the store {store.place} cannot be written: {error.orig}") from None
    finally:
        engine.dispose()


def _check_revision(connection: Connection, store: StoreEngine) -> None:
    present = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if present != migrations.HEAD:
        raise StoreUnusable(
            f"the store {store.place} is of another version of Tocsin; start the gateway of this one first"
        )
