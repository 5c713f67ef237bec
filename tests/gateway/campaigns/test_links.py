"""Links of each person's own: in the text, in the store, and who followed them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.bench import Bench
from support.campaigning import Campaigner, campaigner_on

from gateway.campaigns.clicks import MOST_OF_A_LINK, Clicks
from gateway.campaigns.link_tracking import LinkTracking
from gateway.campaigns.links import ALPHABET, LENGTH, code_of, is_code, new_code, shorten
from gateway.config.settings import LinkSettings
from gateway.notify import happenings
from gateway.rules.linked import links_of
from gateway.services.short_links import ShortLinks
from gateway.store import contact_history
from gateway.store.events import Cursor
from gateway.store.schema import click, event, link, message

ADDRESS = "https://go.example.fr"
NUMBERS = [f"+3363998{at:04d}" for at in range(200, 205)]
BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"}
PROGRAM = {"User-Agent": "WhatsApp/2.23.20.0"}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked whether they answer at the links of tests."""
    monkeypatch.setattr("gateway.services.campaign_starts.is_online", lambda: False)


@pytest.fixture
async def c(bench: Bench) -> AsyncIterator[Campaigner]:
    async with campaigner_on(bench, tracking=LinkTracking(ADDRESS, bench.clock)) as campaigner:
        yield campaigner


@pytest.fixture
def links(c: Campaigner) -> ShortLinks:
    return ShortLinks(LinkSettings(ADDRESS), c.bench.store, c.clock, c.campaigns)


def test_codes_cannot_be_guessed() -> None:
    assert len(ALPHABET) ** LENGTH >= 2**48
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(is_code(each) for each in codes)
    assert {each[0] for each in codes} == set(ALPHABET)


@pytest.mark.parametrize("odd", ["", "a" * 8, "a" * 10, "0" * 9, "aaaaaaaa\n", "aaaa/aaaa", "é" * 9, "../../etc"])
def test_what_is_no_code_is_none(odd: str) -> None:
    assert not is_code(odd)


def test_a_code_is_read_from_a_whole_address() -> None:
    code = new_code()
    assert [code_of(each, ADDRESS) for each in (code, f"{ADDRESS}/{code}", f" {ADDRESS.upper()}/{code} ")] == [code] * 3
    assert code_of(f"https://elsewhere.fr/{code}", ADDRESS) is None
    assert code_of(f"{ADDRESS}/{code}", None) is None


def test_what_no_browser_could_be_sent_to_stays() -> None:
    for text in (
        "ftp://example.fr/a",
        "http://",
        "https://user:word@example.fr/",
        "http://[::1/",
        "https://example.fr:port/",
        f"{ADDRESS}/23456789A",
        f"{ADDRESS.upper()}/23456789A",
        "see javascript:alert(1)",
        "https://example.fr/" + "a" * 2500,
    ):
        assert shorten(text, ADDRESS).text == text


async def test_each_person_has_links_of_their_own_written_with_the_message(c: Campaigner) -> None:
    words = "Voir https://example.fr/soldes?a=1, ou (https://example.fr/b). Encore https://example.fr/soldes?a=1"
    campaign = await c.started(*NUMBERS, words=words)
    await c.engine.once()
    rows = await c.rows(select(link))
    assert len(rows) == 10
    assert {row.url for row in rows} == {"https://example.fr/soldes?a=1", "https://example.fr/b"}
    messages = {row.id: row for row in await c.messages(campaign)}
    assert {row.message_id for row in rows} == set(messages)
    for row in rows:
        found = messages[row.message_id]
        assert (row.recipient_id, row.variant, row.campaign_id) == (found.recipient_id, 0, campaign.id)
        assert found.text.count(f"{ADDRESS}/{row.code}") == (2 if "soldes" in row.url else 1)
        assert found.text.startswith("Voir ")
        assert "ou (" in found.text
        assert "). Encore " in found.text
    await c.agrees(campaign)


async def test_parts_are_counted_with_the_short_links(c: Campaigner) -> None:
    long = "https://example.fr/" + "a" * 300
    draft = await c.create(*NUMBERS, words=f"Venez : {long}")
    launch = await c.start(draft, force=True)
    assert launch.estimate is not None
    assert launch.estimate.parts == 5
    await c.engine.once()
    assert {row.parts for row in await c.rows(select(message.c.parts))} == {1}


async def test_without_an_address_links_stay_as_they_are(bench: Bench) -> None:
    async with campaigner_on(bench, tracking=LinkTracking(None, bench.clock)) as c:
        campaign = await c.started(NUMBERS[0], words="Voir https://example.fr/b")
        await c.engine.once()
        assert [row.text for row in await c.messages(campaign)] == ["Voir https://example.fr/b"]
        assert await c.rows(select(link)) == []


