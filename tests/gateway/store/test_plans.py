"""Matching by time costs what is uncertain or waiting, never what is finished."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from gateway.store import reports
from gateway.store.database import Store
from gateway.store.prepared import Prepared


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
