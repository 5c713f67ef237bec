"""What is the same is found in one step, however much waits for a person or was sent."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, Bench

from gateway.requests import NewMessage, Submission
from gateway.store import storms
from gateway.store.database import Store

WAITING = 500


@pytest.mark.parametrize("length", storms._LENGTHS)
async def test_the_same_is_found_by_index(bench: Bench, store: Store, length: int) -> None:
    statement = storms._statement(length)
    await bench.intake.accept_all(
        bench.principal, [Submission(NewMessage(NUMBER, f"text {each}")) for each in range(WAITING)]
    )

    def plan(connection: Connection) -> str:
        text = statement._text(connection.dialect)
        raw = connection.connection.driver_connection
        assert raw is not None
        values = {name: "a" if name and name.startswith("c") else 1 for name, _ in text.places}
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        if how == "EXPLAIN":
            # Without statistics a planner takes any index of people for as good as this one.
            raw.execute("UPDATE message SET likeness = hashtext(id)")
            raw.execute("ANALYZE message")
            raw.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(str(row[-1]) for row in raw.execute(f"{how} {text.sql}", text.arguments(values)))

    found = await store.write(plan)
    assert "ix_message_waiting" in found
    assert "ix_message_begun" in found
    # Never as a join: what it reads would grow with what waits.
    assert "Hash" not in found
    assert "Merge" not in found
    assert "SCAN message" not in found
    assert "Seq Scan on message" not in found
