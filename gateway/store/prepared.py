"""Statements of the hot path: written with SQLAlchemy Core, compiled once, run by the driver itself.

Building and compiling a Core statement costs ten times what a database needs to run it, and a message takes some twenty
of them. So a `Prepared` is made once, at import, with `bindparam`s for what changes, and its text, one per engine, goes
straight to the driver. Rows come back as named tuples of what the driver gives: bytes as bytes, booleans as booleans
from PostgreSQL and as 0 and 1 from SQLite, which has none.

State words are written into the text (`word`), not bound: a partial index is used only where the planner sees its
condition.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, Connection, Dialect, String, literal_column
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement


def word(state: str) -> ColumnElement[str]:
    """A state word as part of the statement's text."""
    assert state.isidentifier(), "only words of our own are written into statements"
    return literal_column(f"'{state}'", String)


def words(states: Iterable[str]) -> list[ColumnElement[str]]:
    """Several of them, in a fixed order."""
    return [word(state) for state in sorted(states)]


@dataclass(slots=True)
class _Text:
    """A statement as one engine takes it: its text, and for each place the name of its value or the value itself."""

    sql: str
    places: Sequence[tuple[str | None, Any]]
    #: The values in the order of their places.
    arguments: Callable[[dict[str, Any]], Sequence[Any]]
    make: Callable[[Iterable[Any]], Any] | None = None


# Where a connection of SQLAlchemy's keeps the driver's.
_RAW = "_tocsin_raw"

#: Every statement, in the order of their making.
_MADE: list[Prepared] = []


def compile_all(dialect: Dialect) -> None:
    """Compile what was made so far. Done when a store is opened, so that nobody waits for it later: not the first
    message of the day, and not a STOP."""
    for statement in tuple(_MADE):
        statement.compile(dialect)


class Prepared:
    """One statement. `values` are those of its bind parameters, by name."""

    def __init__(self, clause: ClauseElement) -> None:
        assert isinstance(clause, Executable)
        self._clause = clause
        self._texts: dict[str, _Text] = {}
        _MADE.append(self)

    def compile(self, dialect: Dialect) -> None:
        """Make its text for this engine, if nobody has asked for it yet."""
        self._text(dialect)

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Every row, as named tuples."""
        cursor, make = self._run(connection, values)
        return [make(row) for row in cursor]

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """The first row as a named tuple, or None."""
        cursor, make = self._run(connection, values)
        row = cursor.fetchone()
        # A half read query would keep its locks.
        cursor.close()
        return None if row is None else make(row)

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.first(connection, **values)
        return None if row is None else row[0]

    def change(self, connection: Connection, **values: Any) -> int:
        """How many rows it wrote."""
        return self._cursor(connection, self._text(connection.dialect), values).rowcount

    def write(self, connection: Connection, **values: Any) -> None:
        """Write, when nobody asks how many rows: an engine may put it off until the next statement that is needed."""
        text = self._text(connection.dialect)
        _raw(connection).later(text.sql, text.arguments(values))

    def write_many(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        """As `write`, once for each of `rows`."""
        text = self._text(connection.dialect)
        _raw(connection).later_many(text.sql, [text.arguments(row) for row in rows])

    def change_many(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        """Run once for each of `rows`."""
        text = self._text(connection.dialect)
        _raw(connection).many(text.sql, [text.arguments(row) for row in rows])

    def change_rows(self, connection: Connection, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        """As `change_many` with the values of these names, in their order: for many columns that costs half."""
        text = self._text(connection.dialect)
        ordered = _in_places(names, tuple(text.places))
        _raw(connection).many(text.sql, [ordered(row) for row in rows])

    @staticmethod
    def together(connection: Connection, *asked: Question) -> list[list[Any]]:
        """The rows of several queries, none of which needs another's: on a network they share one trip."""
        texts = [(statement._text(connection.dialect), values) for statement, values in asked]  # noqa: SLF001 - our own
        cursors = _raw(connection).together([(text.sql, text.arguments(values)) for text, values in texts])
        return [_found(text, cursor) for (text, _), cursor in zip(texts, cursors, strict=True)]

    def _run(self, connection: Connection, values: dict[str, Any]) -> tuple[_Cursor, Callable[..., Any]]:
        text = self._text(connection.dialect)
        cursor = self._cursor(connection, text, values)
        if text.make is None:
            text.make = _maker([column[0] for column in cursor.description])
        return cursor, text.make

    def _cursor(self, connection: Connection, text: _Text, values: dict[str, Any]) -> _Cursor:
        return _raw(connection).ask(text.sql, text.arguments(values))

    def _text(self, dialect: Dialect) -> _Text:
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = _compiled(self._clause, dialect)
        return text


