"""Receivers of webhooks for the benchmarks: one that is well and notes when it is told, one that accepts connections
and never answers, and a port where nobody listens; and a store that owes an endpoint very much."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy import Connection, select

from bench.filling import Works
from gateway.ids import IdSource
from gateway.requests import WebhookView
from gateway.store import deliveries, webhooks
from gateway.store.deliveries import GROUP, NewDelivery
from gateway.store.schema import event


@dataclass(slots=True)
class Healthy:
    """A receiver that takes everything at once: when it was told of each message, on the monotonic clock."""

    url: str = ""
    told: dict[str, float] = field(default_factory=dict[str, float])


@asynccontextmanager
async def healthy() -> AsyncIterator[Healthy]:
    """On a port of its own until the end of the block."""
    played = Healthy()

    async def hear(request: web.Request) -> web.Response:
        now = time.monotonic()
        about = json.loads(await request.read())["data"]
        played.told[about.get("id", "")] = now
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hear)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    played.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield played
    await runner.cleanup()


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """The address of a server that reads what it is asked, and says nothing."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


@asynccontextmanager
async def down() -> AsyncIterator[str]:
    """An address where nobody listens, and nobody else begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/"


async def endpoint(works: Works, url: str, *types: str) -> str:
    """Keep an endpoint that is told of what happens from now on; its id."""
    now_us = works.clock.now_us()
    made = WebhookView(IdSource(works.clock).new(), url, types, None, now_us, now_us)
    await works.store.write(lambda connection: webhooks.add(connection, made, followed=False))
    return made.id


async def owe(works: Works, target: str, count: int) -> int:
    """Leave an endpoint so many of the events that are in the store to be told; how many those are."""
    made_us, last, owed = works.clock.now_us(), 0, 0

    def work(connection: Connection) -> tuple[int, int]:
        mine = select(event.c.id, event.c.message_id).where(event.c.id > last, event.c.message_id.is_not(None))
        rows = connection.execute(mine.order_by(event.c.id).limit(min(GROUP, count - owed))).all()
        deliveries.add(connection, [NewDelivery(target, row.id, row.message_id) for row in rows], made_us)
        return (rows[-1].id, len(rows)) if rows else (last, 0)

    while owed < count:
        last, more = await works.store.write(work)
        if not more:
            break
        owed += more
    return owed
