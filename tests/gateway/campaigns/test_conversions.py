"""What people did is matched to the message that came before, counted once, and never thrown away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.bench import Bench
from support.campaigning import Campaigner, campaigner_on

from gateway.campaign import Variant
from gateway.campaigns.ab_deciding import AbTest
from gateway.campaigns.deciding import Judge
from gateway.campaigns.link_tracking import LinkTracking
from gateway.clock import SECOND_US
from gateway.errors import Conflict, InvalidRequest
from gateway.services.codes import Codes
from gateway.services.conversions import Conversions, ConversionView, NewConversion
from gateway.store import contact_history
from gateway.store.schema import code, conversion, event, link, message

ADDRESS = "https://go.example.fr"
NUMBERS = [f"+3363998{at:04d}" for at in range(400, 404)]
DAY_US = 24 * 3600 * SECOND_US


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked whether they answer at the links of tests."""
    monkeypatch.setattr("gateway.services.campaign_starts.is_online", lambda: False)


@pytest.fixture
async def c(bench: Bench) -> AsyncIterator[Campaigner]:
    async with campaigner_on(bench, tracking=LinkTracking(ADDRESS, bench.clock)) as campaigner:
        yield campaigner


@pytest.fixture
def told(c: Campaigner) -> Conversions:
    settings = replace(c.bench.settings, links=replace(c.bench.settings.links, address=ADDRESS))
    return Conversions(settings, c.bench.store, c.clock, c.campaigns)


async def _tell(c: Campaigner, told: Conversions, **fields: Any) -> ConversionView:
    return (await told.record(c.principal, NewConversion(kind="order", **fields)))[0]


async def _sent(c: Campaigner, words: str = "Voir https://example.fr/b", **fields: Any) -> str:
    campaign = await c.started(*NUMBERS, words=words, **fields)
    await c.engine.once()
    await c.bench.send_all()
    return campaign.id


async def test_by_number_it_is_the_last_campaign_that_was_sent(c: Campaigner, told: Conversions) -> None:
    before = await _tell(c, told, number=NUMBERS[0])
    assert before.campaign_id is None
    await _sent(c)
    c.clock.advance(timedelta(microseconds=DAY_US))
    second = await _sent(c, name="second")
    c.clock.advance(timedelta(microseconds=DAY_US))
    found = await _tell(c, told, number="06 39 98 04 00", value=42.5)
    assert (found.campaign_id, found.variant, found.value) == (second, 0, 42.5)
    late = await _tell(c, told, number=NUMBERS[0], at_us=c.clock.now_us() + 60 * SECOND_US)
    assert late.campaign_id == second
    c.clock.advance(timedelta(microseconds=7 * DAY_US))
    assert (await _tell(c, told, number=NUMBERS[0])).campaign_id is None, "the window is over"
    assert (await _tell(c, told, number="+33639989999")).campaign_id is None
    assert await c.events("conversion.%") == ["conversion.recorded"] * 5
    facts = " ".join(str(row.facts) for row in await c.rows(select(event.c.facts)))
    assert "0639980400" not in facts
    assert NUMBERS[0] not in facts


async def test_by_link_code_and_message(c: Campaigner, told: Conversions) -> None:
    await Codes(c.bench.store, c.clock).add_list(c.principal, "spring", [f"S{at}" for at in range(9)])
    campaign = await _sent(c, "Code {{ code }}, https://example.fr/b", codes="spring")
    c.clock.advance(timedelta(microseconds=SECOND_US))
    links = await c.rows(select(link))
    codes = {row.recipient_id: row.code for row in await c.rows(select(code).where(code.c.taken_us.is_not(None)))}
    for row in links:
        for way in (
            {"link": row.code},
            {"link": f"{ADDRESS}/{row.code}"},
            {"code": f" {codes[row.recipient_id]} "},
            {"message": row.message_id},
        ):
            found = await _tell(c, told, **way)
            assert (found.campaign_id, found.message_id) == (campaign, row.message_id)
    assert (await _tell(c, told, code="S8888")).campaign_id is None
    assert (await _tell(c, told, link="a" * 9)).campaign_id is None
    assert (await _tell(c, told, message="0" * 32)).campaign_id is None
    people = [row.recipient_id for row in links]
    known = await c.bench.store.read(lambda connection: contact_history.known(connection, "last_converted", people, 0))
    assert set(known) == set(people)
    assert set(known.values()) == {c.clock.now_us()}


