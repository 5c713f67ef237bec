"""How many messages of a campaign may be queued at a moment. Pure.

What may be queued grows evenly, and no more than a few seconds' worth is saved up: whoever was kept from queueing for
an hour does not make up for it in a second.
"""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE_US = 60_000_000
_SAVED_US = 2_000_000


@dataclass(slots=True)
class Pace:
    """So many a minute; `per_minute` None is no limit. Begun without anything saved up."""

    per_minute: int | None
    _room: float = 0.0
    _seen_us: int | None = None

    def room(self, now_us: int) -> int | None:
        """How many may be queued now; None: as many as one likes. `now_us` is of a clock that never jumps."""
        if self.per_minute is None:
            return None
        if self._seen_us is None:
            # The first at once.
            self._room = 1.0
        else:
            most = max(1.0, self.per_minute * _SAVED_US / _MINUTE_US)
            gained = (now_us - self._seen_us) * self.per_minute / _MINUTE_US
            self._room = min(most, self._room + gained)
        self._seen_us = now_us
        return int(self._room + 1e-9)

    def used(self, count: int) -> None:
        """So many were queued."""
        self._room -= count

    def wait_us(self, count: int = 1) -> int:
        """How long until there is room for so many, or for as many as may be saved up."""
        if self.per_minute is None:
            return 0
        most = max(1.0, self.per_minute * _SAVED_US / _MINUTE_US)
        lacking = min(float(count), most) - self._room
        return max(0, int(lacking * _MINUTE_US / self.per_minute) + 1) if lacking > 0 else 0
