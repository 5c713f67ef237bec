"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from gateway.clock import SECOND_US, Boot

#: 2026-01-05T10:00:00Z, a Monday morning.
START_US = 1_767_607_200 * SECOND_US
_BOOTS = count(1)


@dataclass(eq=False)
class _Sleeper:
    """One task in `wait`: until when (microseconds of the monotonic clock, None for ever), and what wakes it."""

    until_us: int | None
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class ManualClock:
    """A `gateway.clock.Clock` whose time passes only by `advance`; who waits is woken when it has waited for so long.
    As with the machine's, `set_wall` makes no wait longer or shorter that has begun, and nobody says any more that the
    clock is synchronised.

    Belongs to one event loop: move it from there. Reading the time is safe from any thread.
    """

    def __init__(self, now_us: int = START_US) -> None:
        #: What the wall clock says beyond the monotonic one, and what that says: one value, read as one.
        self._times = (now_us, 0)
        self._slept_us = 0
        self._sleepers: set[_Sleeper] = set()
        #: What the kernel says of the wall clock; None when it cannot say.
        self.synced: bool | None = False
        #: Another start of the machine for each clock. Set it to go on with one, or to start without a battery.
        self.started = Boot(f"manual {next(_BOOTS)}", None)

    def now_us(self) -> int:
        """Wall-clock instant in microseconds UTC."""
        ahead_us, monotonic_us = self._times
        return ahead_us + monotonic_us

    def monotonic_us(self) -> int:
        """Microseconds that were advanced so far; a wall clock that is set does not change it."""
        return self._times[1]

    def boottime_us(self) -> int:
        """What was advanced, and what the machine slept besides."""
        return self._times[1] + self._slept_us

    def synchronized(self) -> bool | None:
        """What the kernel would say."""
        return self.synced

    def boot(self) -> Boot:
        """Which start of the machine this is."""
        return self.started

    def doubt(self) -> str | None:
        """Nobody looks after it."""
        return None

    def sleep_us(self, duration_us: int) -> None:
        """Let the machine sleep: the boot-time clock and the wall clock go on."""
        ahead_us, monotonic_us = self._times
        self._slept_us += duration_us
        self._times = (ahead_us + duration_us, monotonic_us)

    async def wait(self, event: asyncio.Event, until_us: int | None) -> bool:
        """Wait for `event`, at most as long as it is now until `until_us`; True when the event came."""
        if event.is_set():
            return True
        sleeper = _Sleeper(None if until_us is None else until_us - self._times[0])
        self._sleepers.add(sleeper)
        self._wake_due()
        try:
            await _first(event, sleeper.woken)
        finally:
            self._sleepers.discard(sleeper)
        return event.is_set()

    def advance(self, duration: timedelta) -> None:
        """Let time pass, on both clocks, at once."""
        step_us = duration // timedelta(microseconds=1)
        if step_us < 0:
            raise ValueError("time does not pass backwards; `set_wall` sets the wall clock")
        ahead_us, monotonic_us = self._times
        self._times = (ahead_us, monotonic_us + step_us)
        self._wake_due()

    def set_wall(self, now_us: int, *, synced: bool | None = False) -> None:
        """Set the wall clock, forward or back, as an operator does, or NTP, which then calls it `synced`."""
        monotonic_us = self._times[1]
        self._times = (now_us - monotonic_us, monotonic_us)
        self.synced = synced

    @property
    def next_wake_us(self) -> int | None:
        """The earliest instant that somebody waits for; None when nobody waits for an instant."""
        instants = (sleeper.until_us for sleeper in self._sleepers if sleeper.until_us is not None)
        earliest_us = min(instants, default=None)
        return None if earliest_us is None else earliest_us + self._times[0]

    def _wake_due(self) -> None:
        for sleeper in self._sleepers:
            if sleeper.until_us is not None and sleeper.until_us <= self._times[1]:
                sleeper.woken.set()


async def _first(*events: asyncio.Event) -> None:
    """Return when one of the events is set; leaves no task behind."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
