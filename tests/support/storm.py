"""Somebody who signals on our channel, thousands of times a second, and has nothing to say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.postgresql import Database

#: Signals in one go, each in a transaction of its own: the server makes one of those that share one.
_AT_ONCE = 100
_PACE_S = 0.02


class Storm:
    """Counts what it has sent."""

    def __init__(self) -> None:
        self.sent = 0
        self._began = time.monotonic()
        self._ends = threading.Event()

    @property
    def rate(self) -> float:
        """Signals a second, until now."""
        return self.sent / (time.monotonic() - self._began)

    def blow(self, database: Database, topics: tuple[str, ...]) -> None:
        """Signal until `calm`."""
        once = "".join(f"BEGIN; NOTIFY tocsin, '{topics[each % len(topics)]}'; COMMIT;" for each in range(_AT_ONCE))
        with database.server.connect(database.name) as connection:
            while not self._ends.wait(_PACE_S):
                connection.execute(once.encode())
                self.sent += _AT_ONCE

    def calm(self) -> None:
        """End it."""
        self._ends.set()


@contextmanager
def storm(database: Database, *topics: str) -> Iterator[Storm]:
    """While it blows."""
    made = Storm()
    thread = threading.Thread(target=made.blow, args=(database, topics))
    thread.start()
    try:
        yield made
    finally:
        made.calm()
        thread.join()
