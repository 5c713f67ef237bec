"""A connection with a SQLite file, as statements of the hot path ask for it; `trips` is its like for a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


class File(sqlite3.Connection):
    """Nothing is gained by putting a statement off: there is no trip to a file."""

    def later(self, query: str, values: Sequence[Any] = ()) -> None:
        """Run it now."""
        self.execute(query, values)

    def later_many(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run it now, once for each of `rows`."""
        cursor = self.cursor()
        cursor.executemany(query, rows)
        cursor.close()

    def together(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[sqlite3.Cursor]:
        """One after the other."""
        return [self.execute(query, values) for query, values in asked]
