"""A storm as people meet it: two hundred equal alarms at one moment, through HTTP, on one host and on two."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from support.fronts import Fronts, one_front, two_fronts

PERSON = "+33639980142"
TEXT = "Pump 3 is off"
COUNT = 200
SPAN_S = 4
STORMS = f'[storms]\nidentical = "{SPAN_S}s"\nburst = "5/{SPAN_S}s"\n'


@pytest.fixture(params=["one host", "two hosts"])
def making(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractAsyncContextManager[Fronts]:
    if request.param == "one host":
        return one_front(tmp_path, STORMS)
    return two_fronts(tmp_path, request.getfixturevalue("postgresql_database"), STORMS)


@pytest.fixture
async def rig(making: AbstractAsyncContextManager[Fronts]) -> AsyncIterator[Fronts]:
    async with making as found:
        yield found


async def all_at_once(rig: Fronts, texts: Sequence[str], **fields: object) -> list[str]:
    """Ask for all of them at one moment, at every host in turn; the status of each answer."""
    clients = rig.clients
    asked = [clients[at % len(clients)].send(PERSON, text, **fields) for at, text in enumerate(texts)]
    return [answer["status"] for answer in await asyncio.gather(*asked)]


def count_in(text: str) -> int:
    found = re.fullmatch(rf"{TEXT} \((\d+)x\)", text)
    assert found or text == TEXT, text
    return int(found[1]) if found else 1


async def test_two_hundred_at_one_moment_ring_once_and_then_say_how_many_they_were(rig: Fronts) -> None:
    statuses = Counter(await all_at_once(rig, [TEXT] * COUNT))
    assert statuses["canceled"] >= COUNT - 2
    await rig.drained()
    told = [count_in(text) for text in rig.texts()]
    # Either the first had left before the last came, or it took all of them along.
    assert told[-1] == COUNT
    assert len(told) <= 2
    marks = [row[0] for row in rig.rows("SELECT marked_us FROM attempt ORDER BY marked_us")]
    assert len(marks) == len(told)
    assert marks[-1] - marks[0] >= SPAN_S * 1_000_000 or len(marks) == 1
    ended = dict(rig.rows("SELECT status, count(*) FROM message GROUP BY status"))
    assert ended["canceled"] == COUNT - len(told)
    (joined,) = rig.rows("SELECT count(*) FROM message WHERE error_code = 'storm' AND joined_id IS NOT NULL")
    assert joined[0] == COUNT - len(told)


async def test_different_texts_become_digests_and_those_of_an_emergency_all_leave(rig: Fronts) -> None:
    alarms = [f"Fire on floor {at}" for at in range(40)]
    assert "canceled" not in await all_at_once(rig, alarms, category="emergency")
    notices = [f"Notice {at}" for at in range(40)]
    statuses = Counter(await all_at_once(rig, notices))
    assert statuses["canceled"] >= 40 - 6
    await rig.drained()
    left = rig.texts()
    assert sorted(text for text in left if text.startswith("Fire")) == sorted(alarms)
    (carried,) = rig.rows("SELECT count(*) FROM message WHERE error_code = 'storm'")
    singles = [text for text in left if text.startswith("Notice")]
    digests = rig.rows("SELECT repeats FROM message WHERE repeats > 0")
    assert len(singles) == len(notices) - len(digests) - carried[0]
    assert sum(row[0] for row in digests) == carried[0]
