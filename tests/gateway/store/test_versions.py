"""Old and new schemas (D20): a newer one is refused and left as it is, an older one is brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from support.place import Place

from gateway.store import migrations
from gateway.store.engines import SqliteEngine, StoreUnusable
from gateway.store.opening import KEY_NAME, open_store, write_secret


def _run(place: Place, statement: str) -> None:
    if place.database is not None:
        place.database.run(statement)
        return
    raw = sqlite3.connect(place.folder / "tocsin.db")
    raw.execute(statement)
    raw.commit()
    raw.close()


async def test_d20_the_schema_of_a_newer_version_is_refused(place: Place, tell: Callable[[str], None]) -> None:
    await place.open().close()
    version = "UPDATE alembic_version SET version_num = '{}'"
    _run(place, version.format("9999"))
    try:
        with pytest.raises(StoreUnusable, match="newer version"):
            place.open()
    finally:
        _run(place, version.format(migrations.HEAD))
    await place.open().close()
    where = "SQLite" if place.database is None else "PostgreSQL"
    tell(f"D20: {where}, a store of a newer version: refused, and opened by its own version afterwards")


def _make_first(path: Path) -> None:
    """A store as the first version made it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = SqliteEngine(path).writing()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with connection.begin():
            command.upgrade(config, "0001")
            connection.exec_driver_sql("INSERT INTO meta VALUES ('kept', 'as it was')")
    engine.dispose()


async def test_d20_the_schema_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    path = tmp_path / "tocsin.db"
    _make_first(path)
    write_secret(tmp_path / KEY_NAME, b"k" * 32)
    await open_store(path).close()
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrations.HEAD,)]
    assert raw.execute("SELECT value FROM meta WHERE key = 'kept'").fetchall() == [("as it was",)]
    raw.close()
    tell(f"D20: SQLite, a store of version 0001: brought to {migrations.HEAD} with what was in it")
