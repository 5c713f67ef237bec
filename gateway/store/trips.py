"""A session with PostgreSQL that saves trips: what nobody waits for goes along with the next statement.

Each trip to a server costs more than what the server does there. A statement whose answer nobody needs is put off
(`later`) and sent, in its order, with the next one that is needed, or with the COMMIT. An error of it is raised there:
before the work that wrote it is answered, since a work ends with a statement that is needed.

A server that is frozen keeps its connections open, and so does a network of which one direction is gone. So each wait
for the server has a limit on our side (`limit_s`), after which the connection is closed and counts as lost.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

import psycopg
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from gateway.store.pipeline import COMMIT, Answer, Asked, Pipeline, given

_BEGIN = "BEGIN"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NUMBER = "SELECT pg_current_xact_id()::text"
# Hosts listen on one channel; the payload is a topic.
_SIGNAL = "SELECT pg_notify('tocsin', %s)"
# How often the driver looks up from a wait in which nothing happens, in seconds.
_LOOK_S = 0.1


class Silent(psycopg.OperationalError):
    """The server has said nothing for too long; the connection is closed, and nobody knows what it did."""


class _WithoutNull(StrDumper):
    """As `gateway.store.pipeline` does it."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


class TripCursor(psycopg.Cursor[tuple[Any, ...]]):
    """SQLAlchemy's cursor: what was put off goes first."""

    connection: Session  # pyright: ignore[reportIncompatibleMethodOverride]

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run one statement."""
        self.connection.flush()
        return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:  # noqa: ARG002 - none is ours
        """Run one statement for many values, in one trip."""
        self.connection.many(query, params_seq)


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose transactions we begin ourselves, by `begin_numbered` or `begin_reading`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.cursor_factory = TripCursor
        self._pipeline_of_ours = Pipeline(self)
        self._later: list[Asked] = []
        self._topics: set[str] = set()
        #: The server's number of the transaction, once the server has been asked anything in it.
        self.number: str | None = None
        #: How long the server may say nothing while it is waited for, in seconds; None for as long as it likes.
        self.limit_s: float | None = None

    def prepare_for_us(self, limit_s: float) -> None:
        """How we use it: transactions by our own statements, prepared by `Pipeline` alone, and no wait without end."""
        self.limit_s = limit_s
        self.autocommit = True
        self.prepare_threshold = None
        self.adapters.register_dumper(int, Int8Dumper)
        self.adapters.register_dumper(str, _WithoutNull)

    def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        """As the driver's, within `limit_s`."""
        if self.limit_s is None:
            return super().wait(gen, *arguments, **named)
        try:
            return super().wait(_limited(gen, self.limit_s), interval=_LOOK_S)
        except Silent:
            # Whatever comes now would be taken for the answer to something else.
            self.close()
            raise

    def begin_numbered(self) -> None:
        """Begin a transaction, and learn its number, with the first statement of it."""
        self.number = None
        self._topics.clear()
        self._later = [(_BEGIN, None), (_NUMBER, None)]

    def begin_reading(self) -> None:
        """Begin a transaction that sees one state, with the first statement of it."""
        self._later = [(_BEGIN_READING, None)]

    @property
    def begins(self) -> bool:
        """Whether the server has not been asked anything yet in a transaction that was begun."""
        return bool(self._later) and self._later[0][0] is _BEGIN

    def signal(self, topic: str) -> None:
        """With the COMMIT, tell whoever listens; once a transaction, however often it is asked for."""
        self._topics.add(topic)

    def later(self, query: str, values: Sequence[Any] | None = None) -> None:
        """Run a statement whose answer nobody needs, some time before the next one that is needed."""
        self._later.append((query, given(values)))

    def later_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """The same once for each of `rows`."""
        self._later += [(query, given(values)) for values in rows]

    def ask(self, query: str, values: Sequence[Any] | None = None) -> Answer:
        """Run one statement after those that were put off, in one trip."""
        return self.together([(query, values)])[0]

    def many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row, after those that were put off, in one trip."""
        self.together([(query, row) for row in rows])

    def together(self, asked: Sequence[tuple[str, Sequence[Any] | None]]) -> list[Answer]:
        """Run several statements, none of which needs another's answer, in one trip, what was put off first."""
        # First: what cannot be given must not take along what was put off.
        ready = [(query, given(values)) for query, values in asked]
        later, self._later = self._later, []
        answers = self.trip([*later, *ready])
        for (query, _), answer in zip(later, answers, strict=False):
            if query is _NUMBER and (row := answer.fetchone()) is not None:
                self.number = row[0]
        return answers[len(later) :]

    def trip(self, asked: Sequence[Asked]) -> list[Answer]:
        """To the server and back."""
        return self._pipeline_of_ours.run(asked)

    def flush(self) -> None:
        """Send what was put off."""
        if self._later:
            self.together(())

    def known_number(self) -> str | None:
        """The server's number of the transaction, asked for if need be; None while the server knows nothing of it."""
        if self.number is None and not self._is_empty():
            self.flush()
        return self.number

    def commit(self) -> None:
        """Commit; what was put off goes along."""
        if self._is_empty():
            self._later.clear()
            return
        for topic in sorted(self._topics):
            self.later(_SIGNAL, (topic,))
        # A transaction that had failed, which somebody passed over, is rolled back by it.
        if self.ask(COMMIT).command != b"COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("the transaction had failed, and was rolled back")

    def _is_empty(self) -> bool:
        """Whether nobody has asked anything since the transaction began."""
        return self.number is None and [query for query, _ in self._later] == [_BEGIN, _NUMBER]

    def rollback(self) -> None:
        """Roll back; what was put off never happens."""
        self._later.clear()
        super().rollback()


def _limited(waiting: Generator[Any, Any, Any], limit_s: float) -> Generator[Any, Any, Any]:
    """The driver's wait, which is told `0` whenever it looked up and nothing had happened: so many times in a row."""
    silent_s = 0.0
    try:
        wanted = next(waiting)
        while True:
            happened = yield wanted
            silent_s = 0.0 if happened else silent_s + _LOOK_S
            if silent_s >= limit_s:
                raise Silent(f"the server has said nothing for {limit_s:g} s")
            wanted = waiting.send(happened)
    except StopIteration as end:
        return end.value
