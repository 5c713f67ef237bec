"""The store: one writer thread that commits whole transactions in groups, and readers beside it.

`write(work)` hands a function `work(connection)` to the writer. Everything that waits when the writer becomes free is
run in one transaction, each work in its own savepoint, and made durable by one flush; only then does any caller get its
answer. A work that raises is rolled back alone. A flush that fails fails all of them: nothing was promised yet.

One connection writes. On SQLite it alone may checkpoint the write-ahead log: before 3.51.3 a checkpoint from a second
connection could corrupt the file, so this is a rule of correctness and not of style. A database on the network can be
lost: what was handed over meanwhile is refused, and a commit whose answer did not come is neither done nor undone
until the database, reached again, says which. Who asks for somebody that waits (`hurried`) is told after a while that
nobody knows; whoever acts upon the answer is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert

from gateway.errors import StorageFull, StoreClosed, Unavailable
from gateway.measures import Measures
from gateway.store.engine import StoreEngine, unreachable
from gateway.store.engines import is_shared
from gateway.store.jobs import Job, Shared, answer, fail, run_each, tell_hurried
from gateway.store.link import Link
from gateway.store.reading import Readers
from gateway.store.schema import meta
from gateway.store.waiting import Pace, Waiting

log = logging.getLogger(__name__)

T = TypeVar("T")
Item = TypeVar("Item")
Work = Callable[[Connection], T]

# Who asks whether the store can be written does not wait for long.
_TRY_S = 2.0
_TOUCHED = "touched"
# Octets: more than the pages that a message is accepted with.
_ROOM = 65_536


class StoreFailed(Exception):
    """The writer met what it cannot handle: a defect of ours, told to every caller instead of silence."""


class Store:
    """A store that is open. Made by `gateway.store.opening.open_store`."""

    def __init__(self, link: Link, lookup_key: bytes) -> None:
        self._lookup_key = lookup_key
        self._link = link
        #: What reaches the database.
        self.engine: StoreEngine = link.engine
        self._readers = Readers(link.engine)
        link.reached = self._readers.hope
        #: What is measured in this process.
        self.measures = Measures()
        self._waiting = Waiting()
        self._waiting.pace.flushed = self.measures.store_flush.add
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._closed = False
        #: Events of asyncio that are set after each commit: for those who follow what happened.
        self.bells: set[asyncio.Event] = set()
        #: Whether the last commit reached the disk.
        self.writable = True
        #: Commits with at least one work, and works in all: how well grouping does.
        self.groups = 0
        self.works = 0
        dialect = link.connection().dialect
        self._thread.start()
        self._readers.compile(dialect)

    def fingerprint(self, number: str) -> bytes:
        """Keyed hash of a number: finds its row, and proves an opt-out after the number itself was erased."""
        return hmac.digest(self._lookup_key, number.encode(), hashlib.sha256)

    async def write(self, work: Work[T], *, hurried: bool = False, within_s: float = 0.0, idle: bool = False) -> T:
        """Run `work` in a transaction of the writer; returns after the flush. With `within_s` it waits so long for
        others whose flush it can share. `idle`: others go before, for a while, whoever comes later; for long work that
        is cut into pieces.

        Once handed over the work is done even if the caller is cancelled; it may be run a second time, from its
        beginning, when the connection broke in the first or another host was in its way. Raises what `work` raises,
        `StorageFull` when the disk refused, or `Unavailable` while the database cannot be reached. `hurried`: and
        `commit_in_doubt` when it is not known in time whether it was done.
        """
        if self._closed:
            raise StoreClosed
        job = Job(work, hurried=hurried)
        job.idle = idle
        if within_s:
            self._waiting.offer(job)
            asyncio.get_running_loop().call_later(within_s, self._waiting.put, job)
        else:
            self._waiting.put(job)
        result = await job.future
        self._ring()
        return result

    def _ring(self) -> None:
        for bell in self.bells:
            bell.set()

    async def write_together(
        self,
        together: Callable[[Connection, Sequence[Item]], Sequence[T | Exception]],
        item: Item,
        *,
        hurried: bool = False,
    ) -> T:
        """As `write`, for a work that can be done for several items at once: those that wait together share it.

        `together` returns one outcome for each item, in their order; an exception is raised for that item alone. When
        it raises itself, what it did is undone and each item is tried alone.
        """
        if self._closed:
            raise StoreClosed
        job = Shared(together, item, hurried=hurried)
        self._waiting.put(job)
        result = await job.future
        self._ring()
        return result

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reading connection: sees one committed state, cannot change anything."""
        if self._closed:
            raise StoreClosed
        return await self._readers.read(work)

    async def can_be_written(self) -> bool:
        """Whether a commit reaches the disk: tried out as long as the last one did not."""
        if not self.writable:
            with contextlib.suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(_TRY_S):
                    await self.write(lambda _connection: None)
        return self.writable

    async def close(self) -> None:
        """Finish what was handed over, then close."""
        self._closed = True
        self._waiting.close()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.close)
        self._link.close()

    def _run(self) -> None:
        while callers := self._waiting.take():
            self.groups += 1
            self.works += len(callers)
            # While the store was refused last, a group that writes nothing would prove nothing.
            group = callers if self.writable else [*callers, Job(_touch, callers[0].future.get_loop())]
            try:
                self.writable = self._commit(group)
            except BaseException as error:
                # Nobody may wait for ever, whatever happens in this thread.
                fail(group, StoreFailed(type(error).__name__))
                log.critical("the writer failed", extra={"action": "writer_failed"}, exc_info=error)
            # What met another host's is run again, and next: by then what that host did is there to be seen.
            again = [job for job in callers if job.repeats()]
            self._waiting.again(again)
            answer([job for job in callers if job not in again] if again else callers)

    def _commit(self, group: list[Job]) -> bool:
        if (absent := self.engine.absence()) is not None:
            fail(group, absent)
            return False
        try:
            return _commit_together(self._link, group, self._waiting.pace)
        except _InDoubt as doubt:
            self.writable = False
            committed = self._resolve(doubt.ticket, group)
            log.warning("a commit was in doubt", extra={"action": "commit_in_doubt", "committed": committed})
            if not committed:
                fail(group, _in_doubt() if committed is None else unreachable())
            return bool(committed)

    def _resolve(self, ticket: str | None, group: list[Job]) -> bool | None:
        """Whether the transaction took place; only the hurried hear anything before. None when the store closes."""
        clock = self._link.clock
        tell_us = clock.monotonic_us() + int(self.engine.doubt_s * 1_000_000)
        while True:
            try:
                return self.engine.was_committed(self._link.connection(), ticket)
            except Unavailable:
                pause_s = self._link.pause_s
            except Exception:  # noqa: BLE001 - lost again
                self._link.drop()
                pause_s = 0
            left_s = (tell_us - clock.monotonic_us()) / 1_000_000
            if group and left_s <= 0:
                tell_hurried(group, _in_doubt())
                group = []
            if not self._refuse_meanwhile(min(pause_s, left_s) if group else pause_s):
                return None

    def _refuse_meanwhile(self, pause_s: float) -> bool:
        """Refuse what is handed over until the next try; False when the store closes."""
        job = self._waiting.take_one(max(pause_s, 0.01))
        if job is not None:
            fail([job], unreachable())
            answer([job])
        return not self._waiting.is_over


