"""kill -9 while a campaign is being queued: the restart goes on, nobody is written to twice and nobody is left out."""

from __future__ import annotations

import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from support.daemon import client_of, daemon, simulated_modems
from support.waiting import eventually

PEOPLE, KILLS = 600, 4
CONFIG = '[gateway]\ncountry = "FR"\n[api]\nlisten = ["127.0.0.1:0"]\n[modems.m0]\nport = "{port}"\n'


def _numbers() -> list[str]:
    return [f"+336399{at:05d}" for at in range(80_000, 80_000 + PEOPLE)]


def _rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, timeout=10)) as raw:
        return raw.execute(query).fetchall()


async def test_killed_between_groups_it_goes_on(tmp_path: Path, tell: Callable[[str], None]) -> None:
    (tmp_path / "sim").mkdir()
    store = tmp_path / "state" / "tocsin.db"
    async with (
        simulated_modems(tmp_path / "sim", "--count", "1", "--latency", "5s") as network,
        daemon(tmp_path, CONFIG.format(port=network / "modem0")) as gateway,
    ):
        await gateway.start()
        async with client_of(gateway.url, gateway.token) as client:
            body = {
                "name": "kills",
                "to": _numbers(),
                "variants": [{"name": "a", "text": "A {{ number }}"}, {"name": "b", "text": "B {{ number }}"}],
                "pace": {"per_minute": 12_000},
                "start": True,
                "force": True,
            }
            made = await client.ok("POST", "/v1/campaigns", body)

        def queued() -> int:
            return int(str(_rows(store, "SELECT count(*) FROM message")[0][0]))

        kills: list[int] = []
        for at in range(1, KILLS + 1):
            await eventually(lambda at=at: queued() >= at * PEOPLE // (KILLS + 2), 60, "more messages")
            await gateway.end(signal.SIGKILL)
            kills.append(queued())
            await gateway.start()
        await eventually(lambda: queued() >= PEOPLE, 60, "everybody's message")
        members = _rows(store, "SELECT state, message_id, recipient_id FROM campaign_member")
        messages = _rows(store, "SELECT id, recipient_id FROM message WHERE campaign_id IS NOT NULL")
        (counts,) = _rows(store, f"SELECT members, queued, left_out FROM campaign WHERE id = '{made['id']}'")
    assert Counter(str(state) for state, _, _ in members) == {"queued": PEOPLE}
    assert {(message_id, person) for _, message_id, person in members} == set(messages)
    assert len({person for _, person in messages}) == len(messages) == PEOPLE
    assert counts == (PEOPLE, PEOPLE, 0)
    tell(f"a campaign to {PEOPLE} killed {KILLS} times, at {kills}: each has one message, nobody two")
