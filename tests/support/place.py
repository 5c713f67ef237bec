"""A place for a store of either engine, so that a test can open it, and open it again."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from support.postgresql import Database

from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine, SqliteEngine, StoreEngine
from gateway.store.opening import KEY_NAME, open_on

FILE_NAME = "tocsin.db"


@dataclass(frozen=True)
class Place:
    """Where a store lies: its folder, and its database if it has one."""

    folder: Path
    database: Database | None

    def engine(self, node: str = "test-1") -> StoreEngine:
        """What opens it, as a daemon of that node."""
        if self.database is None:
            return SqliteEngine(self.folder / FILE_NAME)
        return PostgresqlEngine(self.database.url, None, node)

    def open(self, node: str = "test-1") -> Store:
        """Open the store, for the first time or again."""
        return open_on(self.engine(node), self.folder / KEY_NAME)


@dataclass(frozen=True)
class Blank:
    """An empty SQLite store with all its tables, of which tests take copies: migrating takes longer than they do."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Blank:
        """Make it in an empty folder."""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(Place(folder, None).open().close())
        loop.close()
        assert sorted(path.name for path in folder.iterdir()) == [KEY_NAME, FILE_NAME], "nothing may be left in a WAL"
        return cls(folder)

    def copy_to(self, folder: Path) -> None:
        """Put the store and the key of its numbers there."""
        for name in (KEY_NAME, FILE_NAME):
            shutil.copy(self.folder / name, folder / name)