class _Lost(Exception):
    """The connection is gone, and nothing of the transaction stands."""


class _InDoubt(Exception):
    """The connection was lost while a commit was under way."""

    def __init__(self, ticket: str | None) -> None:
        super().__init__()
        self.ticket = ticket


def _commit_together(link: Link, group: list[Job], pace: Pace) -> bool:
    """Run the group in one transaction, and flush; nobody is answered here. False when the store refused."""
    try:
        try:
            return _commit_once(link, group, pace)
        except _Lost:
            # No commit was asked for, so nothing stands. A connection may have broken while nobody used it.
            for job in group:
                job.forget()
            return _commit_once(link, group, pace)
    except (_Lost, Unavailable):
        fail(group, unreachable())
        return False


def _commit_once(link: Link, group: list[Job], pace: Pace) -> bool:
    engine, clock = link.engine, link.clock
    asked = False
    ticket = None
    connection = link.connection()
    try:
        began_us = clock.monotonic_us()
        transaction = connection.begin()
        works = run_each(engine, connection, group)
        if len(group) == 1 and group[0].error is not None:
            transaction.rollback()
        else:
            ticket = engine.ticket(connection)
            asked = True
            done_us = clock.monotonic_us()
            transaction.commit()
            pace.learn(works, done_us - began_us, clock.monotonic_us() - done_us)
    except Exception as error:
        log.error(
            "commit failed", extra={"action": "commit_failed", "works": len(group), "cause": type(error).__name__}
        )
        if _is_lost(link, connection, error):
            raise (_InDoubt(ticket) if asked else _Lost()) from error
        failure = engine.translate(error)
        if isinstance(failure, StorageFull) and len(group) > 1 and not asked and not is_shared(connection):
            return _commit_apart(link, group, pace)
        if engine.collided(error):
            for job in group:
                job.collided = True
        fail(group, failure)
        return not isinstance(failure, Unavailable)
    return not any(isinstance(job.error, StorageFull) for job in group)


def _commit_apart(link: Link, group: list[Job], pace: Pace) -> bool:
    """On a full disk SQLite takes back the whole transaction for the one that found no room; others may find some."""
    well = True
    for job in group:
        job.forget()
        well &= _commit_once(link, [job], pace)
    return well


def _is_lost(link: Link, connection: Connection, error: Exception) -> bool:
    """Whether the connection went with this error; if not, it is made fit for the next transaction."""
    if not link.engine.is_lost(connection, error):
        try:
            connection.rollback()
            # After a COMMIT that was refused SQLAlchemy has nothing to roll back any more, and the driver may have.
            raw: Any = connection.connection.driver_connection
            raw.rollback()
        except Exception:  # noqa: BLE001 - lost after all
            log.info("rollback failed", extra={"action": "rollback_failed"})
        else:
            return False
    link.drop()
    return True


def _touch(connection: Connection) -> None:
    """Write something, and leave nothing behind. A row that is written as it was would not be written by SQLite.

    As much as a message takes: where only less fits, nothing can be accepted.
    """
    connection.execute(insert(meta).values(key=_TOUCHED, value="." * _ROOM))
    connection.execute(delete(meta).where(meta.c.key == _TOUCHED))


def _in_doubt() -> Unavailable:
    return Unavailable("commit_in_doubt", "the database was lost while it stored this; it may be stored")
