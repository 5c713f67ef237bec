"""A session with PostgreSQL that saves trips: what nobody waits for goes along with the next statement.

Each trip to a server costs more than what the server does there. A statement whose answer nobody needs is put off
(`later`) and sent, in its order, with the next one that is needed, or with the COMMIT. An error of it is raised there:
before the work that wrote it is answered, since a work ends with a statement that is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

_BEGIN = "BEGIN"
_NUMBER = "SELECT pg_current_xact_id()::text"
# Hosts listen on one channel; the payload is a topic.
_SIGNAL = "SELECT pg_notify('tocsin', %s)"


class _WithoutNull(StrDumper):
    """PostgreSQL has no U+0000 in text, and anybody may send one by SMS; the octets are kept beside the text."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


class TripCursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that takes along what was put off."""

    connection: Session  # pyright: ignore[reportIncompatibleMethodOverride]

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run one statement after those that were put off, in one trip."""
        if not self.connection.has_later:
            return super().execute(query, params, **options)
        with self.connection.trip():
            super().execute(query, params, **options)
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Run one statement for many values, after those that were put off, in one trip."""
        with self.connection.trip():
            super().executemany(query, params_seq, **options)


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose transactions we begin ourselves, by `begin_numbered`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.cursor_factory = TripCursor
        self._later: list[tuple[Any, Sequence[Any] | None]] = []
        self._topics: set[str] = set()
        #: The server's number of the transaction, once the server has been asked anything in it.
        self.number: str | None = None

    def prepare_for_us(self) -> None:
        """How we use it: transactions by our own statements, and each statement prepared once."""
        self.autocommit = True
        self.prepare_threshold = 2
        # One type for every number: else a statement would be prepared once for each width.
        self.adapters.register_dumper(int, Int8Dumper)
        self.adapters.register_dumper(str, _WithoutNull)

    @property
    def has_later(self) -> bool:
        """Whether something was put off."""
        return bool(self._later)

    def begin_numbered(self) -> None:
        """Begin a transaction, and learn its number, with the first statement of it."""
        self.number = None
        self._topics.clear()
        self._later = [(_BEGIN, None), (_NUMBER, None)]

    def signal(self, topic: str) -> None:
        """With the COMMIT, tell whoever listens; once a transaction, however often it is asked for."""
        self._topics.add(topic)

    def later(self, query: str, values: Sequence[Any] | None = None) -> None:
        """Run a statement whose answer nobody needs, some time before the next one that is needed."""
        self._later.append((query, values))

    def later_many(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same once for each of `rows`."""
        for values in rows:
            self.later(query, values)

    def together(self, asked: Sequence[tuple[Any, Sequence[Any]]]) -> list[psycopg.Cursor[tuple[Any, ...]]]:
        """Run several statements, none of which needs another's answer, in one trip."""
        with self.trip():
            return [self.execute(query, values) for query, values in asked]

    def flush(self) -> None:
        """Send what was put off."""
        if self._later:
            with self.trip():
                pass

    def trip(self) -> _Trip:
        """Within it everything goes in one trip, what was put off first."""
        return _Trip(self)

    def take_later(self) -> list[tuple[Any, Sequence[Any] | None]]:
        """What was put off; it is the caller's now."""
        taken, self._later = self._later, []
        return taken

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
        if self._later:
            # In words each time: who looks at the wire for it would not know it by the number of a prepared one.
            self.execute("COMMIT", prepare=False)
        else:
            super().commit()

    def _is_empty(self) -> bool:
        """Whether nobody has asked anything since the transaction began."""
        return [query for query, _ in self._later] == [_BEGIN, _NUMBER]

    def rollback(self) -> None:
        """Roll back; what was put off never happens."""
        self._later.clear()
        super().rollback()


class _Trip:
    """Statements that share a trip; the error is that of the first that failed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pipeline = session.pipeline()
        self._number: psycopg.Cursor[tuple[Any, ...]] | None = None

    def __enter__(self) -> None:
        pipeline: Any = self._pipeline.__enter__()
        # It would end with a Sync and then a Flush, and after a Flush the server's clock for sessions that are idle in
        # a transaction stands still: a host that is stopped there would keep its locks for ever.
        pipeline._exit_gen = pipeline._sync_gen  # noqa: SLF001 - a test of ours says when this ceases to work
        for query, values in self._session.take_later():
            cursor = psycopg.Cursor(self._session)
            cursor.execute(query, values)
            if query is _NUMBER:
                self._number = cursor

    def __exit__(self, *raised: Any) -> None:
        try:
            self._pipeline.__exit__(*raised)
        except psycopg.errors.PipelineAborted as aborted:
            # What was skipped says so last; what failed said it before.
            raise _first(aborted) from None
        if self._number is not None and (row := self._number.fetchone()) is not None:
            self._session.number = row[0]


def _first(aborted: BaseException) -> BaseException:
    cause: BaseException = aborted
    while isinstance(cause, psycopg.errors.PipelineAborted) and cause.__context__ is not None:
        cause = cause.__context__
    return cause
