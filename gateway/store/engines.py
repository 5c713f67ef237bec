"""The two databases, and everything in which they differ: one file, so that the rest of the store is written once.

An engine opens connections with the settings that the promises need and refuses those that would break them, says what
an error means, keeps a second daemon away, and can tell whether a commit whose answer was lost took place.

SQLite has one writer, who starts its transactions as such; nobody else is there to wait for. On PostgreSQL several
hosts write: what is claimed is locked first (`is_shared`), and a transaction carries the server's number for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from gateway.errors import NodeTaken, StorageFull, Unavailable
from gateway.store import server_settings
from gateway.store.engine import READERS, StoreEngine, StoreUnusable, full, number_of, unreachable
from gateway.store.file import File
from gateway.store.server_settings import TripLimits, refuse_unsafe

if TYPE_CHECKING:
    from gateway.store.trips import Session

#: INSERT with `on_conflict_do_nothing`: the clause is the same text in both, and either compiler takes this object.
insert = postgresql.insert


def is_shared(connection: Connection) -> bool:
    """Whether others may write at the same time, so that what is claimed must be locked first."""
    return connection.dialect.name == "postgresql"


class SqliteEngine(StoreEngine):
    """A file of this host. The lock of its folder keeps others away."""

    # The file can take no more for the moment: the caller may come again, nothing is broken.
    _BUSY = ("database is locked", "database table is locked", "database schema is locked")
    _FULL = ("database or disk is full", "readonly database", "disk I/O error", "unable to open database file")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None
        self.place = str(path)

    def writing(self) -> Engine:
        """The one writing connection; it alone may checkpoint the log."""
        engine = self._engine()
        event.listen(engine, "connect", _prepare_sqlite_writer)
        # The driver opens transactions by itself, late and deferred; ours start at once, as writers.
        event.listen(engine, "begin", _begin_immediate)
        return engine

    def reading(self) -> Engine:
        """Readers beside the writer; they do not wait for each other."""
        engine = self._engine(pool_size=READERS)
        event.listen(engine, "connect", _prepare_sqlite_reader)
        event.listen(engine, "begin", _begin_deferred)
        return engine

    def beside(self) -> Engine:
        """A second connection, which never checkpoints."""
        if not self._path.is_file():
            raise StoreUnusable(f"there is no store at {self._path}")
        engine = self.writing()
        event.listen(engine, "connect", _never_checkpoint)
        event.listen(engine, "connect", _wait_briefly)
        return engine

    def _engine(self, *, factory: type[File] = File, pool_size: int = 1) -> Engine:
        connect = {"check_same_thread": False, "timeout": 10, "factory": factory}
        # An error that repeats its parameters would put texts of people into a log.
        return create_engine(f"sqlite:///{self._path}", connect_args=connect, hide_parameters=True, pool_size=pool_size)

    def check(self, connection: Connection) -> None:
        """Write-ahead log, flushed at every commit."""
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        connection.rollback()
        if (journal, synchronous) != ("wal", 2):
            raise StoreUnusable(
                f"the store's file system gives journal_mode {journal} and synchronous {synchronous}; "
                "write-ahead logging with full flushing is needed (is the state directory on a network share?)"
            )

    def translate(self, error: Exception) -> Exception:
        """What the disk refused becomes `StorageFull`."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, sqlite3.OperationalError) and any(phrase in str(cause) for phrase in self._FULL):
            return full()
        if isinstance(cause, sqlite3.OperationalError) and any(phrase in str(cause) for phrase in self._BUSY):
            return Unavailable("store_busy", "another program holds the store; try again", retry_after_s=5)
        return error

    def in_transaction(self, connection: Connection) -> bool:
        """On a full disk SQLite may have rolled the whole transaction back by itself."""
        return _file(connection).in_transaction

    def absence(self) -> StorageFull | None:
        """The file has to be where the next start will look for it; what is written elsewhere would be lost."""
        if self._opened is None or _identity(self._path) == self._opened:
            return None
        return StorageFull("store_gone", "the store's file was removed or replaced", retry_after_s=60)

    def seal(self) -> None:
        """Numbers and texts are for their owner alone."""
        self._path.chmod(0o600)
        self._opened = _identity(self._path)


