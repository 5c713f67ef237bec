"""The ledger of consent and the list of doubtful replies: what stands, for one person and for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select
from support.bench import NUMBER, Bench

from gateway.address import AddressKind
from gateway.errors import Conflict, NotFound
from gateway.message import ConsentState, Hold, Rule, Status
from gateway.requests import ConsentFilter
from gateway.store import consents, messages, recipients, reviews
from gateway.store.consents import NewConsent
from gateway.store.prepared import Prepared
from gateway.store.schema import event, message

T = TypeVar("T")
OTHER = "+33622222222"
GIVEN, WITHDRAWN, ASKED = ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.ASKED

Do = Callable[[Callable[[Connection], T]], T]


async def person(bench: Bench, number: str = NUMBER) -> int:
    lookup, now_us = bench.store.fingerprint(number), bench.clock.now_us()
    return await bench.store.write(lambda c: recipients.ensure(c, number, AddressKind.E164, lookup, now_us))


async def record(bench: Bench, who: int, state: ConsentState, at_us: int, category: str = "promotional") -> int:
    entry = NewConsent(
        recipient_id=who, category=category, state=state, at_us=at_us, recorded_us=bench.clock.now_us(), wording="w"
    )
    return await bench.store.write(lambda c: consents.record(c, entry))


async def test_the_latest_word_stands_by_when_it_was_said_then_by_when_it_was_written(bench: Bench) -> None:
    who = await person(bench)
    seen: list[ConsentState | None] = []
    for state, at_us in (
        (GIVEN, 100),
        (WITHDRAWN, 200),
        # An import of what was said before.
        (GIVEN, 150),
        # Of one instant the later line counts.
        (GIVEN, 200),
        (ASKED, 900),
        (WITHDRAWN, 300),
    ):
        await record(bench, who, state, at_us)
        seen.append(await bench.store.read(lambda c: consents.state_of(c, who, "promotional")))
        many = await bench.store.read(lambda c: consents.standing(c, [who, 999]))
        assert many == {(who, "promotional"): seen[-1]}
    assert seen == [GIVEN, WITHDRAWN, WITHDRAWN, GIVEN, GIVEN, WITHDRAWN]


async def test_what_is_said_now_stands_also_after_an_entry_of_tomorrow(bench: Bench) -> None:
    """The clock was wrong when it was written down."""
    who = await person(bench)
    now_us = bench.clock.now_us()
    await record(bench, who, GIVEN, now_us + 365 * 24 * 3600 * 1_000_000)
    stop = NewConsent(recipient_id=who, category="promotional", state=WITHDRAWN, at_us=now_us, recorded_us=now_us)
    await bench.store.write(lambda c: consents.say_now(c, stop))
    assert await bench.store.read(lambda c: consents.state_of(c, who, "promotional")) is WITHDRAWN


async def test_a_query_over_messages_tells_consent_of_their_own_category_and_open_reviews(bench: Bench) -> None:
    who, other = await person(bench), await person(bench, OTHER)
    later_us = bench.clock.now_us() + 3600 * 1_000_000
    sent = [
        await bench.accept(to, category=category, send_us=later_us)
        for to in (NUMBER, OTHER)
        for category in ("promotional", "transactional")
    ]
    await record(bench, who, WITHDRAWN, 1)
    await record(bench, who, GIVEN, 2)
    await record(bench, other, WITHDRAWN, 1, "transactional")
    await bench.store.write(lambda c: reviews.add(c, "a" * 32, other, "stop", 1))
    asked = Prepared(select(message.c.id, consents.state().label("said"), reviews.open_of().label("doubt")))
    rows = await bench.store.read(asked.rows)
    found = {row.id: (row.said, bool(row.doubt)) for row in rows}
    assert [found[each.id] for each in sent] == [
        ("given", False),
        (None, False),
        (None, True),
        ("withdrawn", True),
    ]
    assert await bench.store.read(lambda c: reviews.standing(c, [who, other])) == {other}


async def test_every_entry_is_told_as_an_event_without_number_or_wording(bench: Bench) -> None:
    who = await person(bench)
    for at_us, state in enumerate((ASKED, GIVEN, WITHDRAWN)):
        await record(bench, who, state, at_us)
    rows = await bench.store.read(lambda c: c.execute(select(event.c.type, event.c.detail).order_by(event.c.id)).all())
    assert [tuple(row) for row in rows] == [
        (f"consent.{word}", "of promotional") for word in ("asked", "given", "withdrawn")
    ]


async def test_a_page_shows_what_was_written_last_first_and_takes_every_filter(bench: Bench) -> None:
    who, other = await person(bench), await person(bench, OTHER)
    for at_us, (one, state, category) in enumerate(
        [
            (who, GIVEN, "promotional"),
            (other, GIVEN, "promotional"),
            (who, WITHDRAWN, "promotional"),
            (who, GIVEN, "club"),
        ]
    ):
        await record(bench, one, state, 100 - at_us, category)

    async def page(
        limit: int = 9, before: int | None = None, person: int | None = None, **fields: str
    ) -> list[tuple[str, str]]:
        found = await bench.store.read(
            lambda c: consents.page(c, ConsentFilter(**fields), recipient_id=person, limit=limit, before=before)
        )
        shown = [(each.category, str(each.state)) for each in found.items]
        return [*shown, ("next", found.next)] if found.next else shown

    assert await page() == [
        ("club", "given"),
        ("promotional", "withdrawn"),
        ("promotional", "given"),
        ("promotional", "given"),
    ]
    first = await page(limit=3)
    assert len(await page(before=int(first[-1][1]))) == 1
    assert len(await page(number=OTHER, person=other)) == 1
    assert await page(category="club") == [("club", "given")]
    assert len(await page(state="given", category="promotional")) == 2


async def test_questions_are_open_until_their_category_is_answered(bench: Bench) -> None:
    who = await person(bench)
    await record(bench, who, ASKED, 10, "club")
    await record(bench, who, ASKED, 20)

    async def open_since(since_us: int) -> list[str]:
        return [row.category for row in await bench.store.read(lambda c: consents.unanswered(c, who, since_us))]

    assert await open_since(0) == ["promotional", "club"]
    assert await open_since(11) == ["promotional"]
    # The clock was set back before the answer.
    await record(bench, who, GIVEN, 5)
    assert await open_since(0) == ["club"]


async def test_a_review_is_settled_once_and_frees_what_it_held(bench: Bench) -> None:
    who = await person(bench)
    later_us = bench.clock.now_us() + 3600 * 1_000_000
    held = await bench.accept(category="transactional")
    waits = await bench.accept(send_us=later_us)
    expires_us = held.expires_us
    await bench.store.write(
        lambda c: messages.hold(c, held.id, Hold(Rule.OPT_OUT, None, "a reply is to be judged"), expires_us, 1)
    )
    for item in ("a" * 32, "b" * 32):
        await bench.store.write(lambda c, item=item: reviews.add(c, item, who, "stop", 1))
    now_us = bench.clock.now_us()
    await bench.store.write(lambda c: reviews.settle(c, "a" * 32, "nothing", now_us, by="me"))
    assert await bench.store.write(lambda c: reviews.release_reviewed(c, who, now_us)) == 0, "another waits still"
    with pytest.raises(Conflict, match="judged before"):
        await bench.store.write(lambda c: reviews.settle(c, "a" * 32, "stop", now_us, by="me"))
    with pytest.raises(NotFound):
        await bench.store.write(lambda c: reviews.settle(c, "c" * 32, "stop", now_us, by="me"))
    assert await bench.store.write(lambda c: reviews.settle_all(c, who, "start", now_us, by="sms")) == 1
    assert await bench.store.write(lambda c: reviews.release_reviewed(c, who, now_us)) == 1
    await bench.upkeep()
    assert (await bench.get(held.id)).status is Status.QUEUED
    assert (await bench.get(waits.id)).status is Status.HELD


async def test_reviews_come_in_pages_newest_first(bench: Bench) -> None:
    who = await person(bench)
    for digit in "abc":
        await bench.store.write(lambda c, digit=digit: reviews.add(c, digit * 32, who, "stop", 1))
    first = await bench.store.read(lambda c: reviews.page(c, limit=2, before=None))
    assert [each.inbox_id[0] for each in first.items] == ["c", "b"]
    rest = await bench.store.read(lambda c: reviews.page(c, limit=2, before=first.next))
    assert [(each.inbox_id[0], each.sender, each.guess) for each in rest.items] == [("a", NUMBER, "stop")]
