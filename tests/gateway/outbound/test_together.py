"""Requests that came one by one and are accepted together: each with its own token, key and fate."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest
from support.bench import NUMBER, Bench

from gateway.errors import Conflict, InvalidRequest, StorageFull
from gateway.message import Message, Status
from gateway.requests import NewMessage, NewToken, Principal
from gateway.store import pauses, tokens


async def together(bench: Bench, *asked: tuple[Principal, NewMessage, str | None]) -> list[Any]:
    """What becomes of requests that all wait while the writer is busy; they share one commit."""
    held = threading.Event()
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    blocker = asyncio.create_task(
        bench.store.write(lambda _connection: (loop.call_soon_threadsafe(begun.set), held.wait(5)))
    )
    await begun.wait()
    groups = bench.store.groups
    waiting = [asyncio.create_task(bench.intake.accept(*each)) for each in asked]
    await asyncio.sleep(0)
    held.set()
    await blocker
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert bench.store.groups - groups <= 1
    return outcomes


async def other_token(bench: Bench) -> Principal:
    view = await bench.store.write(
        lambda connection: tokens.add(connection, NewToken("other", ("send",)), b"1" * 32, bench.clock.now_us())
    )
    assert view is not None
    return Principal(view.id, "other", frozenset(view.scopes))


def new(number: int, **fields: object) -> NewMessage:
    return NewMessage(f"+336000{number:05d}", f"no {number}", **fields)  # type: ignore[arg-type]


async def stored(bench: Bench) -> int:
    return await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM message").scalar()  # type: ignore[return-value]
    )


async def test_each_is_answered_with_its_own_message_in_the_order_they_came(bench: Bench) -> None:
    found = await together(bench, *((bench.principal, new(number), None) for number in range(40)))
    assert [message.text for message in found] == [f"no {number}" for number in range(40)]
    assert [message.id for message in found] == sorted(message.id for message in found)
    for message in found[::13]:
        assert await bench.get(message.id) == message


async def test_each_belongs_to_its_own_token(bench: Bench) -> None:
    other = await other_token(bench)
    mine, theirs, both = await together(
        bench, (bench.principal, new(1), "k"), (other, new(1), "k"), (bench.principal, new(1), "k")
    )
    assert mine.id == both.id != theirs.id
    rows = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT id, token_id FROM message ORDER BY id").all()
    )
    assert [tuple(row) for row in rows] == [(mine.id, bench.principal.token_id), (theirs.id, other.token_id)]


async def test_one_that_the_store_refuses_is_alone_in_being_refused(bench: Bench) -> None:
    # A token that is not in the store: the row cannot be written.
    unknown = replace(bench.principal, token_id=4711)
    outcomes = await together(
        bench, (bench.principal, new(1), None), (unknown, new(2), None), (bench.principal, new(3), "k")
    )
    assert [type(each) for each in outcomes][::2] == [Message, Message]
    assert isinstance(outcomes[1], Exception)
    assert await stored(bench) == 2
    # What was tried a second time by itself took its key once.
    assert (await bench.intake.accept(bench.principal, new(3), "k")).id == outcomes[2].id


async def test_a_conflict_and_a_wrong_request_are_told_to_those_who_made_them(bench: Bench) -> None:
    outcomes = await together(
        bench,
        (bench.principal, new(1), "k"),
        (bench.principal, new(2), "k"),
        (bench.principal, NewMessage("12ab", "x"), "l"),
        (bench.principal, new(4), None),
    )
    assert [type(each) for each in outcomes] == [Message, Conflict, InvalidRequest, Message]
    assert await stored(bench) == 2


async def test_replaces_counts_what_came_a_moment_before_under_the_same_token(bench: Bench) -> None:
    other = await other_token(bench)
    first, theirs, second, third = await together(
        bench,
        (bench.principal, new(1, reference="r"), None),
        (other, new(2, reference="r"), None),
        (bench.principal, new(3, reference="r", replaces=True), None),
        (bench.principal, new(4, reference="r", replaces=True), None),
    )
    states = [(await bench.get(each.id)).status for each in (first, theirs, second, third)]
    assert states == [Status.CANCELED, Status.QUEUED, Status.CANCELED, Status.QUEUED]
    assert [each.status for each in (first, theirs, second, third)] == states


async def test_a_pause_holds_all_of_them(bench: Bench) -> None:
    await bench.store.write(lambda connection: pauses.add(connection, ["emergency"], 1, by="test"))
    held, queued = await together(
        bench, (bench.principal, new(1, category="emergency"), None), (bench.principal, new(2), None)
    )
    assert (held.status, queued.status) == (Status.HELD, Status.QUEUED)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_all_and_keeps_none(bench: Bench) -> None:
    def pages(most: int) -> Any:
        return bench.store.write(
            lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {most}").scalar()
        )

    await pages(1)
    asked = [(bench.principal, NewMessage(f"+336000{n:05d}", "x" * 1500), None) for n in range(60)]
    outcomes = await together(bench, *asked)
    kept = sum(isinstance(each, Message) for each in outcomes)
    assert {type(each) for each in outcomes} <= {StorageFull, Message}
    assert any(isinstance(each, StorageFull) for each in outcomes)
    assert await stored(bench) == kept
    await pages(1_000_000)
    assert (await bench.accept(NUMBER)).status is Status.QUEUED
