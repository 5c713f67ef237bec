"""Receivers of webhooks, and what tells them, over a real store and real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from support.clock import ManualClock
from support.settings import settings_in
from support.waiting import eventually

from api.models.events import rendered
from gateway.clock import Clock
from gateway.ids import IdSource
from gateway.notify.notifier import Notifier
from gateway.requests import Principal, WebhookView
from gateway.services.webhooks import Webhooks
from gateway.store import deliveries, events
from gateway.store.database import Store

ADMIN = Principal(1, "admin", frozenset({"admin"}))
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Told:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


async def fine(_: web.Request) -> web.StreamResponse:
    return web.Response()


@dataclass
class Receiver:
    """A server that plays receivers: `answer` says how, `told` what it was told and took, `asked` all it was asked."""

    url: str
    answer: Answering = fine
    told: list[Told] = field(default_factory=list)
    asked: list[Told] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        one = Told(request.path, dict(request.headers), await request.read())
        self.asked.append(one)
        answer = await self.answer(request)
        if answer.status < 300:
            self.told.append(one)
        return answer

    def refuse(self, status: int, **headers: str) -> None:
        async def refusing(_: web.Request) -> web.StreamResponse:
            return web.Response(
                status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        self.answer = refusing


@asynccontextmanager
async def receiver(host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    played = Receiver("")
    app.router.add_route("*", "/{any:.*}", played.handle)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    played.url = f"http://{host}:{runner.addresses[0][1]}"
    yield played
    await runner.cleanup()


@dataclass
class Telling:
    """The webhooks of a gateway without the gateway. What happens is put into its store."""

    store: Store
    clock: Clock
    webhooks: Webhooks
    tasks: list[asyncio.Task[None]]

    async def endpoint(self, url: str, *types: str) -> tuple[WebhookView, str]:
        return await self.webhooks.create(ADMIN, url, types or None)

    async def happen(self, *subjects: str, kind: str = "queue.paused", detail: str | None = None) -> None:
        """One event for each subject, in their order and in one commit; what is behind a # tells several apart."""

        def work(connection: Any) -> None:
            for each in subjects:
                events.record(
                    connection, self.clock.now_us(), kind, message_id=each.partition("#")[0], detail=detail or each
                )

        await self.store.write(work)

    async def left(self) -> dict[str, int]:
        return await self.store.read(deliveries.counts)

    async def until(
        self,
        condition: Callable[[], Any],
        what: str = "",
        step: timedelta = timedelta(milliseconds=60),
        most_s: float = 20,
    ) -> None:
        """Let time pass until it holds, where the clock stands still by itself."""

        def held() -> Any:
            if isinstance(self.clock, ManualClock):
                self.clock.advance(step)
            return condition()

        await eventually(held, most_s, what)


@asynccontextmanager
async def telling(store: Store, clock: Clock, folder: Path, *allowed: str) -> AsyncIterator[Telling]:
    """With the tasks that tell, until the end; `allowed` is `[webhooks] allow`."""
    settings = replace(settings_in(folder), webhook_networks=allowed)
    notifier = Notifier(settings, store, clock, rendered)
    webhooks = Webhooks(store, clock, IdSource(clock), notifier)
    tasks = [asyncio.create_task(work) for _, work in notifier.tasks()]
    try:
        yield Telling(store, clock, webhooks, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
