"""A real store whose driver fails at a call of our choice; the connection is real, and so is what it did before."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

from sqlalchemy import Engine
from support.place import Place

from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine, SqliteEngine
from gateway.store.file import File
from gateway.store.opening import KEY_NAME, open_on
from gateway.store.trips import Session, TripCursor

WRITER = "store-writer"


class Calls:
    """Counts the calls of the writing connection; at the one that was chosen an error comes instead."""

    def __init__(self) -> None:
        self._left = 0
        self._error: Exception | None = None
        self._for_good = False
        #: Whether the chosen call has come.
        self.failed = True

    def fail_at(self, number: int, error: Exception) -> None:
        """Raise `error` at the call of that number, counted from now, from 1."""
        self._left, self._error, self._for_good, self.failed = number, error, False, False

    def fail_from(self, number: int, error: Exception) -> None:
        """The same, and at every call after it until `spare`."""
        self.fail_at(number, error)
        self._for_good = True

    def spare(self) -> None:
        """Fail no more."""
        self._error = None

    def reach(self) -> None:
        """A call is made; those of readers do not count."""
        if threading.current_thread().name != WRITER:
            return
        self._left -= 1
        if self._error is None or self._left > 0 or (self._left < 0 and not self._for_good):
            return
        self.failed = True
        raise self._error


def _file_of(calls: Calls) -> type[File]:
    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            calls.reach()
            return super().execute(*given)

        def executemany(self, *given: Any) -> Any:
            calls.reach()
            return super().executemany(*given)

    class Failing(File):
        def execute(self, *given: Any) -> Any:
            calls.reach()
            return super().execute(*given)

        ask = later = execute

        def many(self, *given: Any) -> Any:
            calls.reach()
            return super().many(*given)

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    return Failing


def _session_of(calls: Calls) -> type[Session]:
    class Cursor(TripCursor):
        def execute(self, *given: Any, **named: Any) -> Any:
            calls.reach()
            return super().execute(*given, **named)

    class Failing(Session):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.cursor_factory = Cursor

        def later(self, *given: Any) -> None:
            calls.reach()
            super().later(*given)

        def together(self, asked: Any) -> Any:
            for _ in asked:
                calls.reach()
            return super().together(asked)

    return Failing


class _FailingSqlite(SqliteEngine):
    calls: Calls

    def _engine(self, *, factory: Any = None, pool_size: int = 1) -> Engine:
        return super()._engine(factory=factory or _file_of(self.calls), pool_size=pool_size)


def failing_store(place: Place) -> tuple[Store, Calls]:
    """The store at this place, open, and the calls that may be made to fail."""
    calls = Calls()
    if place.database is None:
        engine = _FailingSqlite(place.folder / "tocsin.db")
        engine.calls = calls
    else:
        engine = PostgresqlEngine(place.database.url, None, "test-1")
        engine._session = _session_of(calls)
    return open_on(engine, place.folder / KEY_NAME), calls
