"""The clock that the gateway goes by: the machine's, for as long as it can be trusted.

A wall clock is set by people, by programs and by machines that start without knowing the time. So it is compared with
the boot-time clock, which nobody sets, at every look at the time. While it is doubted (`gateway.rules.clock_trust`) the
time of the gateway goes on from where it was, as the boot-time clock goes: nothing comes due, expires, or is counted
anew by a jump. What needs the hour of the day to leave waits meanwhile, and nothing expires.

The time of the gateway is moved in one place, after what waits in the store was mended for it and committed
(`gateway.store.clock_marks.correct`): when the clock is trusted again, and when it was set by less than is doubted.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Boot, Clock
from gateway.config.settings import Category
from gateway.errors import StoreClosed, Unavailable
from gateway.outbound.clock_kept import kept_of, standing_of
from gateway.requests import ClockState
from gateway.rules.clock_trust import (
    RELEASED_US,
    SLEWED_US,
    WORDS,
    Reason,
    Seen,
    Standing,
    confirmed,
    first_look,
    judge,
    needs_time,
)
from gateway.store import clock_marks, events, signals
from gateway.store.clock_marks import Correction, Kept, Marks
from gateway.store.database import Store
from gateway.store.signals import Topic

log = logging.getLogger(__name__)
T = TypeVar("T")

#: How long a clock that was set goes unnoticed by who sleeps.
LOOK_US = 5 * SECOND_US
#: How often the floor is written down.
FLOOR_US = 600 * SECOND_US
#: How often a doubt is told of while it stands.
TELL_US = 24 * 3600 * SECOND_US
#: How often the database is asked for its time.
DATABASE_US = 15 * SECOND_US
# An answer that took longer says too little of the time.
_TRIP_US = 5 * SECOND_US
_READ_TOGETHER_US = 10_000
_TRIES = 5
_SETTLING = "was set a moment ago"


@dataclass(frozen=True, slots=True)
class _State:
    """`base_us` is the time of the gateway minus the boot-time clock; `since_us` when the doubt began, None without."""

    standing: Standing
    base_us: int
    since_us: int | None = None


class ClockGuard:
    """A `gateway.clock.Clock` over another one. It can be read from any thread; `run` belongs to the event loop."""

    def __init__(self, clock: Clock, node: str, categories: Mapping[str, Category]) -> None:
        self._clock = clock
        self._node = node
        self._lives = {name: category.expires_after_us for name, category in categories.items()}
        self._timed: Collection[str] = frozenset(name for name, each in categories.items() if needs_time(each))
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._store: Store | None = None
        self._boot = Boot(None, None)
        #: The database's clock minus the boot-time clock, and when it was asked.
        self._database: tuple[int, int] | None = None
        self._told: Reason | None = None
        #: When that was told, by the boot-time clock.
        self._told_us = 0
        self._floored_us: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        #: Called when the time of the gateway was moved, or the machine slept: who waits for an instant looks again.
        self.on_moved: Callable[[], None] = lambda: None

    # --- a clock

    def now_us(self) -> int:
        """The time of the gateway in microseconds UTC."""
        now_us, state = self._clock.now_us(), self._state
        if state is None:
            return now_us
        boot_us = self._clock.boottime_us()
        if abs(now_us - boot_us - state.standing.offset_us) > SLEWED_US:
            state = self._look()
            now_us, boot_us = self._clock.now_us(), self._clock.boottime_us()
        return now_us if state.since_us is None else boot_us + state.base_us

    def monotonic_us(self) -> int:
        """Microseconds of the monotonic clock."""
        return self._clock.monotonic_us()

    def boottime_us(self) -> int:
        """Microseconds since the machine started, sleep included."""
        return self._clock.boottime_us()

    async def wait(self, event: asyncio.Event, until_us: int | None) -> bool:
        """Wait for `event`, as long as it is until then by the time of the gateway; True when the event came."""
        if until_us is not None:
            until_us = self._clock.now_us() + until_us - self.now_us()
        return await self._clock.wait(event, until_us)

    def synchronized(self) -> bool | None:
        """Whether the kernel says that its clock is kept right."""
        return self._clock.synchronized()

    def boot(self) -> Boot:
        """The start of the machine."""
        return self._clock.boot()

    def doubt(self) -> str | None:
        """Why the clock cannot be trusted; None while it can."""
        state = self._state
        if state is None or state.since_us is None:
            return None
        reason = state.standing.reason
        return f"the clock cannot be trusted: it {_SETTLING if reason is None else WORDS[reason]}"

    # --- what is asked of it

    def holds(self, category: str) -> bool:
        """Whether messages of this category wait for the clock."""
        state = self._state
        return state is not None and state.since_us is not None and category in self._timed

    def state(self) -> ClockState:
        """How the clock stands, for people."""
        state = self._now()
        standing, seen = state.standing, self._see()
        now_us = seen.now_us if state.since_us is None else seen.boot_us + state.base_us
        return ClockState(
            trusted=state.since_us is None,
            reason=standing.reason.value if standing.reason else None,
            detail=self.doubt(),
            since_us=state.since_us,
            wall_us=seen.now_us,
            now_us=now_us,
            floor_us=standing.floor_us,
            synchronized=seen.synchronized,
            database_off_us=seen.off_us,
        )

    async def begin(self, store: Store) -> None:
        """From now on compare; with what the store knows of the time before. Before anything is due or sent."""
        self._store, self._boot = store, self._clock.boot()
        self._loop = asyncio.get_running_loop()
        await self._ask_database()
        marks = await store.read(lambda connection: clock_marks.read(connection, self._node))
        self._state = state = self._first(marks)
        reason = state.standing.reason
        if reason is not None and marks.kept is not None and marks.kept.reason == reason:
            self._told, self._told_us = reason, self._clock.boottime_us()
            _log_doubt(reason)
        elif marks.kept is not None and marks.kept.reason is not None and reason is None:
            self._told = Reason(marks.kept.reason)
        try:
            await self._settle()
        except Unavailable as error:
            # A full disk keeps nobody from starting; `run` comes again.
            _log_refused(error)

    async def run(self, on_moved: Callable[[], None] | None = None) -> None:
        """Look every few seconds, and write down what was found, until cancelled."""
        self.on_moved = on_moved or self.on_moved
        slept_us = self._slept_us()
        while True:
            await self._clock.wait(self._woken, self._clock.now_us() + LOOK_US)
            self._woken.clear()
            try:
                await self.look()
            except StoreClosed:
                return
            except Unavailable as error:
                _log_refused(error)
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + SECOND_US)
            except Exception:
                log.exception("looking at the clock failed", extra={"action": "clock_failed"})
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + SECOND_US)
            if abs(self._slept_us() - slept_us) > SLEWED_US:
                slept_us = self._slept_us()
                self.on_moved()

    async def look(self) -> None:
        """Look, and write down what was found."""
        await self._ask_database()
        self._look()
        await self._settle()

    async def confirm(self, by: str) -> ClockState:
        """A person says that the clock is right."""
        with self._lock:
            state = self._now()
            self._state = replace(state, standing=confirmed(self._see()), since_us=self._since(state))
        await self._settle(by)
        return self.state()

    # --- looking

    def _now(self) -> _State:
        assert self._state is not None, "begin came first"
        return self._state

    def _since(self, state: _State) -> int:
        if state.since_us is not None:
            return state.since_us
        return self._clock.boottime_us() + state.base_us

    def _slept_us(self) -> int:
        return self._clock.boottime_us() - self._clock.monotonic_us()

    def _see(self) -> Seen:
        """Both clocks as of one instant: who is stopped between the two sees a jump that was none."""
        boot_us, now_us = self._clock.boottime_us(), self._clock.now_us()
        for _ in range(_TRIES):
            if self._clock.boottime_us() - boot_us <= _READ_TOGETHER_US:
                break
            boot_us, now_us = self._clock.boottime_us(), self._clock.now_us()
        off_us = None if self._database is None else self._database[0] + boot_us - now_us
        return Seen(now_us, boot_us, self._clock.synchronized(), off_us)

    def _look(self) -> _State:
        with self._lock:
            state = self._now()
            standing = judge(state.standing, self._see())
            moved = abs(standing.offset_us - state.base_us) > SLEWED_US
            if standing.reason is None and state.since_us is None and not moved:
                self._state = _State(standing, standing.offset_us)
            else:
                self._state = _State(standing, state.base_us, self._since(state))
                if standing.reason is not self._told or standing.reason is None:
                    self._wake()
            return self._state

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def _ask_database(self) -> None:
        store = self._store
        if store is None or not store.engine.shared:
            return
        if self._database is not None and self._clock.boottime_us() - self._database[1] < DATABASE_US:
            return
        before_us = self._clock.boottime_us()
        try:
            told_us = await store.read(clock_marks.database_us)
        except Unavailable:
            return
        after_us = self._clock.boottime_us()
        if told_us is not None and after_us - before_us <= _TRIP_US:
            self._database = told_us - (before_us + after_us) // 2, after_us

    # --- starting

    def _first(self, marks: Marks) -> _State:
        """What is known at a start, and the time of the gateway then: where it stopped, or at least where it was."""
        seen, kept = self._see(), marks.kept
        if kept is not None and kept.boot is not None and kept.boot == self._boot.id:
            return self._gone_on(seen, marks, kept)
        standing = first_look(seen, marks.floor_us, vouched=self._is_vouched(kept))
        offset_us = standing.offset_us
        since_us = None if kept is None else kept.since_us
        was_us = max(marks.floor_us, RELEASED_US) if since_us is None else max(since_us, marks.latest_us)
        base_us = was_us - seen.boot_us
        if standing.reason is not None and seen.off_us is not None:
            base_us = offset_us + seen.off_us
        elif since_us is None:
            base_us = max(offset_us, base_us)
        if standing.reason is None and since_us is None and base_us - offset_us <= SLEWED_US:
            return _State(standing, offset_us)
        # Trusted all the same, what was said to have been was ahead: the time moves back to what is right.
        return _State(standing, base_us, seen.boot_us + base_us if since_us is None else since_us)

    def _is_vouched(self, kept: Kept | None) -> bool:
        """Whether the machine may have known the time when it started: it starts anew, and has a battery clock or may
        have one, and it was not doubted before."""
        if kept is None:
            return True
        is_stale = self._boot.battery is False and self._boot.id is not None
        return kept.since_us is None and not is_stale

    def _gone_on(self, seen: Seen, marks: Marks, kept: Kept) -> _State:
        """The machine is still the same, so a clock that was set meanwhile is seen."""
        standing = judge(standing_of(kept, marks.floor_us), seen)
        if kept.since_us is None and standing.reason is None and abs(standing.offset_us - kept.base_us) <= SLEWED_US:
            return _State(standing, standing.offset_us)
        since_us = seen.boot_us + kept.base_us if kept.since_us is None else kept.since_us
        return _State(standing, kept.base_us, since_us)

    # --- writing down

    async def _settle(self, by: str | None = None) -> None:
        """Write what changed; move the time of the gateway when it may be moved."""
        state = self._now()
        if state.since_us is None:
            await self._keep_floor(state)
        elif state.standing.reason is None:
            await self._adopt(by)
        elif state.standing.reason is not self._told or self._clock.boottime_us() - self._told_us >= TELL_US:
            await self._doubt(state, state.standing.reason)

    async def _keep_floor(self, state: _State) -> None:
        boot_us = self._clock.boottime_us()
        if self._floored_us is not None and boot_us - self._floored_us < FLOOR_US:
            return
        self._floored_us = boot_us
        await self._written(lambda connection: self._keep(connection, state))

    async def _doubt(self, state: _State, reason: Reason) -> None:
        sentence = WORDS[reason]

        def work(connection: Connection) -> None:
            events.record(connection, self.now_us(), "clock.doubtful", detail=f"the clock {sentence}")
            self._keep(connection, state)

        await self._written(work)
        self._told, self._told_us = reason, self._clock.boottime_us()
        _log_doubt(reason)

    async def _adopt(self, by: str | None) -> None:
        """Go by the wall clock again, after what waits was mended for it."""

        def work(connection: Connection) -> tuple[_State, int] | None:
            state = self._now()
            standing = state.standing
            if state.since_us is None or standing.reason is not None:
                # It was set once more meanwhile.
                return None
            trusted = _State(standing, standing.offset_us)
            now_us, step_us = self._clock.boottime_us() + trusted.base_us, trusted.base_us - state.base_us
            if abs(step_us) > SLEWED_US:
                mend = Correction(step_us, now_us, state.since_us, self._lives)
                clock_marks.correct(connection, self._node, mend)
            events.record(connection, now_us, self._kind(by), detail=_moved(step_us, by))
            self._keep(connection, trusted)
            signals.send(connection, Topic.WORK)
            return trusted, step_us

        done = await self._written(work)
        if done is None:
            return
        with self._lock:
            # Whatever was seen meanwhile is seen again, against this.
            self._state = done[0]
        details = {"action": self._kind(by).replace(".", "_"), "step_s": round(done[1] / SECOND_US, 3)}
        log.warning("the clock is trusted", extra=details)
        self._told, self._floored_us = None, self._clock.boottime_us()
        self.on_moved()

    def _kind(self, by: str | None) -> str:
        """What it is called when the time is moved: a clock that was set by little was never doubted."""
        return "clock.trusted" if by or self._told else "clock.set"

    async def _written(self, work: Callable[[Connection], T]) -> T:
        assert self._store is not None, "begin came first"
        return await self._store.write(work)

    def _keep(self, connection: Connection, state: _State) -> None:
        kept = kept_of(state.standing, boot=self._boot.id, base_us=state.base_us, since_us=state.since_us)
        clock_marks.keep(connection, self._node, kept)
        if state.since_us is None:
            clock_marks.keep_floor(connection, state.standing.floor_us)


def _log_refused(error: Unavailable) -> None:
    log.error("the store refused", extra={"action": "clock_refused", "code": error.code})


def _log_doubt(reason: Reason) -> None:
    log.error("the clock cannot be trusted: it %s", WORDS[reason], extra={"action": "clock_doubtful", "reason": reason})


def _moved(step_us: int, by: str | None) -> str:
    said = f"by {step_us / SECOND_US:+.0f} s" if abs(step_us) > SLEWED_US else "as it was"
    return f"the time goes on {said}, confirmed by {by}" if by else f"the time goes on {said}"
