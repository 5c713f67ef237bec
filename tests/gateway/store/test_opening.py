"""Opening a store: lock, key, migrations, and refusals with a sentence."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event

from gateway.errors import StoreInUse
from gateway.store import migrations
from gateway.store.engines import SqliteEngine
from gateway.store.opening import KEY_NAME, StoreLock, StoreUnusable, holder_of, open_on, open_store
from gateway.store.schema import metadata


async def opened_and_closed(path: Path) -> None:
    await open_store(path).close()


async def test_migrations_lead_to_the_schema(tmp_path: Path) -> None:
    await opened_and_closed(tmp_path / "tocsin.db")
    engine = create_engine(f"sqlite:///{tmp_path}/tocsin.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    engine.dispose()
    assert revision == migrations.HEAD


async def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    await opened_and_closed(tmp_path / "tocsin.db")
    for name in ("tocsin.db", KEY_NAME):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


async def test_a_missing_a_foreign_and_a_torn_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tocsin.db"
    await opened_and_closed(path)
    key = (tmp_path / KEY_NAME).read_bytes()
    for wrong, sentence in ((None, "missing"), (b"x" * 32, "not the key"), (key[:5], "damaged")):
        (tmp_path / KEY_NAME).unlink()
        if wrong is not None:
            (tmp_path / KEY_NAME).write_bytes(wrong)
        with pytest.raises(StoreUnusable, match=sentence):
            open_store(path)
        (tmp_path / KEY_NAME).write_bytes(key)
    await opened_and_closed(path)


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tocsin.db"
    await opened_and_closed(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreUnusable, match="newer version"):
        open_store(path)


async def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tocsin.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        open_store(path)


@pytest.mark.parametrize(
    "damage", [(b"CREATE TABLE token (", b"CREATE \xff\xfeBLE token ("), (b"SQLite format", b"SQLite farmat")]
)
async def test_p08_a_damaged_store_is_refused_with_a_sentence(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    path = tmp_path / "tocsin.db"
    await opened_and_closed(path)
    content = path.read_bytes()
    assert content.count(damage[0]) == 1
    path.write_bytes(content.replace(*damage))
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        open_store(path)
    assert path.read_bytes() == content.replace(*damage), "what is damaged is left to whoever repairs it"


class Hasty(SqliteEngine):
    """Flushes at checkpoints alone."""

    def writing(self) -> Engine:
        engine = super().writing()
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = NORMAL"))
        return engine


def test_p03_a_file_whose_commits_are_not_flushed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="synchronous 1; write-ahead logging with full flushing is needed"):
        open_on(Hasty(tmp_path / "tocsin.db"), tmp_path / KEY_NAME)


async def test_one_process_holds_the_lock_and_says_where_it_listens(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    lock = StoreLock(tmp_path)
    lock.acquire()
    assert holder_of(tmp_path) is not None
    lock.publish("http://127.0.0.1:7672")
    holder = holder_of(tmp_path)
    assert holder is not None
    assert holder["url"] == "http://127.0.0.1:7672"
    with pytest.raises(StoreInUse):
        StoreLock(tmp_path).acquire()
    lock.release()
    assert holder_of(tmp_path) is None


def test_the_lock_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from gateway.store.opening import StoreLock\n"
        "StoreLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    lock = StoreLock(tmp_path)
    lock.acquire()
    lock.release()
