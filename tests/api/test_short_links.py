"""The listener that follows links: what it does, and what whoever comes cannot have of it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import Connection, func, insert, select
from support.clock import ManualClock
from support.settings import settings_in
from support.waiting import eventually
from yarl import URL

from gateway.campaigns.links import new_code
from gateway.config.settings import LinkSettings, ListenAddress
from gateway.daemon import Gateway, running_gateway
from gateway.store import recipients
from gateway.store.schema import campaign, click, link

pytestmark = pytest.mark.asyncio(loop_scope="session")
_SESSION = {"scope": "module", "loop_scope": "session"}

PORT_FREE = ListenAddress("127.0.0.1", 0)
BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"}
GOAL = "https://example.fr/soldes?a=1&b=%C3%A9#top"
CODE, ODD_CODE = "abcdefghj", "23456789A"


@pytest_asyncio.fixture(**_SESSION)
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("links")
    settings = replace(settings_in(folder), links=LinkSettings("https://example.fr/go", (PORT_FREE,)))
    async with running_gateway(settings, ManualClock()) as running:
        await _store(running).write(lambda connection: _fill(running, connection))
        yield running


def _store(gateway: Gateway):
    return gateway.services.short_links._store


def _fill(gateway: Gateway, connection: Connection) -> None:
    lookup = _store(gateway).fingerprint("+33639980150")
    person = recipients.ensure(connection, "+33639980150", "e164", lookup, 1)
    of_campaign = {"name": "c", "status": "running", "category": "news", "audience": "frozen", "wanted": "{}"}
    connection.execute(insert(campaign).values(id="c" * 32, created_us=1, **of_campaign))
    for code, url in ((CODE, GOAL), (ODD_CODE, "https://exämple.fr/é?ü")):
        connection.execute(
            insert(link).values(code=code, campaign_id="c" * 32, variant=0, recipient_id=person, url=url, created_us=1)
        )


@pytest_asyncio.fixture(**_SESSION)
async def url(gateway: Gateway) -> str:
    return gateway.links_url


@pytest_asyncio.fixture(**_SESSION)
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


async def test_who_follows_a_link_is_sent_on_at_once_and_written_down(
    gateway: Gateway, session: aiohttp.ClientSession, url: str
) -> None:
    for path in (f"/{CODE}", f"/go/{CODE}"):
        async with session.get(url + path, headers=BROWSER, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"] == GOAL
            assert await answer.read() == b""
            fields = answer.headers
        assert fields["Referrer-Policy"] == "no-referrer"
        assert fields["Cache-Control"] == "no-store"
        assert fields["X-Robots-Tag"] == "noindex, nofollow"
        assert fields["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in fields

    async def visits() -> bool:
        query = select(func.count()).select_from(click).where(click.c.code == CODE)
        return await _store(gateway).read(lambda connection: connection.scalar(query)) == 2

    await eventually(visits)


async def test_what_was_noted_is_written_before_the_gateway_ends(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), links=LinkSettings("https://example.fr/go", (PORT_FREE,)))
    async with running_gateway(settings, ManualClock()) as running, aiohttp.ClientSession() as session:
        await _store(running).write(lambda connection: _fill(running, connection))
        for _ in range(20):
            async with session.get(f"{running.links_url}/{CODE}", headers=BROWSER, allow_redirects=False) as answer:
                assert answer.status == 302
    raw = sqlite3.connect(tmp_path / "tocsin.db")
    assert raw.execute("SELECT count(*) FROM click WHERE NOT bot").fetchone() == (20,)
    raw.close()


async def test_addresses_beyond_ascii_are_written_as_browsers_do(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(f"{url}/{ODD_CODE}", headers=BROWSER, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "https://xn--exmple-cua.fr/%C3%A9?%C3%BC"


async def test_a_head_is_answered_as_a_get_and_is_no_click(
    gateway: Gateway, session: aiohttp.ClientSession, url: str
) -> None:
    async with session.head(f"{url}/{ODD_CODE}", headers=BROWSER, allow_redirects=False) as answer:
        assert answer.status == 302
    query = select(click.c.bot).where(click.c.code == ODD_CODE, click.c.agent == "head")

    async def seen() -> bool:
        return await _store(gateway).read(lambda connection: connection.scalars(query).all()) == [True]

    await eventually(seen)


@pytest.mark.parametrize(
    "path",
    ["/", "/go", "/go/", "/robots.txt", "/v1/messages", "/openapi.json", "/healthz", "/metrics", "/signin",
     f"/{CODE}/", f"/{CODE}/x", f"//{CODE}", f"/{CODE[:-1]}", f"/{CODE}x", "/%00", "/..%2f..%2fetc", "/?to=https://evil.example"],
)  # fmt: skip
async def test_there_is_nothing_else(session: aiohttp.ClientSession, url: str, path: str) -> None:
    async with session.get(URL(url + path, encoded=True), headers=BROWSER, allow_redirects=False) as answer:
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert (await answer.text()) == "There is nothing here.\n"
        assert "Location" not in answer.headers


async def test_what_stands_behind_a_code_changes_nothing(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(f"{url}/{CODE}?url=https://evil.example", headers=BROWSER, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, GOAL)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
async def test_other_methods_are_not_taken(session: aiohttp.ClientSession, url: str, method: str) -> None:
    async with session.request(method, f"{url}/{CODE}", data=b"x" * 100, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "octets",
    [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n"],
)  # fmt: skip
async def test_octets_that_are_no_request_end_in_an_answer_without_location(url: str, octets: bytes) -> None:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(octets)
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert b"Location" not in answer
    assert b"Traceback" not in answer


async def test_who_tries_codes_is_told_to_wait_and_a_right_one_is_followed_all_the_same(
    session: aiohttp.ClientSession, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    statuses: list[int] = []
    caplog.set_level(logging.DEBUG)
    for _ in range(150):
        async with session.get(f"{url}/{new_code()}", headers=BROWSER, allow_redirects=False) as answer:
            statuses.append(answer.status)
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) >= 1
    assert statuses[0] == 404
    assert statuses[-1] == 429
    async with session.get(f"{url}/{CODE}", headers=BROWSER, allow_redirects=False) as answer:
        assert answer.status == 302
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert CODE not in told
    assert "127.0.0.1" not in told or "guesses" not in told
