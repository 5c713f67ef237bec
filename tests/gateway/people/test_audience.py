"""Whom numbers and segments mean: each person once, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from support.clock import ManualClock
from support.crowd import Someone, fill
from support.settings import settings_in

from gateway.errors import InvalidRequest
from gateway.people.aside import Aside
from gateway.people.audience import Audience
from gateway.store import segments
from gateway.store.database import Store

MARIE, PAUL, ZOE, LEON, DEAD = (f"+3361234560{each}" for each in range(5))
NOBODY = "+33612345699"
PEOPLE = [
    Someone(number=MARIE, name="Marie", attributes={"city": "Lyon", "birth_date": "1950-01-05"}, tags=["diabetes"]),
    Someone(number=PAUL, attributes={"city": "Lyon", "birth_date": "1980-06-01"}),
    Someone(number=ZOE, attributes={"city": "Nice", "birth_date": "1940-06-01"}, language="fr"),
    Someone(number=LEON, attributes={"city": "Lyon"}),
    Someone(number=DEAD, attributes={"city": "Lyon", "birth_date": "1930-01-01"}, dead=True),
]


@dataclass
class Room:
    store: Store
    audience: Audience
    ids: dict[str, int]


@pytest.fixture
async def room(tmp_path: Path, store: Store, clock: ManualClock) -> AsyncIterator[Room]:
    aside = Aside()
    ids = await fill(store, PEOPLE)
    filters = {
        "lyon": 'attributes.city == "Lyon"',
        "old": "age(attributes.birth_date) >= 60",
        "spoken": 'language == "fr"',
        "everybody": "true",
    }
    for name, source in filters.items():
        assert await store.write(lambda c, name=name, source=source: segments.add(c, name, source, 1))
    yield Room(store, Audience(settings_in(tmp_path), store, clock, aside), ids)
    await aside.close()


async def numbers(room: Room, *to: str, most: int = 500) -> list[list[str]]:
    return [[each.number for each in chunk] async for chunk in room.audience.chunks(to, most=most)]


async def test_each_person_comes_once_and_the_dead_not_at_all(room: Room):
    assert await numbers(room, "lyon") == [[MARIE, PAUL, LEON]]
    assert await numbers(room, "lyon", "old") == [[MARIE, PAUL, ZOE, LEON]]
    assert await numbers(room, ZOE, "old", "06 12 34 56 02", DEAD, NOBODY) == [[ZOE, NOBODY], [MARIE]]
    assert await numbers(room, "everybody", most=3) == [[MARIE, PAUL, ZOE], [LEON]]


async def test_a_contact_comes_with_all_that_is_known_of_it(room: Room):
    chunks = [chunk async for chunk in room.audience.chunks([MARIE, NOBODY])]
    marie, nobody = chunks[0]
    assert (marie.name, marie.tags, marie.recipient_id) == ("Marie", ("diabetes",), room.ids[MARIE])
    assert marie.attributes == {"city": "Lyon", "birth_date": date(1950, 1, 5)}
    assert (nobody.id, nobody.recipient_id, nobody.number) == (0, 0, NOBODY)


async def test_a_count_says_who_is_left_out_and_why(room: Room):
    counted = await room.audience.count(["old"])
    assert (counted.matched, counted.missing, counted.dead) == (2, {"attributes.birth_date": 1}, 1)
    both = await room.audience.count(["lyon", "old"])
    assert (both.matched, both.missing, both.dead) == (4, {}, 1)
    spoken = await room.audience.count(["spoken", ZOE, DEAD])
    assert (spoken.matched, spoken.missing, spoken.dead) == (1, {"language": 4}, 1)


async def test_what_is_neither_a_number_nor_a_segment_is_refused_by_its_place(room: Room):
    await room.audience.check([MARIE, "lyon"])
    with pytest.raises(InvalidRequest) as refused:
        await room.audience.check([MARIE, "lion", "12 AB", ""])
    assert [each.pointer for each in refused.value.errors] == ["/to/1", "/to/2", "/to/3"]
    assert "lion" not in str([refused.value.message, refused.value.errors])
