"""When a delivery is tried again, and when it is given up.

The delays are those that Standard Webhooks gives as an example: ten tries over 75 h 35 min. Each but the first two
is longer by up to a tenth, by chance, so that what failed together does not come back together.
"""

from __future__ import annotations

import random
from typing import Final

from gateway.clock import SECOND_US

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
#: Seconds between one try and the next; behind the last there is none.
DELAYS_S: Final = (
    5,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
_JITTER: Final = 0.1
#: What could not be tried often enough in this time, because nobody answered at all, is given up with the rest.
OLDEST_US: Final = 7 * 24 * _HOUR_S * SECOND_US
#: What was given up is kept so long, from its event, for whoever wants it again.
KEPT_US: Final = 30 * 24 * _HOUR_S * SECOND_US
#: `Retry-After` is obeyed up to this.
MOST_WAIT_S: Final = 24 * _HOUR_S

#: So many failures in a row, and an endpoint is taken for one that does not answer.
_TRIPS: Final = 5
_FIRST_PAUSE_S: Final = 5
_LONGEST_PAUSE_S: Final = 300


def next_us(tries: int, now_us: int, retry_after_s: int | None = None) -> int | None:
    """When a delivery that has failed `tries` times is tried again; None: never."""
    if tries > len(DELAYS_S):
        return None
    delay_s = DELAYS_S[tries - 1] * (1 + random.random() * _JITTER)  # noqa: S311 - spreading, not hiding
    return now_us + int(max(delay_s, min(retry_after_s or 0, MOST_WAIT_S)) * SECOND_US)


class Circuit:
    """Whether a target is asked at all. While nobody answers there, one delivery at a time finds out whether that has
    changed; the others are not tried for nothing, and use up none of their tries. Of one that nobody has asked yet,
    nobody knows whether it answers: it begins with one, too."""

    def __init__(self) -> None:
        self._failures = 0
        self._is_known = False
        self._closed_until_us = 0

    def room(self, now_us: int, most: int) -> int:
        """How many may be under way at once."""
        if now_us < self._closed_until_us:
            return 0
        return most if self._is_known and not self.fails else 1

    @property
    def fails(self) -> bool:
        """Whether the last try was in vain."""
        return self._failures > 0

    def opens_us(self, now_us: int) -> int | None:
        """When it may be asked again; None where it may be now."""
        return self._closed_until_us if now_us < self._closed_until_us else None

    def failed(self, now_us: int, retry_after_s: int | None) -> None:
        """Nobody took it. `retry_after_s` is what the target asked for."""
        self._failures += 1
        pause_s = min(retry_after_s or 0, MOST_WAIT_S)
        if self._failures >= _TRIPS:
            pause_s = max(pause_s, min(_FIRST_PAUSE_S * 2 ** min(self._failures - _TRIPS, 10), _LONGEST_PAUSE_S))
        self._closed_until_us = max(self._closed_until_us, now_us + pause_s * SECOND_US)

    def succeeded(self) -> bool:
        """Somebody took it; whether it was taken for dead before."""
        was_dead = self._failures >= _TRIPS
        self._failures = self._closed_until_us = 0
        self._is_known = True
        return was_dead
