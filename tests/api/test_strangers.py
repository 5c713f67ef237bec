"""Whoever has shown no token: what it sends is little and of few, and its connection goes when there is no room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest
import pytest_asyncio

import api.body
import api.server
from api.body import STRANGER_MAX
from api.connections import Connections
from gateway.config.settings import ApiSettings, ListenAddress
from gateway.daemon import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETTINGS = ApiSettings((ListenAddress("127.0.0.1", 0),), (), ())
NUMBER = "%2B33639980177"
GET = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def waited_for(self) -> None:
        """Until the body of the request is."""
        assert await asyncio.wait_for(self.reader.readexactly(len(CONTINUE)), 5) == CONTINUE

    async def leave(self) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def status(self) -> str:
        """Of the next answer, empty when the connection ends without."""
        return (await asyncio.wait_for(self.reader.readline(), 5)).decode()[9:12]


def form(length: int, query: str = "") -> str:
    fields = f"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
    return f"POST /cgi-bin/sendsms{query} HTTP/1.1\r\n{fields}Expect: 100-continue\r\n\r\n"


@pytest_asyncio.fixture(loop_scope="session")
async def connect(serve, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[str], Awaitable[Peer]]]:
    """Connections that begin with some octets, to a server that has room for two of one source."""
    monkeypatch.setattr(api.server, "connections_of_process", lambda share: Connections(8, share))
    host, port = (await serve(SETTINGS)).removeprefix("http://").split(":")
    async with AsyncExitStack() as stack:

        async def open_one(text: str) -> Peer:
            peer = Peer(*await asyncio.open_connection(host, int(port)))
            stack.push_async_callback(peer.leave)
            peer.writer.write(text.encode())
            return peer

        yield open_one


async def test_who_is_not_known_yet_makes_place(connect):
    first, second = await connect(form(99)), await connect(form(99))
    await first.waited_for()
    await second.waited_for()
    assert await (await connect(GET)).status() == "200"
    assert await first.status() == ""


async def test_who_has_a_token_keeps_its_place(connect, gateway: Gateway):
    fields = f"Host: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\nExpect: 100-continue\r\n"
    head = f"POST /v1/messages HTTP/1.1\r\n{fields}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    first, second = await connect(head), await connect(head)
    await first.waited_for()
    await second.waited_for()
    assert await (await connect("")).status() == ""
    for each in (first, second):
        each.writer.write(b"{}")
        assert await each.status() == "422"
    # Nobody's request is in progress any more.
    assert await (await connect(GET)).status() == "200"


async def test_few_bodies_of_strangers_are_waited_for(connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api.body, "_STRANGERS_MOST", 1)
    first = await connect(form(10))
    await first.waited_for()
    second = await connect(form(10))
    await second.waited_for()
    assert await first.status() == "408"
    second.writer.write(b"password=x")
    assert await second.status() == "403"


async def test_not_for_long(connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api.body, "_STRANGER_TIMEOUT_S", 0.01)
    peer = await connect(form(10))
    await peer.waited_for()
    assert await peer.status() == "408"


async def test_and_little_of_each(connect, gateway: Gateway):
    declared = await connect(form(STRANGER_MAX + 1))
    await declared.waited_for()
    assert await declared.status() == "413"
    chunked = await connect(form(1).replace("Content-Length: 1", "Transfer-Encoding: chunked"))
    await chunked.waited_for()
    chunked.writer.write(b"%x\r\n" % (STRANGER_MAX + 1) + b"x" * (STRANGER_MAX + 1))
    assert await chunked.status() == "413"


async def test_a_secret_before_the_body_is_looked_at_before_it(connect, gateway: Gateway):
    guess = await connect(form(99, "?password=wrong"))
    await guess.waited_for()
    assert await guess.status() == "403"
    body = f"to={NUMBER}&text=hi&charset=&x={'x' * STRANGER_MAX}"
    known = await connect(form(len(body), f"?password={gateway.admin_token}"))
    await known.waited_for()
    known.writer.write(body.encode())
    assert await known.status() == "202"
