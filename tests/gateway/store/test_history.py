"""What caps ask of the messages that went to people."""

from __future__ import annotations

from sqlalchemy import Connection
from support.bench import NUMBER, Bench

from gateway.store import history, recipients


async def test_nothing_is_read_of_categories_that_nobody_counts(bench: Bench) -> None:
    for category in ("emergency", "transactional", "emergency"):
        await bench.accept(text=category, category=category)
    assert len(await bench.send_all()) == 3

    def work(connection: Connection, *names: str) -> list[dict[str, int]]:
        person = recipients.find(connection, bench.store.fingerprint(NUMBER))
        assert person is not None
        found = history.of_people(connection, [person], names, 0)
        return [{name: len(instants) for name, instants in each.items()} for each in found.values()]

    assert await bench.store.read(lambda c: work(c, "transactional")) == [{"transactional": 1}]
    assert await bench.store.read(lambda c: work(c, "emergency", "promotional")) == [{"emergency": 2}]
    assert await bench.store.read(work) == []