#: A query and its values, not asked yet.
Question: TypeAlias = tuple[Prepared, dict[str, Any]]


def _compiled(clause: ClauseElement, dialect: Dialect) -> _Text:
    compiled = clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    # A value that was given when the statement was built is known by its bind parameter; the others are asked for.
    binds: dict[str, Any] = dict(compiled.binds)
    constants: dict[str, Any] = {name: bind.value for name, bind in binds.items() if not bind.required}
    names = compiled.positiontup or []
    places = [(None, constants[name]) if name in constants else (name, None) for name in names]
    return _Text(str(compiled), places, _arguments(places))


def _arguments(places: Sequence[tuple[str | None, Any]]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """What puts values in the order of their places, in C: constants have names that no parameter has."""
    names = [name or f" {at}" for at, (name, _) in enumerate(places)]
    constants = {each: value for each, (name, value) in zip(names, places, strict=True) if name is None}
    if len(names) < 2:
        return lambda values: [values[name] if name in values else constants[name] for name in names]
    ordered = itemgetter(*names)
    return (lambda values: ordered(values | constants)) if constants else ordered


@cache
def _in_places(
    names: tuple[str, ...], places: tuple[tuple[str | None, Any], ...]
) -> Callable[[tuple[Any, ...]], Sequence[Any]]:
    """What puts values that stand in the order of `names` in that of their places, with the constants."""
    constants = tuple(value for name, value in places if name is None)
    # One constant behind the other, in the order of their places.
    behind = count(len(names))
    ordered = itemgetter(*[names.index(name) if name is not None else next(behind) for name, _ in places])
    return (lambda values: ordered(values + constants)) if constants else ordered


def _found(text: _Text, cursor: _Cursor) -> list[Any]:
    if text.make is None:
        text.make = _maker([column[0] for column in cursor.description])
    return [text.make(row) for row in cursor]


def _maker(columns: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    # Its fields are known only now.
    return namedtuple("Found", columns, rename=True)._make  # pyright: ignore[reportUntypedNamedTuple]


class _Cursor(Protocol):
    """What SQLite's cursors and the answers of a server do."""

    @property
    def description(self) -> Any: ...
    @property
    def rowcount(self) -> int: ...
    def __iter__(self) -> Any: ...
    def fetchone(self) -> Any: ...
    def close(self) -> None: ...


class _Raw(Protocol):
    """What our connections with both databases do."""

    def ask(self, sql: str, values: Sequence[Any], /) -> _Cursor: ...
    def later(self, sql: str, values: Sequence[Any], /) -> None: ...
    def later_many(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None: ...
    def together(self, asked: Sequence[tuple[str, Sequence[Any]]], /) -> Sequence[_Cursor]: ...
    def many(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None: ...


def _raw(connection: Connection) -> _Raw:
    """The driver's own connection, inside the transaction that SQLAlchemy began on it.

    A dozen statements of one message ask for it, and it is reached over four properties: each connection of
    SQLAlchemy's keeps it once it was found. One that was invalidated is never used again.
    """
    known = connection.__dict__
    raw: Any = known.get(_RAW)
    if raw is None:
        raw = known[_RAW] = connection.connection.driver_connection
    return raw
