"""The only reader of time. Everything else is handed a `Clock`.

Instants are integer microseconds since 1970-01-01T00:00:00Z (`_us`); durations are integer microseconds or
`timedelta`. Tests own a clock that stands still until it is told to move (`tests/support/clock.py`).
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

SECOND_US = 1_000_000
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BATTERY_CLOCKS = Path("/sys/class/rtc")
# More than any `struct timex` has; asked with no mode set, adjtimex(2) reads alone.
_TIMEX_OCTETS = 512
# TIME_ERROR: the clock is not synchronised.
_TIME_ERROR = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Boot:
    """A start of the machine: which one it is, and whether a clock with a battery told it the time. None: unknown."""

    id: str | None
    battery: bool | None


class Clock(Protocol):
    """What the gateway asks of time."""

    def now_us(self) -> int:
        """Wall-clock instant in microseconds UTC."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds on a clock that never jumps; only differences mean something."""
        ...

    def boottime_us(self) -> int:
        """Microseconds since the machine started, sleep included: no pause of ours goes unnoticed on it."""
        ...

    async def wait(self, event: asyncio.Event, until_us: int | None) -> bool:
        """Wait for `event`, at most until the wall clock says `until_us`; True when the event came."""
        ...

    def synchronized(self) -> bool | None:
        """Whether the kernel says that the wall clock is kept right, since it was last set; None when it cannot say."""
        ...

    def boot(self) -> Boot:
        """The start of the machine that `boottime_us` counts from."""
        ...

    def doubt(self) -> str | None:
        """Why rules must not go by this clock now, as a sentence; None while they may."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """Wall-clock instant in microseconds UTC."""
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        """Microseconds of the monotonic clock."""
        return time.monotonic_ns() // 1000

    def boottime_us(self) -> int:
        """Microseconds of CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    async def wait(self, event: asyncio.Event, until_us: int | None) -> bool:
        """Wait for `event` or the instant; a wall clock that is set back makes the wait longer, at most an hour."""
        if event.is_set():
            return True
        # A wait is cut at an hour so that a clock that was set forward is noticed.
        timeout = None if until_us is None else min(max((until_us - self.now_us()) / SECOND_US, 0), 3600)
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def synchronized(self) -> bool | None:
        """By adjtimex(2). Setting the clock makes the kernel say no, until somebody who synchronises says otherwise."""
        ask = _adjtimex()
        state = -1 if ask is None else ask(ctypes.create_string_buffer(_TIMEX_OCTETS))
        return None if state < 0 else state != _TIME_ERROR

    def boot(self) -> Boot:
        """By the kernel's word, and whether it has any battery clock."""
        try:
            return Boot(boot_id(), any(_BATTERY_CLOCKS.iterdir()))
        except OSError:
            return Boot(boot_id(), None)

    def doubt(self) -> str | None:
        """Nobody looks after it: `gateway.outbound.clock_guard` does, of the clock that it is handed."""
        return None


@cache
def _adjtimex() -> Callable[[ctypes.Array[ctypes.c_char]], int] | None:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None


def boot_id() -> str | None:
    """Which start of the machine this is, by the kernel's own word; None where it cannot be read."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def to_datetime(instant_us: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant_us)


def from_datetime(moment: datetime) -> int:
    """Microseconds UTC of an aware datetime; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError("the time has no zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def rfc3339(instant_us: int) -> str:
    """RFC 3339 in UTC with `Z`, to the millisecond: the form of every time that leaves the gateway."""
    seconds, rest_us = divmod(instant_us, SECOND_US)
    return f"{_to_the_second(seconds)}.{rest_us // 1000:03d}Z"


@lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    """What is written within a second of it: most of an answer's times, and those of the answers beside it."""
    return to_datetime(seconds * SECOND_US).strftime("%Y-%m-%dT%H:%M:%S")