class PostgresqlEngine(StoreEngine):
    """A database that hosts may share. The session that writes holds an advisory lock on the name of its node."""

    shared = True
    # "Toc", the half of our advisory locks' names that says whose they are.
    _OURS = 0x546F63
    _MIGRATING = 0
    _END_OLD_MS = 2000

    def __init__(self, url: str, password: str | None, node: str, limits: TripLimits | None = None) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra: who stays with SQLite does without

            from gateway.store import trips  # noqa: PLC0415 - as above
        except ImportError as error:
            raise StoreUnusable(
                f"PostgreSQL needs the extra postgresql: pip install 'tocsin[postgresql]' ({error})"
            ) from None
        self._psycopg = psycopg
        self._session = trips.Session
        # The password is an argument of its own, so that no text made of the URL can show it.
        self._url = make_url(url).set(drivername="postgresql+psycopg", password=None)
        self._password = password
        self._node = node
        self._number_of_node = number_of(node)
        self._limits = limits or server_settings.LIMITS
        self.doubt_s = self._limits.doubt_s
        #: Process and start of the session that held the node last.
        self._held: tuple[Any, ...] | None = None
        self.place = f"{self._url.host or self._url.query.get('host') or 'localhost'}/{self._url.database}"

    def writing(self) -> Engine:
        """One connection that writes; each transaction knows the server's number for it."""
        engine = self._engine(pool_size=1)
        event.listen(engine, "begin", _begin_numbered)
        return engine

    def reading(self) -> Engine:
        """Read-only sessions; a transaction sees one state."""
        engine = self._engine(pool_size=READERS)
        event.listen(engine, "begin", _begin_snapshot)
        return engine

    def beside(self) -> Engine:
        """Any session may write."""
        return self.writing()

    def _engine(self, *, pool_size: int) -> Engine:
        engine = create_engine(
            self._url,
            paramstyle="format",
            pool_size=pool_size,
            max_overflow=0,
            creator=self._connect,
            hide_parameters=True,
        )
        # What may be asked of the driver before the first connection: its arguments of this URL.
        self._arguments = dict(engine.dialect.create_connect_args(self._url)[1])
        return engine

    def _connect(self) -> Session:
        """A connection, with the settings that ours have."""
        options = " ".join(f"-c {name}={value}" for name, value in server_settings.OF_SESSION)
        arguments: dict[str, Any] = {**self._arguments, **server_settings.OF_CONNECTION}
        arguments["connect_timeout"] = self._limits.connect_s
        arguments["client_encoding"] = "UTF8"
        if self._password is not None:
            arguments["password"] = self._password
        session = self._session.connect(**arguments, options=options, application_name=f"tocsin {self._node}")
        session.prepare_for_us(self._limits.trip_s)
        return session

    def check(self, connection: Connection) -> None:
        """Flushed commits, whole pages, a server that takes writes, text in UTF-8."""
        raw = _postgresql(connection)
        safe = refuse_unsafe(lambda query: _one(raw, query), raw.info.server_version, self.place)
        # What was found safe stays so for this session, whatever the server is told while it lasts.
        raw.execute("SELECT set_config('synchronous_commit', %s, false)", (safe,))

    def hold(self, connection: Connection) -> None:
        """Take the node's lock; a session of our own that was cut off may still have it and is ended."""
        raw = _postgresql(connection)
        lock = (self._OURS, self._number_of_node)
        if not _one(raw, "SELECT pg_try_advisory_lock(%s::int, %s::int)", lock):
            if self._held is not None:
                end = "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
                raw.execute(end, (self._END_OLD_MS, *self._held))
            self._wait_for(raw, lock)
        me = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        self._held = raw.execute(me).fetchone()

    def _wait_for(self, raw: Session, lock: tuple[int, int]) -> None:
        """The server takes a moment to notice that a daemon has ended."""
        raw.execute("SELECT set_config('lock_timeout', %s, false)", (f"{self._END_OLD_MS}ms",))
        try:
            raw.execute("SELECT pg_advisory_lock(%s::int, %s::int)", lock)
        except self._psycopg.errors.LockNotAvailable:
            raise NodeTaken(
                f"another daemon of node {self._node} works on {self.place}: "
                "stop that one, or give this host a name of its own ([gateway] node)"
            ) from None
        raw.execute("RESET lock_timeout")

    @contextmanager
    def alone(self, connection: Connection) -> Generator[None]:
        """Wait for another host that opens the same database; a migration may take its time."""
        raw = _postgresql(connection)
        limit_s, raw.limit_s = raw.limit_s, None
        raw.execute("SET statement_timeout = 0")
        raw.execute("SET lock_timeout = 0")
        raw.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (self._OURS, self._MIGRATING))
        try:
            yield
        finally:
            if not raw.closed:
                raw.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", (self._OURS, self._MIGRATING))
                raw.execute("RESET statement_timeout")
                raw.execute("RESET lock_timeout")
                raw.limit_s = limit_s

    def translate(self, error: Exception) -> Exception:
        """A full disk, a lost connection, a lock that was not given: come again."""
        errors = self._psycopg.errors
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, errors.DiskFull):
            return full()
        if isinstance(cause, self._psycopg.Error) and cause.sqlstate == _NO_LEASE:
            return Unavailable("lease_lost", "this host has been silent for too long; it takes its place again")
        if isinstance(cause, errors.DeadlockDetected | errors.LockNotAvailable | errors.QueryCanceled):
            return Unavailable("store_busy", "the database is busy; nothing was stored", retry_after_s=1)
        if isinstance(cause, self._psycopg.Error) and cause.diag.message_primary:
            # Its second line repeats what was to be written: numbers and texts of people.
            cause.args = error.args = (cause.diag.message_primary,)
        gone = (self._psycopg.OperationalError, self._psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout)
        return unreachable() if isinstance(cause, gone) else error

    def collided(self, error: BaseException) -> bool:
        """The victim of a deadlock, a key that another host wrote first, a lock that was not given in time."""
        errors = self._psycopg.errors
        cause = error.orig if isinstance(error, DBAPIError) else error
        return isinstance(cause, errors.DeadlockDetected | errors.UniqueViolation | errors.LockNotAvailable)

    def listening(self) -> Session:
        """A session that only listens."""
        session = self._connect()
        session.execute("LISTEN tocsin")
        return session

    @property
    def own_process(self) -> int | None:
        """Of the session that holds the node."""
        return self._held[0] if self._held else None

    def in_transaction(self, connection: Connection) -> bool:
        """A failed statement leaves the transaction to be rolled back to a savepoint; a lost connection nothing."""
        raw = _postgresql(connection)
        status = self._psycopg.pq.TransactionStatus
        return not raw.closed and (raw.begins or raw.info.transaction_status in {status.INTRANS, status.INERROR})

    def is_lost(self, connection: Connection, error: BaseException) -> bool:
        """What the server said no to has a code; without one, or with its last words, nobody knows what it did."""
        if connection.closed or connection.invalidated or _postgresql(connection).closed:
            return True
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, self._psycopg.OperationalError | self._psycopg.InterfaceError):
            return cause.sqlstate is None or cause.sqlstate[:3] in _LAST_WORDS
        return isinstance(cause, self._psycopg.errors.IdleInTransactionSessionTimeout)

    def ticket(self, connection: Connection) -> str | None:
        """The server's number of the transaction."""
        return _postgresql(connection).known_number()

    def was_committed(self, connection: Connection, ticket: str | None) -> bool | None:
        """Ask the server. The session that committed is gone: this connection has its lock.

        What it has committed may not have reached the standby that its commits wait for: one that comes later has to.
        """
        raw = _postgresql(connection)
        try:
            status = _one(raw, "SELECT pg_xact_status(%s::xid8)", (ticket,))
        except self._psycopg.errors.InvalidParameterValue:
            # A number of the future: a standby took over that never heard of it.
            return False
        if status == "in progress":
            raise unreachable()
        if status == "committed":
            raw.execute("SELECT pg_logical_emit_message(true, 'tocsin', '')")
        return None if status is None else status == "committed"


