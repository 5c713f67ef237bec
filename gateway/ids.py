"""Ids: UUIDv7 (RFC 9562, 5.7) as 32 lower-case hex digits, so that their order is the order of creation."""

from __future__ import annotations

import secrets
import threading

from gateway.clock import Clock

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_DRAWN = 512


class IdSource:
    """Makes ids that rise strictly within one process, also when the clock stands still or is set back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0
        self._chance = b""

    def new(self) -> str:
        """A fresh id. 48 bits of milliseconds, then 74 random bits that are counted up within one millisecond."""
        with self._lock:
            milliseconds = self._clock.now_us() // 1000
            if milliseconds > self._last >> 74:
                self._last = milliseconds << 74 | self._random(10) >> 6
            else:
                # Counting up by a random step keeps ids unguessable and in order.
                self._last += 1 + self._random(4)
            return _layout(self._last)

    def _random(self, octets: int) -> int:
        """A random number of so many octets. They are drawn in advance: each draw is a system call."""
        if len(self._chance) < octets:
            self._chance = secrets.token_bytes(_DRAWN)
        drawn, self._chance = self._chance[:octets], self._chance[octets:]
        return int.from_bytes(drawn, "big")


def _layout(value: int) -> str:
    """The 122 free bits with version and variant set in between."""
    milliseconds, random = value >> 74, value & (1 << 74) - 1
    high, low = random >> 62, random & (1 << 62) - 1
    return f"{milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low:032x}"


def first_id(at_us: int) -> str:
    """The least id that can be made at this instant (microseconds UTC)."""
    return f"{max(at_us, 0) // 1000 << 80:032x}"


def is_id(text: str) -> bool:
    """Whether the text has the form of an id."""
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
