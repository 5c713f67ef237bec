"""A real store, once on SQLite in a temporary folder and once on PostgreSQL, and a bench over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.place import Blank, Place
from support.postgresql import Database
from support.settings import settings_in

from gateway.store.database import Store
from gateway.store.opening import KEY_NAME


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        blank: Blank = request.getfixturevalue("blank")
        blank.copy_to(tmp_path)
        return Place(tmp_path, None)
    database: Database = request.getfixturevalue("postgresql_database")
    (tmp_path / KEY_NAME).write_bytes(database.key)
    return Place(tmp_path, database)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    opened = place.open()
    yield opened
    await opened.close()


@pytest.fixture
async def bench(tmp_path: Path, store: Store, clock: ManualClock) -> Bench:
    return await make_bench(settings_in(tmp_path), store, clock)
