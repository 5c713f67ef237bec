"""Works that were handed to the writer: run apart from each other in one transaction, and answered together.

A work that is undone is undone alone. Works of one kind that wait together become one (`Shared`): what an acceptance
costs is mostly what its statements cost, and thirty of them need no more statements than one. Should that one fail,
each is tried by itself, so that none suffers for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection

from gateway.store.engine import StoreEngine

#: From what was handed over to one outcome each, in its order; an exception is the outcome of one that is refused.
Together: TypeAlias = Callable[[Connection, Sequence[Any]], Sequence[Any]]


# The victim of a deadlock may be quicker than the other side, and meet it again.
_REPEATS = 4


class Job:
    """A work, and where its outcome goes."""

    __slots__ = ("collided", "error", "future", "hurried", "idle", "repeats_left", "result", "taken", "work")

    def __init__(
        self, work: Callable[[Connection], Any], loop: asyncio.AbstractEventLoop | None = None, *, hurried: bool = False
    ) -> None:
        self.work = work
        #: Whether the caller would rather hear that nobody knows than wait until somebody does.
        self.hurried = hurried
        #: Whether others go before, whoever comes later.
        self.idle = False
        self.future: asyncio.Future[Any] = (loop or asyncio.get_running_loop()).create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.collided = False
        self.repeats_left = _REPEATS
        #: Whether the writer has it: one that can wait may be come by twice.
        self.taken = False

    def forget(self) -> None:
        """As before it was run."""
        self.result = self.error = None
        self.collided = False

    def refuse(self, engine: StoreEngine, error: Exception) -> None:
        """It failed, and is undone."""
        self.error = engine.translate(error)
        self.collided = engine.collided(error)

    def repeats(self) -> bool:
        """Whether it is to be run once more, since another host was in its way; then it is as before it was run."""
        if not (self.repeats_left and self.collided):
            return False
        self.forget()
        self.repeats_left -= 1
        return True

    def settle(self) -> None:
        """Tell the caller, unless nobody waits any more. In the caller's loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Shared(Job):
    """A work for one item, which the items of others may join."""

    __slots__ = ("item", "together")

    def __init__(self, together: Together, item: Any, *, hurried: bool = False) -> None:
        super().__init__(self._alone, hurried=hurried)
        self.together = together
        self.item = item

    def _alone(self, connection: Connection) -> Any:
        (outcome,) = self.together(connection, [self.item])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def answer(group: Sequence[Job]) -> None:
    """Tell every caller, in one call into their loop: each call costs a system call and wakes the loop."""
    for loop, jobs in groupby(group, lambda job: job.future.get_loop()):
        # A loop that has ended has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, list(jobs))


def _settle(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.settle()


def tell_hurried(group: Sequence[Job], error: Exception) -> None:
    """Tell those who cannot wait, and nobody else; what they handed over is done or undone all the same."""
    for job in group:
        if job.hurried:
            with suppress(RuntimeError):
                job.future.get_loop().call_soon_threadsafe(_tell, job, error)


def _tell(job: Job, error: Exception) -> None:
    if not job.future.done():
        job.future.set_exception(error)


def fail(group: Sequence[Job], error: Exception) -> None:
    """None of it stands; what failed by itself says so."""
    for job in group:
        job.error = job.error or error


def run_each(engine: StoreEngine, connection: Connection, group: Sequence[Job]) -> int:
    """Run every work of the group; one that fails is undone alone. Raises when the whole transaction is gone.

    Returns how many works it was: neighbours that were run as one are one.
    """
    if len(group) == 1:
        _run_alone(engine, connection, group[0])
        return 1
    works = 0
    for jobs in _kinds(group):
        works += 1
        if len(jobs) == 1 or not _run_together(engine, connection, jobs):
            for job in jobs:
                _run_in_savepoint(engine, connection, job)
    return works


def _kinds(group: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Neighbours that can be run as one, in their order."""
    for together, jobs in groupby(group, lambda job: job.together if isinstance(job, Shared) else None):
        if together is None:
            yield from ([job] for job in jobs)
        else:
            yield list(jobs)


def _run_alone(engine: StoreEngine, connection: Connection, job: Job) -> None:
    """Without others the transaction itself is what is undone."""
    try:
        job.result = job.work(connection)
    except Exception as error:
        job.refuse(engine, error)
        if not engine.in_transaction(connection):
            raise


def _run_in_savepoint(engine: StoreEngine, connection: Connection, job: Job) -> None:
    try:
        job.result = _in_savepoint(engine, connection, job.work)
    except _TransactionGone as gone:
        job.refuse(engine, gone.error)
        raise gone.error from None
    except Exception as error:  # noqa: BLE001 - the caller's to judge
        job.refuse(engine, error)


def _run_together(engine: StoreEngine, connection: Connection, jobs: Sequence[Job]) -> bool:
    """Run them as one work; False when it failed, and nothing of it stands."""
    shared = [job for job in jobs if isinstance(job, Shared)]
    items = [job.item for job in shared]
    try:
        outcomes = _in_savepoint(engine, connection, lambda c: shared[0].together(c, items))
    except _TransactionGone as gone:
        raise gone.error from None
    except Exception:  # noqa: BLE001 - each will say for itself what is wrong with it
        return False
    for job, outcome in zip(shared, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            job.error = outcome
        else:
            job.result = outcome
    return True


class _TransactionGone(Exception):
    """The error took the whole transaction along: nobody's work stands."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _in_savepoint(engine: StoreEngine, connection: Connection, work: Callable[[Connection], Any]) -> Any:
    raw: Any = connection.connection.driver_connection
    raw.later("SAVEPOINT work")
    try:
        result = work(connection)
        # Whatever the work left to be run later is run now: its errors are the work's own.
        raw.ask("RELEASE work")
    except Exception as error:
        if not engine.in_transaction(connection):
            raise _TransactionGone(error) from error
        try:
            raw.ask("ROLLBACK TO work")
            raw.later("RELEASE work")
        except Exception as worse:
            # What cannot be undone alone is not committed with the others.
            raise _TransactionGone(worse) from worse
        raise
    return result
