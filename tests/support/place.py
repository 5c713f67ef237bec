"""A place for a store of either engine, so that a test can open it, and open it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.postgresql import Database

from gateway.store.database import Store
from gateway.store.engines import PostgresqlEngine, SqliteEngine, StoreEngine
from gateway.store.opening import KEY_NAME, open_on


@dataclass(frozen=True)
class Place:
    """Where a store lies: its folder, and its database if it has one."""

    folder: Path
    database: Database | None

    def engine(self, node: str = "test-1") -> StoreEngine:
        """What opens it, as a daemon of that node."""
        if self.database is None:
            return SqliteEngine(self.folder / "tocsin.db")
        return PostgresqlEngine(self.database.url, None, node)

    def open(self, node: str = "test-1") -> Store:
        """Open the store, for the first time or again."""
        return open_on(self.engine(node), self.folder / KEY_NAME)