async def test_the_same_reference_is_counted_once(c: Campaigner, told: Conversions) -> None:
    await _sent(c)
    first, new = await told.record(c.principal, NewConversion(kind="order", number=NUMBERS[0], reference="o-1"))
    again, anew = await told.record(c.principal, NewConversion(kind="order", number=NUMBERS[0], reference="o-1"))
    assert (new, anew) == (True, False)
    assert first == again
    with pytest.raises(Conflict):
        await told.record(c.principal, NewConversion(kind="visit", number=NUMBERS[0], reference="o-1"))
    other = replace(c.principal, token_id=c.principal.token_id + 1)
    assert (await told.record(other, NewConversion(kind="order", number=NUMBERS[0], reference="o-1")))[1]
    assert len(await c.rows(select(conversion))) == 2
    for _ in range(2):
        assert (await told.record(c.principal, NewConversion(kind="order", number=NUMBERS[0])))[1]


async def test_a_token_that_tests_touches_no_campaign_of_others(c: Campaigner, told: Conversions) -> None:
    await _sent(c)
    tester = replace(c.principal, token_id=c.principal.token_id + 1, test=True)
    found, _ = await told.record(tester, NewConversion(kind="order", number=NUMBERS[0]))
    assert found.campaign_id is None
    await _tell(c, told, number=NUMBERS[0])
    page = await told.list(tester, limit=10, cursor=None)
    assert [each.id for each in page.items] == [found.id]


@pytest.mark.parametrize(
    ("fields", "code_"),
    [
        ({}, "conversion_invalid"),
        ({"number": NUMBERS[0], "code": "x"}, "conversion_invalid"),
        ({"number": "nobody"}, "number_invalid"),
        ({"link": "https://elsewhere.fr/abcdefghj"}, "conversion_invalid"),
        ({"message": "x"}, "conversion_invalid"),
        ({"code": ""}, "conversion_invalid"),
        ({"code": "a\x00"}, "conversion_invalid"),
        ({"code": "x", "reference": ""}, "conversion_invalid"),
        ({"code": "x", "value": float("inf")}, "conversion_invalid"),
        ({"code": "x", "value": 1e300}, "conversion_invalid"),
    ],
)
async def test_what_can_never_be_right_is_refused(
    c: Campaigner, told: Conversions, fields: dict[str, Any], code_: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await _tell(c, told, **fields)
    assert caught.value.code == code_
    assert await c.rows(select(conversion)) == []


async def test_what_lies_ahead_is_refused(c: Campaigner, told: Conversions) -> None:
    with pytest.raises(InvalidRequest, match="lies ahead"):
        await _tell(c, told, code="x", at_us=c.clock.now_us() + 3600 * SECOND_US)


async def test_lists_and_counts_of_a_test(c: Campaigner, told: Conversions) -> None:
    variants = (Variant("a", {"": "A https://example.fr/a"}), Variant("b", {"": "B https://example.fr/b"}))
    campaign = await c.started(*NUMBERS, variants=variants, test_share=0.99, metric="conversion", seed=7)
    await c.engine.once()
    await c.bench.send_all()
    c.clock.advance(timedelta(microseconds=SECOND_US))
    for row in await c.rows(select(message.c.id)):
        await _tell(c, told, message=row.id)
        await _tell(c, told, message=row.id)
    await _tell(c, told, code="nobody's")
    judge = Judge(c.bench.store, AbTest())
    counts = await c.bench.store.read(lambda connection: judge._counts(connection, campaign))
    assert sum(did for _, did in counts) == len(await c.messages(campaign))
    matched = await told.list(c.principal, campaign_id=campaign.id, limit=1000, cursor=None)
    assert len(matched.items) == 2 * len(await c.messages(campaign))
    assert len((await told.list(c.principal, matched=False, limit=10, cursor=None)).items) == 1
    page = await told.list(c.principal, kind="order", limit=1, cursor=None)
    following = await told.list(c.principal, kind="order", limit=1, cursor=page.next)
    assert page.items[0].id == following.items[0].id + 1
