"""The store: one writer thread that commits whole transactions in groups, and readers beside it.

`write(work)` hands a function `work(connection)` to the writer. Everything that waits when the writer becomes free is
run in one transaction, each work in its own savepoint, and made durable by one flush; only then does any caller get its
answer. A work that raises is rolled back alone. A flush that fails fails all of them: nothing was promised yet.

One connection writes, and it alone may checkpoint the write-ahead log: before SQLite 3.51.3 a checkpoint from a second
connection could corrupt the file, so this is a rule of correctness and not of style.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from gateway.errors import StorageFull, StoreClosed, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

#: Bounds how long one transaction keeps its callers waiting.
MAX_GROUP = 256
_READERS = 2
# The file can take no more for the moment: the caller may come again, nothing is broken.
_BUSY = ("database is locked", "database table is locked", "database schema is locked")
_FULL = ("database or disk is full", "readonly database", "disk I/O error", "unable to open database file")


class StoreFailed(Exception):
    """The writer met what it cannot handle: a defect of ours, told to every caller instead of silence."""


class Store:
    """A store that is open. Made by `gateway.store.opening.open_store`."""

    def __init__(self, path: Path, lookup_key: bytes) -> None:
        self._lookup_key = lookup_key
        self._path = path
        self._file = path.stat()
        self._engine = writing_engine(path)
        # Opened here and not in the thread: what goes wrong is then told to who opens the store.
        self._connection = self._engine.connect()
        self._reading = _reading_engine(path)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._closed = False
        #: Whether the last commit reached the disk.
        self.writable = True
        #: Commits with at least one work, and works in all: how well grouping does.
        self.groups = 0
        self.works = 0
        self._thread.start()

    def fingerprint(self, number: str) -> bytes:
        """Keyed hash of a number: finds its row, and proves an opt-out after the number itself was erased."""
        return hmac.digest(self._lookup_key, number.encode(), hashlib.sha256)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction of the writer; returns after the flush.

        Once handed over the work is done even if the caller is cancelled. Raises what `work` raises, or
        `StorageFull` when the disk refused.
        """
        if self._closed:
            raise StoreClosed
        job = _Job(work)
        self._jobs.put(job)
        return await asyncio.shield(asyncio.wrap_future(job.future))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reading connection: sees one committed state, cannot change anything."""
        if self._closed:
            raise StoreClosed
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def close(self) -> None:
        """Finish what was handed over, then close."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._readers.shutdown()
        self._reading.dispose()
        self._engine.dispose()

    def _read(self, work: Work[T]) -> T:
        with self._reading.connect() as connection:
            # Also for statements that go past SQLAlchemy to the driver, which would not begin one by themselves.
            connection.begin()
            try:
                return work(connection)
            finally:
                # Ends a query that was left half read, too: it would pin this state for the next reader.
                connection.rollback()

    def _run(self) -> None:
        with self._connection as connection:
            while (group := self._next_group()) is not None:
                self.groups += 1
                self.works += len(group)
                try:
                    self.writable = self._present(group) and _commit_together(connection, group)
                except BaseException as error:
                    # Nobody may wait for ever, whatever happens in this thread.
                    for job in group:
                        job.error = job.error or StoreFailed(type(error).__name__)
                    log.critical("the writer failed", extra={"action": "writer_failed"}, exc_info=error)
                for job in group:
                    job.settle()

    def _present(self, group: list[_Job]) -> bool:
        """Whether the file is still where the next start will look for it; what it is not is refused, not lost."""
        try:
            there = self._path.stat()
        except OSError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (self._file.st_dev, self._file.st_ino):
            return True
        for job in group:
            job.error = StorageFull("store_gone", "the store's file was removed or replaced", retry_after_s=60)
        return False

    def _next_group(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            group.append(job)
        return group


class _Job:
    """A work, and where its outcome goes."""

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def _commit_together(connection: Connection, group: list[_Job]) -> bool:
    """Run the group in one transaction, and flush; nobody is answered here. False when the store refused."""
    committed = True
    try:
        with connection.begin():
            for job in group:
                _run_in_savepoint(connection, job)
    except Exception as error:  # noqa: BLE001 - whatever the commit raised is the answer to every caller
        committed = False
        failure = _translate(error)
        log.error(
            "commit failed", extra={"action": "commit_failed", "works": len(group), "cause": type(error).__name__}
        )
        for job in group:
            job.error = job.error or failure
    return committed and not any(isinstance(job.error, StorageFull) for job in group)


def _run_in_savepoint(connection: Connection, job: _Job) -> None:
    raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    raw.execute("SAVEPOINT work")
    try:
        job.result = job.work(connection)
    except Exception as error:
        job.error = _translate(error)
        # On a full disk SQLite may have rolled the whole transaction back by itself; then nobody's work stands.
        if not raw.in_transaction:
            raise
        raw.execute("ROLLBACK TO work")
    raw.execute("RELEASE work")


def _translate(error: Exception) -> Exception:
    """What the disk refused becomes `StorageFull`; anything else stays what it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError) and any(phrase in str(cause) for phrase in _FULL):
        return StorageFull("storage_full", "the disk under the store is full or cannot be written", retry_after_s=30)
    if isinstance(cause, sqlite3.OperationalError) and any(phrase in str(cause) for phrase in _BUSY):
        return Unavailable("store_busy", "another program holds the store; try again", retry_after_s=5)
    return error


def _engine(path: Path, **options: Any) -> Engine:
    # An error that repeats its parameters would put texts of people into a log.
    connect = {"check_same_thread": False, "timeout": 10}
    return create_engine(f"sqlite:///{path}", connect_args=connect, hide_parameters=True, **options)


def writing_engine(path: Path) -> Engine:
    engine = _engine(path)
    event.listen(engine, "connect", _prepare_writer)
    # The driver opens transactions by itself, late and deferred; ours start at once, as writers.
    event.listen(engine, "begin", _begin_at_once)
    return engine


def _reading_engine(path: Path) -> Engine:
    engine = _engine(path, pool_size=_READERS)
    event.listen(engine, "connect", _prepare_reader)
    # One state for all queries of a work.
    event.listen(engine, "begin", _begin_snapshot)
    return engine


def _begin_at_once(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_snapshot(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _prepare_writer(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _prepare_reader(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA query_only = ON")
    raw.execute("PRAGMA wal_autocheckpoint = 0")
