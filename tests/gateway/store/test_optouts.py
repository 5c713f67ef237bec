"""Opt-outs of all, and what a person then leaves out of them, as every question about them tells it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.bench import NUMBER, Bench

from gateway.address import AddressKind
from gateway.store import choices, optouts, recipients
from gateway.store.schema import message

LATER = "tomorrows"


async def person(bench: Bench) -> int:
    lookup, now_us = bench.store.fingerprint(NUMBER), bench.clock.now_us()
    return await bench.store.write(lambda c: recipients.ensure(c, NUMBER, AddressKind.E164, lookup, now_us))


async def stop(bench: Bench, who: int, category: str = "") -> bool:
    now_us = bench.clock.now_us()
    return await bench.store.write(
        lambda c: optouts.stop(c, who, category, now_us, source="test", stoppable=bench.settings.categories)
    )


async def join(bench: Bench, who: int, category: str = "promotional") -> bool:
    deed = choices.Deed(who, bench.clock.now_us(), "sms:join", "sms:join")
    return await bench.store.write(lambda c: choices.join(c, deed, category, wording=None))


async def covered(bench: Bench, who: int) -> set[str]:
    """The categories that are covered, as each way to ask tells it."""
    names = ["promotional", "transactional", LATER]
    one = {name for name in names if await bench.store.read(lambda c, n=name: optouts.is_opted_out(c, who, n))}
    many = await bench.store.read(lambda c: optouts.standing(c, [who, 999]))
    assert {name for name in names if optouts.covered(many, who, name)} == one
    for_messages = select(message.c.category).where(message.c.recipient_id == who, optouts.stands())
    assert set(await bench.store.read(lambda c: c.execute(for_messages).scalars().all())) == one
    return one


async def shown(bench: Bench, who: int) -> list[str | None]:
    page = await bench.store.read(lambda c: optouts.page(c, recipient_id=who, limit=9, before=None))
    return [each.category for each in page.items]


@pytest.fixture
async def who(bench: Bench) -> int:
    """Somebody to whom messages wait, one of them of a category that is configured later."""
    later_us = bench.clock.now_us() + 3600 * 1_000_000
    for category in ("promotional", "transactional"):
        await bench.accept(category=category, send_us=later_us)
    made = await bench.accept(send_us=later_us)
    await bench.store.write(lambda c: c.execute(message.update().values(category=LATER).where(message.c.id == made.id)))
    return await person(bench)


async def test_who_joins_one_category_stays_out_of_all_others_also_of_later_ones(bench: Bench, who: int) -> None:
    assert await stop(bench, who)
    assert await join(bench, who)
    assert await covered(bench, who) == {"transactional", LATER}
    assert await shown(bench, who) == [None], "the exception is no opt-out"
    assert await bench.store.read(lambda c: optouts.get(c, who, "")) is not None
    assert not await join(bench, who), "it is left out already"


async def test_a_new_stop_ends_every_exception(bench: Bench, who: int) -> None:
    await stop(bench, who)
    await join(bench, who)
    await join(bench, who, "transactional")
    assert await covered(bench, who) == {LATER}
    assert await stop(bench, who), "it changes something"
    assert await covered(bench, who) == {"promotional", "transactional", LATER}
    assert not await stop(bench, who)


async def test_stopping_what_was_left_out_leaves_it_covered_when_that_is_lifted_by_hand(bench: Bench, who: int) -> None:
    await stop(bench, who)
    await join(bench, who)
    assert await stop(bench, who, "promotional")
    assert await covered(bench, who) == {"promotional", "transactional", LATER}
    await bench.store.write(lambda c: optouts.lift(c, who, "promotional", 1, by="test"))
    assert await covered(bench, who) == {"promotional", "transactional", LATER}


@pytest.mark.parametrize("scope", [None, ""])
async def test_exceptions_end_with_what_they_are_of(bench: Bench, who: int, scope: str | None) -> None:
    await stop(bench, who)
    await join(bench, who)
    assert await bench.store.write(lambda c: optouts.lift(c, who, scope, 1, by="test")) == 1
    assert await covered(bench, who) == set()
    await stop(bench, who)
    assert await covered(bench, who) == {"promotional", "transactional", LATER}


async def test_nothing_is_left_out_where_nobody_opted_out_of_all(bench: Bench, who: int) -> None:
    await stop(bench, who, "promotional")
    await stop(bench, who, "transactional")
    assert await join(bench, who)
    assert await covered(bench, who) == {"transactional"}
    assert await bench.store.read(lambda c: optouts.standing(c, [who])) == {(who, "transactional")}
