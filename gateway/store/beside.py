"""One short transaction on a store that another process may hold: for the kill switch alone.

A SQLite store has one writer and one who checkpoints, and stays so: this connection never checkpoints, and is closed at
once. Should the holder die meanwhile this is the only connection left, and what it does at its end is safe then too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from gateway.errors import GatewayError, Unavailable
from gateway.store import migrations
from gateway.store.engine import StoreEngine, StoreUnusable

T = TypeVar("T")


# Who is waited for loses what it holds within a quarter of a minute, each wait being a third of one at most.
_TIMES = 3


def write_beside(store: StoreEngine, work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction that is flushed when this returns. Raises `StoreUnusable`."""
    engine = store.beside()
    try:
        for _ in range(_TIMES - 1):
            with suppress(_InTheWay):
                return _write(engine, store, work)
        return _write(engine, store, work)
    except _InTheWay:
        raise _held(store) from None
    finally:
        engine.dispose()


class StoreHeld(StoreUnusable):
    """Another process keeps the store to itself, and has for longer than honest work takes."""


class _InTheWay(Exception):
    """Somebody else held what is needed."""


def _write(engine: Engine, store: StoreEngine, work: Callable[[Connection], T]) -> T:
    try:
        with engine.connect() as connection, connection.begin():
            _check_revision(connection, store)
            return work(connection)
    except (StoreUnusable, GatewayError):
        raise
    except Exception as error:
        # Also the driver's own errors: transactions are begun by statements that go past SQLAlchemy.
        if store.collided(error):
            raise _InTheWay from None
        refused = store.translate(error)
        if isinstance(refused, Unavailable):
            raise (_held(store) if refused.code == "store_busy" else _unwritable(store, refused.message)) from None
        if isinstance(error, DBAPIError):
            raise _unwritable(store, str(error.orig)) from None
        raise


def _unwritable(store: StoreEngine, why: str) -> StoreUnusable:
    return StoreUnusable(f"the store {store.place} cannot be written: {why}")


def _held(store: StoreEngine) -> StoreHeld:
    return StoreHeld(
        f"the store {store.place} cannot be written: somebody is in the middle of writing to it and does not go on; "
        "nothing was changed"
    )


def _check_revision(connection: Connection, store: StoreEngine) -> None:
    present = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if present != migrations.HEAD:
        raise StoreUnusable(
            f"the store {store.place} is of another version of Tocsin; start the gateway of this one first"
        )
