"""The connections that read, beside the one that writes, in threads of their own.

Who waits for a reader waits for everybody in front. So while the database cannot be reached it is tried now and then,
by whoever comes when it makes sense to; the others are refused at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Dialect

from gateway.errors import Unavailable
from gateway.store.engine import READERS, StoreEngine, unreachable
from gateway.store.link import Pause
from gateway.store.prepared import compile_all

T = TypeVar("T")


class Readers:
    """Of one store, until they are closed."""

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._alchemy = engine.reading()
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._pause = Pause()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection that sees one committed state. Raises what it raises, or `Unavailable`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)

    def compile(self, dialect: Dialect) -> None:
        """Compile every statement, while there is nothing to read yet."""
        self._threads.submit(compile_all, dialect)

    def hope(self) -> None:
        """The database was reached: no reader need wait before it tries."""
        self._pause.end()

    def close(self) -> None:
        """Let those who read finish, then close."""
        self._threads.shutdown()
        self._alchemy.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        if self._pause.lasts:
            raise unreachable()
        try:
            result = self._twice(work)
        except _Lost as lost:
            self._pause.begin()
            raise unreachable() from lost.__cause__
        self._pause.end()
        return result

    def _twice(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._once(work)
        except _Lost:
            # A connection that broke while it lay unused says nothing about the database.
            return self._once(work)

    def _once(self, work: Callable[[Connection], T]) -> T:
        try:
            connection = self._alchemy.connect()
        except Exception as error:
            refused = self._engine.translate(error)
            raise (_Lost() if isinstance(refused, Unavailable) else refused) from error
        try:
            # Also for statements that go past SQLAlchemy to the driver, which would not begin one by themselves.
            connection.begin()
            result = work(connection)
            # Ends a query that was left half read, too: it would pin this state for the next reader.
            connection.rollback()
        except Exception as error:
            if self._engine.is_lost(connection, error):
                connection.invalidate()
                # What broke one connection broke the others.
                self._alchemy.dispose()
                raise _Lost from error
            connection.rollback()
            refused = self._engine.translate(error)
            # A reader's refusal to write is a defect of ours and not a full disk.
            raise (refused if type(refused) is Unavailable else error) from error.__cause__
        finally:
            connection.close()
        return result


class _Lost(Exception):
    """The connection is gone, or there is none."""
