"""What waits for the writer, and how much of it shares a transaction.

Sharing spares flushes, but whoever comes first waits for everybody's work. So a transaction takes as many works as cost
together what the flush costs that they share: on a fast disk one or two, on a memory card all that wait. That keeps
senders from falling into step, too: modems whose parts were committed together have their answers together, and wait
for each other again. Where many wait a quarter of them is taken, whatever it costs, so that flushes never limit what
gets through.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence

from gateway.clock import SECOND_US
from gateway.store.jobs import Job, Shared

#: Bounds how long one transaction keeps its callers waiting.
MAX_GROUP = 256
#: So many transactions of others go before one that lets others go before; then it is taken along.
MOST_PASSED = 4
_PART = 4
# How much the latest measure counts.
_LATEST = 0.1
# Until something was measured, in microseconds.
_FLUSH_US, _WORK_US = 1000.0, 250.0


class Pace:
    """How long a work and a flush take here."""

    def __init__(self) -> None:
        self._flush_us = _FLUSH_US
        self._work_us = _WORK_US
        #: Told of each flush, in seconds.
        self.flushed: Callable[[float], None] = lambda _: None

    def learn(self, works: int, work_us: int, flush_us: int) -> None:
        """A transaction of so many works took this long, and this long to be flushed."""
        self._work_us += _LATEST * (work_us / works - self._work_us)
        self._flush_us += _LATEST * (flush_us - self._flush_us)
        self.flushed(flush_us / SECOND_US)

    def most(self, waiting: int) -> int:
        """How many of the works that wait share the next transaction."""
        return max(round(self._flush_us / max(self._work_us, 1.0)), waiting // _PART, 1)


class Waiting:
    """Handed over by any thread, taken by the writer."""

    def __init__(self) -> None:
        self.pace = Pace()
        self._handed: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._found: deque[Job] = deque()
        # Those that can wait for others: each is handed over as well when it can wait no longer.
        self._patient: deque[Job] = deque()
        # Those that let others go before, and how many transactions have gone before the first of them.
        self._idle: deque[Job] = deque()
        self._passed = 0
        self._closed = False

    def put(self, job: Job) -> None:
        """Hand one over."""
        self._handed.put(job)

    def offer(self, job: Job) -> None:
        """Let the next transaction take this one along, whoever's it is; one that comes too late is to be `put`."""
        self._patient.append(job)

    def close(self) -> None:
        """Nothing comes after this."""
        self._handed.put(None)

    def again(self, jobs: Sequence[Job]) -> None:
        """These are to be run once more, and next."""
        self._found.extendleft(reversed(jobs))

    def take_one(self, patience_s: float) -> Job | None:
        """The next, if there is one in this time."""
        self._look(patience_s)
        waiting = self._found or self._idle
        return waiting.popleft() if waiting else None

    @property
    def is_over(self) -> bool:
        """Whether it was closed and everything was taken."""
        return self._closed and not self._found and not self._idle

    def take(self) -> list[Job]:
        """Wait for something; the jobs of the next transaction in their order, none when it is over."""
        while not self._found and not self._idle and not self._closed:
            self._look(None)
        self._look(0)
        if not self._found:
            return self._alone() + self._along()
        works = _works(self._found)
        count = min(sum(works[: self.pace.most(len(works))]), MAX_GROUP)
        return [self._found.popleft() for _ in range(count)] + self._passed_over() + self._along()

    def _alone(self) -> list[Job]:
        """One of those that let others go before: whoever comes meanwhile waits for no more than that."""
        self._passed = 0
        return [self._idle.popleft()] if self._idle else []

    def _passed_over(self) -> list[Job]:
        if not self._idle:
            return []
        self._passed += 1
        return [] if self._passed <= MOST_PASSED else self._alone()

    def _along(self) -> list[Job]:
        jobs: list[Job] = []
        while self._patient:
            job = self._patient.popleft()
            if not job.taken:
                job.taken = True
                jobs.append(job)
        return jobs

    def _look(self, patience_s: float | None) -> None:
        """Take over what was handed over; where nothing is known yet, wait for it."""
        try:
            if not self._found and not self._idle and not self._closed and patience_s != 0:
                self._note(self._handed.get(timeout=patience_s))
            while not self._closed:
                self._note(self._handed.get_nowait())
        except queue.Empty:
            return

    def _note(self, job: Job | None) -> None:
        if job is None:
            self._closed = True
        elif not job.taken:
            job.taken = True
            (self._idle if job.idle else self._found).append(job)


def _works(jobs: Sequence[Job]) -> list[int]:
    """How many jobs each work is for: neighbours that can be done together are one (`gateway.store.jobs`)."""
    works: list[int] = []
    last: object = None
    for job in jobs:
        kind = job.together if isinstance(job, Shared) else None
        if kind is not None and kind == last:
            works[-1] += 1
        else:
            works.append(1)
        last = kind
    return works
