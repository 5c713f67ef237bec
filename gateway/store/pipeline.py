"""One trip to a server: statements that libpq sends together, and what came of each.

psycopg's cursors do this too, with much else around it: that was half of the gateway's work for a part that is sent.
Here a statement is prepared once in a session; its values go as text, and the server learns their types from the casts
that SQLAlchemy writes. Waiting for the server and reading its values are psycopg's.

A trip ends with a Sync and never with a Flush: after that the server's clock for sessions that are idle in a
transaction would stand still, and a host that is stopped there would keep its locks for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TypeAlias

from psycopg import Connection, errors
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

#: Values as they go over the wire, in the order of their places.
Given: TypeAlias = Sequence[bytes | None]
#: A statement, and its values.
Asked: TypeAlias = tuple[str, Given | None]
#: In words each time: who looks at the wire for it would not know it by the name of a prepared statement.
COMMIT = "COMMIT"
_WELL = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY})
_PLACE = re.compile("%[s%]")


class Answer:
    """What came of one statement: the part of a cursor that is needed, with every row read."""

    __slots__ = ("_at", "_result", "_rows")

    def __init__(self, result: PGresult, rows: Sequence[tuple[Any, ...]]) -> None:
        self._result = result
        self._rows = rows
        self._at = 0

    @property
    def description(self) -> Sequence[tuple[str]]:
        """The names of the columns."""
        return [((self._result.fname(column) or b"").decode(),) for column in range(self._result.nfields)]

    @property
    def command(self) -> bytes | None:
        """What the server says that it did."""
        return self._result.command_status

    @property
    def rowcount(self) -> int:
        """How many rows were written or read."""
        return self._result.command_tuples or 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        self._at += 1
        return self._rows[self._at - 1] if self._at <= len(self._rows) else None

    def close(self) -> None:
        """Everything has been read already."""


class Pipeline:
    """The trips of one session, and what it has prepared."""

    def __init__(self, session: Connection[Any]) -> None:
        self._session = session
        self._transformer = Transformer.from_context(session)
        self._numbers = count(1)
        self._names: dict[str, bytes] = {}

    def run(self, asked: Sequence[Asked]) -> list[Answer]:
        """Run the statements in their order. Raises the error of the one that failed: those behind it were not run."""
        pgconn = self._session.pgconn
        if pgconn.status != ConnStatus.OK:
            raise errors.OperationalError("the connection is closed")
        try:
            pgconn.enter_pipeline_mode()
            # One that is new and stands in it many times is prepared once.
            made: dict[str, bytes] = {}
            sent = [self._send(pgconn, query, values, made) for query, values in asked]
            pgconn.pipeline_sync()
            results = self._session.wait(_results(pgconn))
            pgconn.exit_pipeline_mode()
        except BaseException:
            # What the server did, and what it still answers, nobody knows: this connection is of no use any more.
            pgconn.finish()
            raise
        return self._answers(sent, iter(results))

    def _send(
        self, pgconn: PGconn, query: str, values: Given | None, made: dict[str, bytes]
    ) -> tuple[str, bytes | None]:
        """Hand one statement to libpq; the name under which it is prepared by that, if it is."""
        if query is COMMIT:
            pgconn.send_query_params(b"COMMIT", None)
            return query, None
        name, new = self._names.get(query) or made.get(query), None
        if name is None:
            name = new = made[query] = b"tocsin_%d" % next(self._numbers)
            pgconn.send_prepare(name, _numbered(query))
        pgconn.send_query_prepared(name, values or None)
        return query, new

    def _answers(self, sent: Sequence[tuple[str, bytes | None]], results: Iterator[PGresult]) -> list[Answer]:
        answers: list[Answer] = []
        for query, new in sent:
            if new is not None:
                _check(next(results))
                self._names[query] = new
            result = next(results)
            _check(result)
            answers.append(Answer(result, self._rows(result)))
        return answers

    def _rows(self, result: PGresult) -> Sequence[tuple[Any, ...]]:
        if not result.ntuples:
            return ()
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


def _numbered(query: str) -> bytes:
    """The text with $1, $2 … in place of %s."""
    numbers = count(1)
    return _PLACE.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", query).encode()


def given(values: Sequence[Any] | None) -> Given | None:
    """Values as the server reads them in a text. Raises where one cannot be given, before anything is sent."""
    return values and [_given(value) for value in values]


def _given(value: Any) -> bytes | None:
    """A value as the server reads it in a text."""
    if value is None:
        return None
    if isinstance(value, str):
        # PostgreSQL has no U+0000 in text, and anybody may send one by SMS; the octets are kept beside the text.
        return value.replace("\0", "\ufffd").encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        # The shortest text that is read as the same number again.
        return repr(value).encode()
    if isinstance(value, bytes):
        return b"\\x%s" % value.hex().encode()
    raise TypeError(f"no value for a statement: {type(value).__name__}")


def _results(pgconn: PGconn) -> PQGen[list[PGresult]]:
    """Send what libpq holds, and read until the Sync: one result for each thing that was sent."""
    found: list[PGresult] = []
    while True:
        ready = yield Wait.RW if pgconn.flush() else Wait.R
        if not ready & Ready.R:
            continue
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)


def _check(result: PGresult) -> None:
    if result.status not in _WELL:
        raise errors.error_from_result(result)
