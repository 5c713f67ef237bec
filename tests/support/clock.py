"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.clock import SECOND_US

#: 2026-01-05T10:00:00Z, a Monday morning.
START_US = 1_767_607_200 * SECOND_US


@dataclass(eq=False)
class _Sleeper:
    """One task in `wait`: until when (microseconds UTC, None for ever), and what wakes it."""

    until_us: int | None
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class ManualClock:
    """A `gateway.clock.Clock` whose time passes only by `advance` and `set_wall`; who waits is woken when it is due.

    Belongs to one event loop: move it from there. Reading the time is safe from any thread.
    """

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us
        self._monotonic_us = 0
        self._slept_us = 0
        self._sleepers: set[_Sleeper] = set()

    def now_us(self) -> int:
        """Wall-clock instant in microseconds UTC."""
        return self._now_us

    def monotonic_us(self) -> int:
        """Microseconds that were advanced so far; a wall clock that is set does not change it."""
        return self._monotonic_us

    def boottime_us(self) -> int:
        """What was advanced, and what the machine slept besides."""
        return self._monotonic_us + self._slept_us

    def sleep_us(self, duration_us: int) -> None:
        """Let the machine sleep: only the boot-time clock goes on."""
        self._slept_us += duration_us

    async def wait(self, event: asyncio.Event, until_us: int | None) -> bool:
        """Wait for `event`, at most until this clock says `until_us`; True when the event came."""
        if event.is_set():
            return True
        sleeper = _Sleeper(until_us)
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
        self._monotonic_us += step_us
        self._now_us += step_us
        self._wake_due()

    def set_wall(self, now_us: int) -> None:
        """Set the wall clock, forward or back, as an operator or NTP does."""
        self._now_us = now_us
        self._wake_due()

    @property
    def next_wake_us(self) -> int | None:
        """The earliest instant that somebody waits for; None when nobody waits for an instant."""
        return min((sleeper.until_us for sleeper in self._sleepers if sleeper.until_us is not None), default=None)

    def _wake_due(self) -> None:
        for sleeper in self._sleepers:
            if sleeper.until_us is not None and sleeper.until_us <= self._now_us:
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
