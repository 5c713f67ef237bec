"""`/v1/events` over HTTP: who reads slowly, and who asks for the head alone."""

from __future__ import annotations

import asyncio
import re
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import Connection
from support.http import Api
from support.settings import settings_in
from support.waiting import eventually

from gateway.daemon import Gateway, running_gateway
from gateway.notify.stream import MOST_OF_TOKEN
from gateway.store import events

pytestmark = pytest.mark.asyncio(loop_scope="session")
GROUP, GROUPS = 250, 24
#: More than the kernel keeps for one connection that nobody reads from, in all.
FILLER = "x" * 1500


def _group(number: int) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for at in range(GROUP):
            facts = {"n": number * GROUP + at, "filler": FILLER}
            events.record(connection, 1, "queue.paused", facts=facts)

    return work


async def _count(stream: aiohttp.StreamReader, seen: list[int]) -> None:
    async for line in stream:
        seen += [int(each) for each in re.findall(rb'^data:.*"n":(\d+),', line)]


@asynccontextmanager
async def _silent(gateway: Gateway) -> AsyncIterator[socket.socket]:
    """A client that asks for the stream and reads nothing of it."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asking.setblocking(False)
        await asyncio.get_running_loop().sock_connect(asking, (host, int(port)))
        words = f"GET /v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {gateway.admin_token}\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(asking, words.encode())
        yield asking


async def _catches_up(asking: socket.socket, last: int) -> list[int]:
    """What a client finds that begins to read at last, up to this event."""
    octets = bytearray()
    while f'"n":{last},'.encode() not in octets[-(1 << 19) :]:
        chunk = await asyncio.get_running_loop().sock_recv(asking, 1 << 18)
        assert chunk, "the stream goes on"
        octets += chunk
    return [int(each) for each in re.findall(rb'"n":(\d+),', octets)]


async def test_who_reads_nothing_takes_no_memory_and_slows_nobody(
    session: aiohttp.ClientSession, tmp_path: Path, tell: Callable[[str], None]
):
    async with running_gateway(settings_in(tmp_path)) as gateway, _silent(gateway) as asking:
        store = gateway.services.events._store
        fields = {"Authorization": f"Bearer {gateway.admin_token}"}
        seen, grown = list[int](), list[int]()
        async with session.get(gateway.url + "/v1/events?types=queue.*", headers=fields, timeout=None) as stream:
            counting = asyncio.create_task(_count(stream.content, seen))
            await eventually(lambda: len(gateway.services.events._follower._listening) == 2, 10)
            tracemalloc.start()
            for number in range(GROUPS):
                await store.write(_group(number))
                await eventually(lambda wanted=(number + 1) * GROUP: len(seen) == wanted, 10)
                grown.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            assert seen == list(range(GROUP * GROUPS))
            missed_mb = GROUP * GROUPS * len(FILLER) / 1e6
            more_mb = (grown[-1] - grown[GROUPS // 2]) / 1e6
            tell(f"who reads nothing missed {missed_mb:.1f} MB; the second half of it grew memory by {more_mb:.2f} MB")
            assert more_mb < missed_mb / 10
            assert await asyncio.wait_for(_catches_up(asking, seen[-1]), 30) == seen
            counting.cancel()


async def test_the_head_alone_opens_no_stream(api: Api, gateway: Gateway, session: aiohttp.ClientSession):
    url, fields = api.url + "/v1/events", {"Authorization": f"Bearer {api.token}"}
    # Others' clients are gone, and their streams have not looked yet.
    before = set(gateway.services.events._follower._listening)
    for _ in range(MOST_OF_TOKEN + 1):
        async with session.head(url, headers=fields) as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream")
            assert await answer.read() == b""
            assert gateway.services.events._follower._listening <= before
    async with session.head(url, headers={**fields, "Last-Event-ID": "nonsense"}) as answer:
        assert answer.status == 422
    async with session.head(url, params={"types": "message.nonsense"}, headers=fields) as answer:
        assert answer.status == 422
    async with session.head(url) as answer:
        assert answer.status == 401
