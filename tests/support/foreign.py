"""A gateway as programs of other systems meet it: a simulated modem with a number, tokens, and somebody who listens."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from support.settings import settings_in
from support.waiting import eventually

from gateway.daemon import Gateway, running_gateway

T = TypeVar("T")

#: The number of the only modem.
OWN = "+33700000001"
UNKNOWN = "tocsin_" + "A" * 43
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=30)
#: Far off, and the same for a whole run.
FAR = f"{NOON:%Y-%m-%dT%H:%M:%S.000Z}"


@dataclass(frozen=True)
class Heard:
    """A request that somebody else's server got."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """Somebody else's server, that notes what it is told."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)

    async def until(self, wanted: Callable[[Heard], bool]) -> Heard:
        async def found() -> Heard | None:
            return next((each for each in self.heard if wanted(each)), None)

        return await eventually(found, 10, "a callback")


@dataclass
class Foreign:
    """The gateway, and what is asked of it beside the client under test."""

    gateway: Gateway
    session: aiohttp.ClientSession
    listener: Listener
    numbers: Any = field(default_factory=lambda: itertools.count(10_000))
    names: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return self.gateway.url

    def number(self) -> str:
        """Somebody whom no other test writes to."""
        return f"+336121{next(self.numbers)}"

    async def token(self, *scopes: str, **fields: object) -> str:
        body = {"name": f"foreign-{next(self.names)}", "scopes": list(scopes), **fields}
        return (await self.ours("POST", "/v1/tokens", body))["token"]

    async def revoked(self) -> str:
        name = f"revoked-{next(self.names)}"
        made = await self.ours("POST", "/v1/tokens", {"name": name, "scopes": ["admin"]})
        await self.ours("DELETE", f"/v1/tokens/{name}")
        return made["token"]

    async def ours(self, method: str, path: str, body: object = None) -> Any:
        """Ask the gateway's own interface as an admin."""
        headers = {"Authorization": f"Bearer {self.gateway.admin_token}"}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def raw_as(
        self, login: str, token: str, method: str, path: str, **given: Any
    ) -> tuple[int, str, dict[str, str]]:
        """The same with HTTP Basic."""
        headers = {"Authorization": aiohttp.encode_basic_auth(login, token), **given.pop("headers", {})}
        return await self.raw(method, path, headers=headers, **given)

    async def raw(self, method: str, path: str, **given: Any) -> tuple[int, str, dict[str, str]]:
        """Status, text and header of an answer, whatever it is."""
        if isinstance(given.get("data"), bytes):
            # The client warns of large bodies given as octets.
            given["data"] = io.BytesIO(given["data"])
        async with self.session.request(method, self.url + path, **given) as answer:
            return answer.status, await answer.text(), dict(answer.headers)


@asynccontextmanager
async def foreign_in(folder: Path) -> AsyncIterator[Foreign]:
    """A gateway in this folder, and a listener that it may call back."""
    settings = settings_in(folder)
    modems = {name: replace(modem, number=OWN) for name, modem in settings.modems.items()}
    settings = replace(settings, modems=modems, webhook_networks=("127.0.0.1/32",))
    async with listening() as listener, running_gateway(settings) as gateway, aiohttp.ClientSession() as session:
        yield Foreign(gateway, session, listener)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()

    async def note(request: web.Request) -> web.Response:
        listener.heard.append(
            Heard(request.method, listener.url + request.raw_path, dict(request.headers), await request.read())
        )
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listener
    await runner.cleanup()


async def beside(work: Callable[[], T]) -> T:
    """What a client that blocks does, while the gateway goes on."""
    return await asyncio.to_thread(work)
