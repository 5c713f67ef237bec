"""How a database would run a statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gateway.store.prepared import Prepared


def explained(connection: Connection, statement: Prepared, named: dict[str, Any]) -> str:
    """How the engine would run it, where it may not read whole tables for being small."""
    text = statement._text(connection.dialect)
    raw = connection.connection.driver_connection
    assert raw is not None
    how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    if how == "EXPLAIN":
        raw.execute("SET LOCAL enable_seqscan = off")
    return "\n".join(str(row[-1]) for row in raw.execute(f"{how} {text.sql}", text.arguments(named)))
