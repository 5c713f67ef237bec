"""The Nth call of the store fails, for every N in a send: every state is legal, and nothing is left behind (C23)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import psycopg
import pytest
from sqlalchemy import Connection, text
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.failing_store import Calls, failing_store
from support.place import Place
from support.settings import settings_in

from gateway.errors import Unavailable
from gateway.message import PartEvent, Status

T = TypeVar("T")

#: Acceptance, mark and result take more calls than this.
LEAST_CALLS = 15


class Broken(Exception):
    """A defect, as the code above the store has never seen it."""


def _full(place: Place) -> Exception:
    if place.database is None:
        return sqlite3.OperationalError("database or disk is full")
    return psycopg.errors.DiskFull("could not extend file")


@pytest.fixture
async def failing(place: Place, clock: ManualClock) -> AsyncIterator[tuple[Bench, Calls]]:
    store, calls = failing_store(place)
    yield await make_bench(settings_in(place.folder), store, clock), calls
    await store.close()


async def _again(step: Callable[[], Awaitable[T]]) -> T:
    """As the gateway does it: what failed is done once more."""
    try:
        return await step()
    except (Unavailable, Broken):
        return await step()


async def _send(bench: Bench, number: str) -> str:
    message = await _again(lambda: bench.accept(number))
    marked = await _again(bench.next)
    assert marked is not None
    assert marked.message_id == message.id
    await _again(lambda: bench.settle(marked, PartEvent.ACCEPTED, tp_mr=7))
    assert (await bench.get(message.id)).status is Status.SENT
    return message.id


def _rows(connection: Connection, message_id: str) -> list[list[tuple[object, ...]]]:
    """Everything that there is about a message, but its names and times."""
    queries = (
        "SELECT status, attempts, parts FROM message WHERE id = :id",
        "SELECT sequence, state, copies FROM part WHERE message_id = :id",
        "SELECT sequence, state, cause, tp_mr FROM attempt WHERE message_id = :id",
        "SELECT type, detail FROM event WHERE message_id = :id ORDER BY id",
    )
    return [[tuple(row) for row in connection.execute(text(query), {"id": message_id})] for query in queries]


def _orphans(connection: Connection) -> int:
    """Rows that speak of no message, and messages beside those that were answered."""
    tables = ("part", "attempt", "event")
    query = "SELECT count(*) FROM {0} WHERE message_id IS NOT NULL AND message_id NOT IN (SELECT id FROM message)"
    return sum(connection.execute(text(query.format(table))).scalar_one() for table in tables)


def _messages(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM message")).scalar_one()


@pytest.mark.parametrize("kind", ["full", "broken"])
async def test_c23_whichever_call_fails_a_send_ends_as_if_none_had(
    place: Place, failing: tuple[Bench, Calls], kind: str, tell: Callable[[str], None]
) -> None:
    bench, calls = failing
    first = await _send(bench, "+33612000000")
    expected = await bench.store.read(lambda c: _rows(c, first))
    number = 0
    while number == 0 or calls.failed:
        number += 1
        calls.fail_at(number, _full(place) if kind == "full" else Broken())
        sent = await _send(bench, f"+3361200{number:04}")
        assert await bench.store.read(lambda c, sent=sent: _rows(c, sent)) == expected, number
    orphans, messages = await bench.store.read(_orphans), await bench.store.read(_messages)
    where = "SQLite" if place.database is None else "PostgreSQL"
    tell(f"C23: {where}, each of {number - 1} calls of a send fails ({kind}): 0 illegal states, {orphans} orphans")
    assert (orphans, messages) == (0, number + 1)
    assert number > LEAST_CALLS
