"""Links are asked, and nothing but what is public or allowed is reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest
import pytest_asyncio
from aiohttp import web

from gateway.notify.reach import public_or
from gateway.services.links import MOST_LINKS, LinkCheck

LOOPBACK = ("127.0.0.0/8",)


@dataclass
class Site:
    """A web server on the loopback interface that plays whatever a link may meet."""

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        self.headers.append(dict(request.headers))
        what = request.path.strip("/")
        if what.isdigit():
            return web.Response(status=int(what))
        if what == "to":
            return web.Response(status=302, headers={"Location": request.query["goal"]})
        if what == "slow":
            await asyncio.Event().wait()
        if what == "no-head" and request.method == "HEAD":
            return web.Response(status=404)
        return await self._endless(request) if what == "endless" else web.Response(text="fine")

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response(status=405)
        response = web.StreamResponse()
        await response.prepare(request)
        while self.sent < 1 << 28:
            await response.write(bytes(1 << 16))
            self.sent += 1 << 16
        return response


@pytest_asyncio.fixture
async def site() -> AsyncGenerator[Site]:
    played = Site()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", played.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    played.port = runner.addresses[0][1]
    yield played
    await runner.cleanup()


async def _told(check: LinkCheck, text: str) -> list[str]:
    found = await check.check(text)
    assert {caution.code for caution in found} <= {"broken_link"}
    return [caution.message for caution in found]


async def test_a_link_that_answers_needs_no_caution(site: Site):
    assert await _told(LinkCheck(LOOPBACK), f"See {site.url}/page#part.") == []
    assert site.asked == [("HEAD", "/page")]


async def test_a_server_without_head_is_asked_by_get(site: Site):
    assert await _told(LinkCheck(LOOPBACK), f"{site.url}/no-head") == []
    assert site.asked == [("HEAD", "/no-head"), ("GET", "/no-head")]


@pytest.mark.parametrize("status", [404, 410, 500, 503, 400])
async def test_a_link_at_which_nothing_is(site: Site, status: int):
    assert await _told(LinkCheck(LOOPBACK), f"a {site.url}/x b {site.url}/{status}") == [
        f"link 2 answers with {status}"
    ]


@pytest.mark.parametrize("status", [200, 204, 401, 403, 429])
async def test_who_sends_programs_away_says_nothing_of_the_link(site: Site, status: int):
    assert await _told(LinkCheck(LOOPBACK), f"{site.url}/{status}") == []


async def test_nothing_is_told_but_the_link(site: Site):
    await _told(LinkCheck(LOOPBACK), f"{site.url}/page")
    assert set(site.headers[0]) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert site.headers[0]["User-Agent"] == "tocsin-link-check"
    said = await _told(LinkCheck(LOOPBACK), f"http://user:secret@127.0.0.1:{site.port}/x")
    assert said == ["link 1 is not looked at: it carries a user's name"]
    assert len(site.asked) == 1


async def test_an_endless_body_is_not_read(site: Site):
    assert await _told(LinkCheck(LOOPBACK), f"{site.url}/endless") == []
    assert site.sent < 1 << 24


async def test_a_server_that_does_not_answer(site: Site):
    assert await _told(LinkCheck(LOOPBACK, patience_s=0.2), f"{site.url}/slow") == [
        "link 1 did not answer within 0.2 s"
    ]


async def test_redirects_are_followed_and_counted(site: Site):
    assert await _told(LinkCheck(LOOPBACK), f"{site.url}/to/?goal=/page") == []
    assert await _told(LinkCheck(LOOPBACK), f"{site.url}/to/?goal=/404") == ["link 1 answers with 404"]
    circle = f"{site.url}/to/?goal=%2Fto%2F%3Fgoal%3D%2Fpage"
    assert await _told(LinkCheck(LOOPBACK), circle) == []
    nested = "/page"
    for _ in range(7):
        nested = "/to/?goal=" + nested.replace("%", "%25").replace("?", "%3F").replace("=", "%3D").replace("/", "%2F")
    assert await _told(LinkCheck(LOOPBACK), site.url + nested) == ["link 1 leads on more than 5 times"]


async def test_a_redirect_to_where_nobody_may_look_is_not_followed(site: Site):
    only = LinkCheck(["127.0.0.1/32"])
    goal = f"http://127.0.0.2:{site.port}/secret"
    assert await _told(only, f"{site.url}/to/?goal={goal}") == [
        "link 1 is not looked at: it leads to an address that is not public"
    ]
    assert await _told(only, f"{site.url}/to/?goal=ftp://127.0.0.1/x") == ["link 1 leads to no web address"]
    assert await _told(only, f"{site.url}/to/?goal=file:///etc/passwd") == ["link 1 leads to no web address"]
    assert "/secret" not in {path for _, path in site.asked}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0", "0", "0x7f.1", "2130706433",
        "127.1", "①②⑦.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "[fe80::1]",
        "[fc00::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
        "[2001:db8::1]",        "198.18.0.1", "192.0.2.1",
    ],
)  # fmt: skip
async def test_nothing_that_is_not_public_is_reached(site: Site, host: str):
    said = await _told(LinkCheck(), f"http://{host}:{site.port}/x")
    assert said in (["link 1 is not looked at: it leads to an address that is not public"], ["link 1 is no address"])
    assert site.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4007:80c::200e", "64:ff9b::808:808", "2002:808:808::1"])
def test_what_is_public_may_be_reached(address: str):
    assert public_or(())(ip_address(address), 443) is None


async def test_links_that_lead_nowhere(site: Site):
    assert await _told(LinkCheck(LOOPBACK), "http://127.0.0.1:1/ http://nobody.invalid/") == [
        "link 1 cannot be connected to",
        "link 2 names a host that does not exist",
    ]
    assert await _told(LinkCheck(LOOPBACK), f"https://127.0.0.1:{site.port}/") == [
        "link 1 could not be reached over TLS"
    ]


async def test_no_more_links_than_somebody_writes(site: Site):
    text = " ".join(f"{site.url}/{number}x" for number in range(MOST_LINKS + 2))
    assert await _told(LinkCheck(LOOPBACK), text) == ["only the first 5 of 7 links were looked at"]
    assert len(site.asked) == MOST_LINKS


async def test_a_text_without_links_asks_nobody():
    assert await LinkCheck().check("Bonjour") == []
