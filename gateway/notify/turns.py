"""Turns of something that is scarce, with a bound for each of those who take them."""

from __future__ import annotations

import threading
from collections import Counter


class Turns:
    """So many at once in all, and of one. Whoever has none may always have one, so that nobody is kept out by others:
    there are few who ask. May be used by several threads."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most = most
        self._of_one = of_one
        self._taken: Counter[int | None] = Counter()
        self._lock = threading.Lock()

    def take(self, whose: int | None) -> bool:
        """Whether there is a turn; it is taken then. `whose` is the token, None the gateway itself, which has what is
        left of all."""
        with self._lock:
            mine, is_full = self._taken[whose], self._taken.total() >= self._most
            has_room = not is_full if whose is None else mine < self._of_one and (not is_full or not mine)
            self._taken[whose] += has_room
            return has_room

    def give_back(self, whose: int | None) -> None:
        """A turn that was taken is over."""
        with self._lock:
            self._taken[whose] -= 1
            if not self._taken[whose]:
                del self._taken[whose]
