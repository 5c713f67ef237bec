"""Matching by time costs what is uncertain or waiting, never what is finished."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from gateway.store import answered, reports
from gateway.store.database import Store
from gateway.store.prepared import Prepared


@pytest.mark.parametrize("people", [1, 30])
async def test_what_people_were_sent_last_is_found_by_index(store: Store, people: int) -> None:
    """However much was sent to anybody."""
    statement, named = answered._of_people._filled(list(range(people)))

    def plan(connection: Connection) -> str:
        text = statement._text(connection.dialect)
        raw = connection.connection.driver_connection
        assert raw is not None
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        if how == "EXPLAIN":
            raw.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(str(row[-1]) for row in raw.execute(f"{how} {text.sql}", text.arguments(named)))

    found = await store.read(plan)
    assert "ix_message_recipient" in found
    assert "SCAN message" not in found
    assert "Seq Scan on message" not in found


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (reports._uncertain, "ix_attempt_uncertain"),
        (reports._under_way, "ix_attempt_open"),
        (reports._waiting_by_time, "ix_report_waiting"),
    ],
    ids=["uncertain parts", "parts under way", "waiting reports"],
)
async def test_each_has_an_index_of_its_own(store: Store, statement: Prepared, index: str) -> None:
    def plan(connection: Connection) -> str:
        text = statement._text(connection.dialect)
        raw = connection.connection.driver_connection
        assert raw is not None
        rows = raw.execute(f"EXPLAIN QUERY PLAN {text.sql}", [0] * len(text.places))
        return "\n".join(row[3] for row in rows)

    found = await store.read(plan)
    assert index in found
    assert "SCAN message" not in found
    assert "SCAN recipient" not in found
