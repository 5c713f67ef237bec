"""A look at a store from outside, on both engines: it changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

from support.place import Place
from support.postgresql import Database
from support.settings import settings_in

from gateway.config.settings import Settings, StoreSettings
from gateway.store import migrations
from gateway.store.inspection import look_at


def at_server(folder: Path, url: str) -> Settings:
    return replace(settings_in(folder), store=StoreSettings(url))


def test_a_file_that_is_not_made_yet_is_not_made(tmp_path: Path) -> None:
    look = look_at(settings_in(tmp_path))
    assert (look.revision, look.problem, look.current) == (None, None, False)
    assert not [*tmp_path.iterdir()]


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "tocsin.db").write_bytes(b"no database at all, and that for longer than any header" * 40)
    assert look_at(settings_in(tmp_path)).problem == "file is not a database"


async def test_a_file(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    store = Place(tmp_path, None).open()
    look = look_at(settings)
    assert (look.revision, look.problem, look.current) == (migrations.HEAD, None, True), "also beside a daemon"
    await store.close()
    connection = sqlite3.connect(tmp_path / "tocsin.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    look = look_at(settings)
    assert (look.revision, look.current) == ("0001", False)


async def test_a_server(tmp_path: Path, postgresql_database: Database) -> None:
    settings = at_server(tmp_path, postgresql_database.url)
    look = await asyncio.to_thread(look_at, settings)
    assert (look.revision, look.problem, look.current) == (migrations.HEAD, None, True)
    empty = at_server(tmp_path, postgresql_database.server.url("postgres"))
    look = await asyncio.to_thread(look_at, empty)
    assert (look.revision, look.problem) == (None, None)
    gone = at_server(tmp_path, postgresql_database.server.url("not_there"))
    look = await asyncio.to_thread(look_at, gone)
    assert 'database "not_there" does not exist' in (look.problem or "")
