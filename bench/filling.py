"""A store full of messages, made fast: one message goes the real way, and SQL copies its rows.

So each copy has every column as the gateway itself writes it, in whatever schema this version has. Indexes are taken
away while rows come in, and put back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bench import postgresql
from bench.processes import NODE, write_config
from bench.wire import TEXT
from gateway.clock import SystemClock
from gateway.config.loader import load_settings
from gateway.config.settings import Settings
from gateway.ids import IdSource
from gateway.message import PartEvent
from gateway.outbound.gate import Gate
from gateway.outbound.intake import Intake
from gateway.requests import NewMessage, NewToken, Principal
from gateway.store import tokens
from gateway.store.database import Store
from gateway.store.opening import open_configured
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts

# Recipients are shared by so many messages: a person is not written to once in a life.
_EACH = 4
_FIRST_NUMBER = 33_700_000_000
MODEM = ModemFacts("modem0", NODE, simulated=False, imei="1", iccid="8933", takes_test=False, takes_live=True)


@dataclass(frozen=True, slots=True)
class Works:
    """What moves messages by hand over an open store."""

    store: Store
    intake: Intake
    gate: Gate
    clock: SystemClock
    principal: Principal


async def works_on(settings: Settings, store: Store) -> Works:
    """Intake and gate, with a token of their own."""
    clock = SystemClock()
    view = await store.write(
        lambda connection: tokens.add(connection, NewToken("bench", ("send",)), b"\0" * 32, clock.now_us())
    )
    assert view is not None
    principal = Principal(view.id, view.name, frozenset(view.scopes))
    intake = Intake(settings, store, clock, IdSource(clock))
    gate = Gate(settings)
    return Works(store, intake, gate, clock, principal)


def settings_in(folder: Path, ports: Mapping[str, str], *, url: str | None = None) -> Settings:
    """Settings of a gateway in `folder`, whose store lies in `folder/state` or at `url`."""
    settings = load_settings(write_config(folder, ports, url=url), {})
    settings.gateway.state_dir.mkdir(parents=True, exist_ok=True)
    return settings


async def fill(
    folder: Path, ports: Mapping[str, str], *, queued: int, finished: int = 0, url: str | None = None
) -> None:
    """Make a store in `folder/state`, or at `url`, with so many messages that are due, and so many that were sent."""
    settings = settings_in(folder, ports, url=url)
    store = await asyncio.to_thread(open_configured, settings)
    try:
        await fill_open(await works_on(settings, store), queued=queued, finished=finished)
    finally:
        await store.close()


async def fill_open(works: Works, *, queued: int, finished: int = 0, send_us: int | None = None) -> None:
    """The same in a store that is open. What is queued is to leave at `send_us`."""
    await finish(works, finished, _FIRST_NUMBER)
    if queued:
        waits = await works.intake.accept(works.principal, NewMessage("+33612340002", TEXT, send_us=send_us))
        first = _FIRST_NUMBER + finished // _EACH + 1
        # One of those that wait is the pattern itself. To each number goes one: only then is none in another's way.
        await works.store.write(
            lambda connection: _copies(connection, works.store, waits.id, queued - 1, first, each=1)
        )
    await works.store.write(lambda connection: connection.exec_driver_sql("ANALYZE") and None)


async def finish(
    works: Works, count: int, first_number: int, *, each: int = _EACH, category: str | None = None
) -> None:
    """So many messages that were sent, and one more: `each` to a person, whose numbers are one after the other."""
    done = await works.intake.accept(works.principal, NewMessage("+33612340001", TEXT, category))
    await _send_one(works)
    await works.store.write(
        lambda connection: _copies(connection, works.store, done.id, count, first_number, each=each)
    )


async def _send_one(works: Works) -> None:
    def work(connection: Connection) -> None:
        marked = works.gate.next(connection, MODEM, works.clock.now_us())
        assert marked is not None, "what was accepted can be sent"
        sent = Outcome(marked.attempt_id, PartEvent.ACCEPTED, tp_mr=1)
        works.gate.settle(connection, sent, MODEM.name, works.clock.now_us())

    await works.store.write(work)


def _copies(
    connection: Connection, store: Store, message_id: str, count: int, first_number: int, *, each: int = _EACH
) -> None:
    if count <= 0:
        return
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        postgresql.copies(connection, store, message_id, count, first_number, each=each)
        return
    raw.create_function("fingerprint", 1, store.fingerprint, deterministic=True)
    indexes = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    # Below some size putting them back costs more than keeping them.
    indexes = indexes if count > 5000 else []
    for name, _ in indexes:
        raw.execute(f'DROP INDEX "{name}"')
    _copy_rows(raw, message_id, count, first_number, each)
    for _, sql in indexes:
        raw.execute(sql)


def _copy_rows(raw: sqlite3.Connection, message_id: str, count: int, first_number: int, each: int) -> None:
    (person,) = raw.execute("SELECT recipient_id FROM message WHERE id = ?", [message_id]).fetchone()
    (last,) = raw.execute("SELECT max(id) FROM recipient").fetchone()
    number = f"'+' || ({first_number} + n)"
    people = {"id": f"{last} + n", "number": number, "lookup": f"fingerprint({number})"}
    _copy(raw, "recipient", ("id", person), -(-count // each), people)
    # The place of a copy among ids that sort by time: behind its pattern's.
    copied = f"'{message_id[:20]}' || printf('%012x', n)"
    of_person = f"{last} + 1 + (n - 1) / {each}"
    _copy(raw, "message", ("id", message_id), count, {"id": copied, "recipient_id": of_person})
    _copy(raw, "part", ("message_id", message_id), count, {"message_id": copied})
    for table in ("attempt", "event"):
        _copy(raw, table, ("message_id", message_id), count, {"id": None, "message_id": copied})


def _copy(
    raw: sqlite3.Connection, table: str, pattern: tuple[str, object], count: int, new: Mapping[str, str | None]
) -> None:
    """Each row that has this value in this column `count` times.

    `new` says which columns become what, where n counts from 1; SQLite numbers a column that becomes None.
    """
    column, value = pattern
    columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
    kept = [each for each in columns if new.get(each, "") is not None]
    values = ", ".join(f"({new[each]})" if each in new else f"pattern.{each}" for each in kept)
    raw.execute(
        f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?) "
        f"INSERT INTO {table} ({', '.join(kept)}) "
        f"SELECT {values} FROM copy, (SELECT * FROM {table} WHERE {column} = ?) AS pattern",
        [count, value],
    )
