"""Segments as services: one that something goes to stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.clock import ManualClock
from support.crowd import Someone, fill
from support.settings import settings_in

from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.people.aside import Aside
from gateway.requests import Principal
from gateway.services.segments import Segments
from gateway.store.database import Store

OWNER = Principal(0, "owner", frozenset({"contacts"}))


@pytest.fixture
def used() -> set[str]:
    """The segments that a campaign goes to."""
    return set()


@pytest.fixture
async def segments(tmp_path: Path, store: Store, clock: ManualClock, used: set[str]) -> AsyncIterator[Segments]:
    made = Segments(store, clock, settings_in(tmp_path), Aside(), uses=[lambda _, name: name in used])
    yield made
    await made.close()


async def test_what_a_campaign_goes_to_cannot_be_removed(segments: Segments, used: set[str]):
    await segments.add(OWNER, "all", "true")
    used.add("all")
    with pytest.raises(Conflict) as refused:
        await segments.remove(OWNER, "all")
    assert refused.value.code == "segment_in_use"
    used.clear()
    await segments.remove(OWNER, "all")
    with pytest.raises(NotFound):
        await segments.get("all")


async def test_a_filter_that_is_refused_changes_nothing(segments: Segments):
    await segments.add(OWNER, "all", "true")
    with pytest.raises(InvalidRequest):
        await segments.change(OWNER, "all", "tru")
    assert (await segments.get("all")).filter == "true"


async def test_segments_are_listed_newest_first_and_page_by_page(segments: Segments):
    for name in ("first", "second", "third"):
        await segments.add(OWNER, name, "true")
    page = await segments.list(limit=2, cursor=None)
    assert [each.name for each in page.items] == ["third", "second"]
    rest = await segments.list(limit=2, cursor=page.next)
    assert ([each.name for each in rest.items], rest.next) == (["first"], None)


async def test_members_come_newest_first_and_each_once(segments: Segments, store: Store):
    numbers = [f"+3361234560{each}" for each in range(7)]
    await fill(store, [Someone(number=number, tags=["odd"] if int(number) % 2 else []) for number in numbers])
    await segments.add(OWNER, "odd", '"odd" in tags')
    found: list[str] = []
    cursor = None
    while True:
        page = await segments.members(OWNER, "odd", limit=2, cursor=cursor)
        found += [each.number for each in page.items]
        if (cursor := page.next) is None:
            break
    assert found == [number for number in reversed(numbers) if int(number) % 2]


async def test_an_attribute_that_is_gone_leaves_everybody_out(segments: Segments, store: Store):
    """What was right when it was saved need not be so for ever: nobody is judged by what nobody knows."""
    await fill(store, [Someone(number="+33612345600", attributes={"shoe": 42})], {"shoe": "number"})
    await segments.add(OWNER, "feet", "attributes.shoe > 40")
    assert (await segments.count_of(OWNER, "feet")).matched == 1
    await segments.audience.crowd._store.write(lambda c: c.exec_driver_sql("DELETE FROM attribute"))
    counted = await segments.count_of(OWNER, "feet")
    assert (counted.matched, counted.missing) == (0, {"attributes.shoe": 1})
