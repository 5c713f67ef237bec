"""The one connection that writes: opened, and opened again after it was lost, at most so often."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from sqlalchemy import Connection

from gateway.clock import Clock, SystemClock
from gateway.errors import StoreInUse, Unavailable
from gateway.store.engine import StoreEngine, StoreUnusable, unreachable

log = logging.getLogger(__name__)

_FIRST_PAUSE_US = 100_000
_LONGEST_PAUSE_US = 4_000_000


class Pause:
    """Between tries to reach what is away: twice as long each time, and not all hosts at the same instant."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._length_us = 0
        self._until_us = 0

    @property
    def lasts(self) -> bool:
        """Whether it makes no sense yet to try again."""
        return self._clock.monotonic_us() < self._until_us

    @property
    def left_s(self) -> float:
        """Seconds until it does."""
        return max(self._until_us - self._clock.monotonic_us(), 0) / 1_000_000

    def begin(self) -> None:
        """A try has failed."""
        self._length_us = min(max(self._length_us * 2, _FIRST_PAUSE_US), _LONGEST_PAUSE_US)
        self._until_us = self._clock.monotonic_us() + int(self._length_us * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def end(self) -> None:
        """A try has not failed, or somebody else's: the next pause is a short one again."""
        self._length_us = self._until_us = 0


class Link:
    """Belongs to the thread that writes once the store is open."""

    def __init__(self, engine: StoreEngine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()
        self._alchemy = engine.writing()
        self._connection: Connection | None = None
        self._pause = Pause(self.clock)
        #: Called when the database was reached again.
        self.reached: Callable[[], None] = lambda: None
        #: The revision of the schema that this process works with, once it is known.
        self.revision: str | None = None

    def open(self) -> Connection:
        """Connect, check the settings, keep others away. Raises what the driver, `check` or `hold` raises."""
        connection = self._alchemy.connect()
        try:
            self.engine.check(connection)
            self.engine.hold(connection)
            self._check_revision(connection)
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._connection = connection
        self._pause.end()
        return connection

    def _check_revision(self, connection: Connection) -> None:
        """While this process was cut off another version may have taken the database over."""
        if self.revision is None:
            return
        present = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        connection.rollback()
        if present != self.revision:
            raise StoreUnusable(
                f"the database {self.engine.place} was brought to another version; restart Tocsin with that version"
            )

    def connection(self) -> Connection:
        """The connection; a lost one is opened anew. Raises `Unavailable` while that cannot be."""
        if self._connection is not None:
            return self._connection
        if self._pause.lasts:
            raise unreachable()
        try:
            connection = self.open()
        except Exception as error:
            self._pause.begin()
            log.error("no connection to the store", extra={"action": "store_unreachable", "cause": _why(error)})
            raise unreachable() from error
        log.warning("connected to the store again", extra={"action": "store_reached"})
        self.reached()
        return connection

    @property
    def pause_s(self) -> float:
        """Seconds until it makes sense to ask again."""
        return self._pause.left_s

    def drop(self) -> None:
        """Forget a connection that is broken; the next one is tried at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Close for good."""
        if self._connection is not None:
            self._connection.close()
        self._alchemy.dispose()


def _why(error: Exception) -> str:
    """Our own refusals say what to mend; a driver's words could hold more than a log should."""
    return str(error) if isinstance(error, StoreUnusable | StoreInUse | Unavailable) else type(error).__name__
