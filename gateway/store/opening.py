"""Opening a store: the lock that says who holds it, the key of its numbers, its migrations, its settings.

The state directory holds `tocsin.lock`, `lookup.key` and, on SQLite, `tocsin.db`. The lock is the kernel's: it goes
with its process, however that ends. Its text says where the holder listens, for commands that must go through it. Hosts
that share a PostgreSQL database share its key too, each in a file of its own: it never stands in the database.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError

from gateway.config.settings import Settings
from gateway.errors import StoreInUse
from gateway.store import events, locks, migrations
from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine, SqliteEngine, StoreEngine, StoreUnusable, insert
from gateway.store.link import Link
from gateway.store.schema import meta

LOCK_NAME = "tocsin.lock"
KEY_NAME = "lookup.key"
_KEY_BYTES = 32


class StoreLock:
    """Held by the one process that may write the store."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `StoreInUse`."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnusable(f"the state directory {self._path.parent} cannot be used: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreInUse(f"another process holds {self._path}") from None
        self._descriptor = descriptor
        self._write({"pid": os.getpid()})

    def publish(self, url: str) -> None:
        """Tell other processes where the holder listens."""
        self._write({"pid": os.getpid(), "url": url})

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, holder: dict[str, object]) -> None:
        assert self._descriptor is not None
        text = json.dumps(holder).encode() + b"\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)


def holder_of(state_dir: Path) -> dict[str, object] | None:
    """What the process that holds the lock says of itself; None when nobody holds it."""
    try:
        descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(os.pread(descriptor, 4096, 0))
    finally:
        os.close(descriptor)
    return None


def _holder(text: bytes) -> dict[str, object]:
    """An empty or torn text is a holder that has not said more yet."""
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {}


def open_store(path: Path) -> Store:
    """Open the SQLite store at `path`, whose folder's lock the caller holds; brings its schema up to date.

    Raises `StoreUnusable` with a sentence for the operator.
    """
    return open_on(SqliteEngine(path), path.parent / KEY_NAME)


def engine_of(settings: Settings) -> StoreEngine:
    """What reaches the store of `[store]`."""
    store = settings.store
    if store.path is not None:
        return SqliteEngine(store.path)
    return PostgresqlEngine(store.url, store.password, settings.gateway.node)


def open_configured(settings: Settings) -> Store:
    """Open the store of `[store]`; the caller holds the lock of the state directory. Errors as `open_on`."""
    folder = settings.gateway.state_dir if settings.store.path is None else settings.store.path.parent
    return open_on(engine_of(settings), folder / KEY_NAME)


def open_on(engine: StoreEngine, key_file: Path) -> Store:
    """Open the store that `engine` reaches, with the key in `key_file`; brings its schema up to date.

    Raises `StoreUnusable` with a sentence for the operator, or `StoreInUse` while another daemon of this node works.
    """
    link = Link(engine)
    try:
        connection = link.open()
        with engine.alone(connection):
            key = _prepare(connection, key_file)
        link.revision = migrations.HEAD
        engine.seal()
    except (DBAPIError, OSError, UnicodeDecodeError) as error:
        link.close()
        raise StoreUnusable(f"the store {engine.place} cannot be opened: {_cause_of(error)}") from None
    except BaseException:
        link.close()
        raise
    return Store(link, key)


def _cause_of(error: DBAPIError | OSError | UnicodeDecodeError) -> str | None:
    if isinstance(error, UnicodeDecodeError):
        # Names of tables are ASCII: its message would repeat whatever stands there instead.
        return "it is damaged"
    return str(error.orig).strip() if isinstance(error, DBAPIError) else error.strerror


def _prepare(connection: Connection, key_file: Path) -> bytes:
    """Migrate the store, and return the key of its numbers."""
    key = _lookup_key(key_file, fresh=not _has_tables(connection))
    _migrate(connection)
    _check_key(connection, key)
    with connection.begin():
        events.begin_anew(connection)
    return key


def _has_tables(connection: Connection) -> bool:
    present = meta.name in inspect(connection).get_table_names()
    connection.rollback()
    return present


def _lookup_key(path: Path, *, fresh: bool) -> bytes:
    """The key of the numbers' hashes; made once, with the store. Losing it would forget every opt-out."""
    if path.exists():
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise StoreUnusable(f"{path} is damaged: {_KEY_BYTES} bytes are expected; restore it from a backup")
        return key
    if not fresh:
        raise StoreUnusable(
            f"{path} is missing: without it no opt-out is recognised; "
            "restore it from a backup, or copy it from another host of the same database"
        )
    key = secrets.token_bytes(_KEY_BYTES)
    write_secret(path, key)
    return key


def _check_key(connection: Connection, key: bytes) -> None:
    """The store remembers which key it was made with."""
    key_id = hashlib.sha256(b"tocsin lookup key" + key).hexdigest()[:16]
    with connection.begin():
        connection.execute(insert(meta).values(key="lookup_key_id", value=key_id).on_conflict_do_nothing())
        known = connection.execute(select(meta.c.value).where(meta.c.key == "lookup_key_id")).scalar_one()
    if known != key_id:
        raise StoreUnusable(f"{KEY_NAME} is not the key this store was made with; restore the right one")


def _migrate(connection: Connection) -> None:
    """Bring the schema to the head of this version; a newer one is refused."""
    present = _revision(connection)
    if present == migrations.HEAD:
        return
    others = locks.other_daemons(connection)
    connection.rollback()
    if present is not None and others:
        raise StoreUnusable(
            "other hosts work on this database with another version of Tocsin: "
            "stop all of them, then start them with one version"
        )
    from alembic import command  # noqa: PLC0415 - a fifth of a start that seldom has anything to migrate
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    with connection.begin():
        try:
            command.upgrade(config, "head")
        except command.util.CommandError as error:
            raise StoreUnusable(f"the store was written by a newer version of Tocsin: {error}") from None


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    revision = None
    if "alembic_version" in tables:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    connection.rollback()
    return revision


def write_secret(path: Path, content: bytes) -> None:
    """Write a file only its owner can read, whole or not at all, and flush it."""
    scratch = path.with_name(path.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    scratch.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