async def test_links_go_with_the_transaction_that_queues(c: Campaigner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks behind the links takes them away again, with the messages and the members."""
    campaign = await c.started(*NUMBERS, words="Voir https://example.fr/b")
    queued = LinkTracking.queued

    def broken(*args: object) -> None:
        queued(*args)  # pyright: ignore[reportArgumentType]
        raise RuntimeError("broken off")

    monkeypatch.setattr(LinkTracking, "queued", broken)
    await c.engine.once()
    assert await c.rows(select(link)) == []
    assert await c.messages(campaign) == []
    monkeypatch.setattr(LinkTracking, "queued", queued)
    await c.advance(seconds=30)
    assert len(await c.rows(select(link))) == len(await c.messages(campaign)) == 5
    await c.agrees(campaign)


async def test_people_and_programs_are_counted_apart(c: Campaigner, links: ShortLinks) -> None:
    campaign = await c.started(*NUMBERS, words="Voir https://example.fr/b")
    await c.engine.once()
    codes = [row.code for row in await c.rows(select(link).order_by(link.c.recipient_id))]
    for code, method, fields in (
        (codes[0], "GET", BROWSER),
        (codes[0], "GET", BROWSER),
        (codes[1], "GET", BROWSER),
        (codes[1], "HEAD", BROWSER),
        (codes[2], "GET", PROGRAM),
        (codes[3], "GET", {**BROWSER, "Sec-Purpose": "prefetch;prerender"}),
        (codes[3], "GET", {}),
    ):
        assert await links.follow(code, method, fields) == "https://example.fr/b"
    assert await links.follow(new_code(), "GET", BROWSER) is None
    await links.clicks.write()
    page = await links.totals(c.principal, campaign.id, limit=10, cursor=None)
    (found,) = page.items
    assert (found.url, found.variant, found.sent) == ("https://example.fr/b", 0, 5)
    assert (found.clicks, found.unique, found.bots) == (3, 2, 4)
    assert await c.events("link.%") == ["link.clicked"] * 3
    facts = [row.facts for row in await c.rows(select(event.c.facts).where(event.c.type == "link.clicked"))]
    assert all(NUMBERS[0] not in each and "example" not in each and codes[0] not in each for each in facts)


async def test_who_may_start_campaigns_is_told_of_clicks(c: Campaigner, links: ShortLinks) -> None:
    campaign = await c.started(NUMBERS[0], words="Voir https://example.fr/b")
    await c.engine.once()
    ((code, message_id),) = await c.rows(select(link.c.code, link.c.message_id))
    await links.follow(code, "GET", BROWSER)
    await links.clicks.write()
    found, _ = await c.bench.store.read(lambda connection: happenings.following(connection, Cursor(), 100))
    (told,) = [each for each in found if each.type == "link.clicked"]
    assert told.subject == {"campaign": campaign.id, "variant": 0, "message": message_id, "first": True}
    keeper = replace(c.principal, scopes=frozenset({"campaigns"}))
    assert happenings.visible_to(keeper, told)
    assert not happenings.visible_to(replace(keeper, scopes=frozenset({"read", "send"})), told)
    assert not happenings.visible_to(replace(keeper, test=True), told)


async def test_the_last_click_is_a_fact_for_segments(c: Campaigner, links: ShortLinks) -> None:
    await c.started(*NUMBERS, words="Voir https://example.fr/b")
    await c.engine.once()
    rows = await c.rows(select(link).order_by(link.c.recipient_id))
    await links.follow(rows[0].code, "GET", BROWSER)
    c.clock.advance(timedelta(hours=1))
    last_us = c.clock.now_us()
    await links.follow(rows[0].code, "GET", BROWSER)
    await links.follow(rows[1].code, "GET", PROGRAM)
    await links.clicks.write()
    people = [row.recipient_id for row in rows]
    known = await c.bench.store.read(lambda connection: contact_history.known(connection, "last_clicked", people, 0))
    assert known == {people[0]: last_us}


async def test_following_one_link_for_ever_fills_no_store(c: Campaigner, links: ShortLinks) -> None:
    await c.started(NUMBERS[0], words="Voir https://example.fr/b")
    await c.engine.once()
    ((code,),) = await c.rows(select(link.c.code))
    for _ in range(MOST_OF_A_LINK + 300):
        links.clicks.note(code, "person")
    await links.clicks.write()
    ((visits,),) = await c.rows(select(func.count()).select_from(click))
    assert visits == MOST_OF_A_LINK


async def test_a_visit_of_what_was_never_a_link_is_passed_over(c: Campaigner) -> None:
    clicks = Clicks(c.bench.store, c.clock)
    clicks.note("a" * 9, "person")
    await clicks.write()
    assert await c.rows(select(click)) == []


def test_the_links_of_a_text_are_those_that_are_replaced() -> None:
    text = "a https://example.fr/x. b"
    (found,) = shorten(text, ADDRESS).links
    assert [found[1]] == links_of(text)
