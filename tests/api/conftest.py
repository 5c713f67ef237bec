"""One real gateway for the whole folder: real store, simulated modem, real HTTP. Its clock stands still."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio
from support.clock import ManualClock
from support.crowd import clear
from support.http import Api
from support.settings import settings_in

from api.app import create_app
from api.server import ApiRunner
from gateway.config.settings import ApiSettings, ListenAddress
from gateway.daemon import Gateway, running_gateway

_SESSION = {"scope": "session", "loop_scope": "session"}

MakeToken = Callable[..., Awaitable[Api]]
Serve = Callable[[ApiSettings], Awaitable[str]]


@pytest_asyncio.fixture(**_SESSION)
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    settings = settings_in(tmp_path_factory.mktemp("gateway"))
    async with running_gateway(settings, ManualClock()) as running:
        yield running


@pytest_asyncio.fixture(**_SESSION)
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture(**_SESSION)
async def api(gateway: Gateway, session: aiohttp.ClientSession) -> Api:
    """The interface, asked with the scope `admin`."""
    return Api(session, gateway.url, gateway.admin_token)


@pytest_asyncio.fixture(**_SESSION)
async def holder(api: Api) -> MakeToken:
    """Makes a token with these scopes, and gives the interface as its holder sees it."""
    numbers = itertools.count(1)

    async def make(*scopes: str, **fields: object) -> Api:
        name = f"holder-{next(numbers)}"
        made = await api.post("/v1/tokens", {"name": name, "scopes": list(scopes), **fields})
        assert made.status == 201
        return api.with_token(made.document["token"])

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def nobody(gateway: Gateway) -> None:
    """No contact and no attribute, whichever tests ran before: for those that list or count all there are."""
    await clear(gateway.services.segments._store)


@pytest_asyncio.fixture(loop_scope="session")
async def serve(gateway: Gateway) -> AsyncIterator[Serve]:
    """Serves the same services once more, with other settings of the interface; gives the address."""
    runners: list[ApiRunner] = []

    async def start(settings: ApiSettings) -> str:
        app = create_app(gateway.services, settings)
        # The gateway goes on: its streams do not end with this address.
        app.on_shutdown.clear()
        runner = ApiRunner(app, handle_signals=False, shutdown_timeout=1.0)
        runners.append(runner)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def bare(serve: Serve) -> str:
    """An address with the server's own answers to what is no HTTP."""
    return await serve(ApiSettings((ListenAddress("127.0.0.1", 0),), (), ()))
