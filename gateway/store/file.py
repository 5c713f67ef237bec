"""A connection with a SQLite file, as statements of the hot path ask for it; `trips` is its like for a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


class File(sqlite3.Connection):
    """Nothing is gained by putting a statement off: there is no trip to a file."""

    ask = sqlite3.Connection.execute
    later = sqlite3.Connection.execute
    many = sqlite3.Connection.executemany
    later_many = sqlite3.Connection.executemany

    def together(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[sqlite3.Cursor]:
        """One after the other."""
        return [self.execute(query, values) for query, values in asked]
