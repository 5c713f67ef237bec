"""The same on PostgreSQL, where a plan is made once: what is sent costs no walk through what was sent before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.postgresql import Database

from bench.filling import Works, fill_open, settings_in, works_on
from bench.rows.gate import PORTS, passages
from gateway.store.opening import KEY_NAME, open_configured

PARTS = 60
#: The server's own checks are planned by the server.
FEW = 5
#: Tables that grow with each part that is sent.
GROWING = ("attempt", "event", "message", "part", "recipient")


@pytest.fixture
async def works(postgresql_database: Database, tmp_path: Path) -> AsyncIterator[Works]:
    settings = settings_in(tmp_path, PORTS, url=postgresql_database.url)
    (settings.gateway.state_dir / KEY_NAME).write_bytes(postgresql_database.key)
    store = open_configured(settings)
    yield await works_on(settings, store)
    await store.close()


def _read_through(connection: Connection) -> dict[str, int]:
    """How many rows of each table were read without an index, by everybody and ever."""
    connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
    rows = connection.exec_driver_sql("SELECT relname, seq_tup_read FROM pg_stat_user_tables").all()
    return {name: count for name, count in rows if name in GROWING}


async def test_plans_that_were_made_while_the_tables_were_empty_do_not_read_them_through(works: Works) -> None:
    await fill_open(works, queued=PARTS + 30)
    # The plans are made: the tables held a message or none.
    await passages(works, 20)
    before = await works.store.write(_read_through)
    await works.store.write(lambda _connection: None)
    times = await passages(works, PARTS)
    assert len(times.inside) >= PARTS // 2
    after = await works.store.write(_read_through)
    assert {name: count for name in GROWING if (count := after[name] - before[name]) > FEW} == {}