_NO_LEASE = "TS001"  # as `tocsin_fence` of the schema says it
_LAST_WORDS = frozenset({"57P", "080"})  # shutdown, crash, starting up; the connection itself


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(connection: Connection) -> Session:
    return connection.connection.driver_connection  # type: ignore[return-value]


def _one(raw: Session, sql: Any, values: tuple[Any, ...] | None = None) -> Any:
    row = raw.execute(sql, values).fetchone()
    return None if row is None else row[0]


def _begin_immediate(connection: Connection) -> None:
    _file(connection).execute("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    _file(connection).execute("BEGIN")


def _file(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection: going through SQLAlchemy costs more than beginning does."""
    return connection.connection.driver_connection  # type: ignore[return-value]


def _begin_numbered(connection: Connection) -> None:
    """The number costs no flush where nothing is written."""
    _postgresql(connection).begin_numbered()


def _begin_snapshot(connection: Connection) -> None:
    _postgresql(connection).begin_reading()


def _prepare_sqlite_writer(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _prepare_sqlite_reader(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA query_only = ON")
    _never_checkpoint(raw, _record)


def _never_checkpoint(raw: sqlite3.Connection, _record: object) -> None:
    raw.execute("PRAGMA wal_autocheckpoint = 0")


def _wait_briefly(raw: sqlite3.Connection, _record: object) -> None:
    """Longer than any commit takes, and not longer than somebody in a hurry waits."""
    raw.execute("PRAGMA busy_timeout = 5000")
