"""Whoever follows a short link is sent on, and told nothing else: a listener of its own, on an address of its own.

It leads to addresses that the store has, and nowhere else. It sets no cookie, keeps nothing of who came but what kind
of visitor it was, and logs nothing: a code stands for a person. Who tries codes that there are not is told to wait,
longer each time, as who tries tokens is; a right code is followed all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from socket import AF_UNIX, socket
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from api.problems import log_defect
from api.server import SERVER_LIMITS, ApiRunner, ApiSite
from api.sources import source_of
from api.throttle import Guesses
from gateway.errors import GatewayError
from gateway.services.short_links import ShortLinks

_BACKLOG: Final = 1024
_PATIENCE_S: Final = 2.0
_SHARE: Final = 8
#: No copy is kept on the way, the next site learns nothing of this one, and search engines leave it alone.
FIELDS: Final[Mapping[str, str]] = {
    "Server": "tocsin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_WORDS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.NOT_FOUND: "There is nothing here.\n",
    HTTPStatus.METHOD_NOT_ALLOWED: "There is nothing here.\n",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many attempts.\n",
    HTTPStatus.SERVICE_UNAVAILABLE: "Please try again in a moment.\n",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Please try again in a moment.\n",
}


def links_app(links: ShortLinks) -> web.Application:
    """The application that follows links, and does nothing else."""
    app = web.Application(client_max_size=1, handler_args=dict(SERVER_LIMITS))
    visitors = _Visitors(links)
    app.router.add_route("*", "/{tail:.*}", visitors.answer)
    return app


@asynccontextmanager
async def short_links_front(
    links: ShortLinks, sockets: Sequence[socket], context: SSLContext | None
) -> AsyncGenerator[None]:
    """Listen on the sockets, with TLS on those of the network if there is a context; at the end every visit is
    written."""
    runner = ApiRunner(links_app(links), access_log=None, shutdown_timeout=_PATIENCE_S, handle_signals=False)
    # Strangers must not take the descriptors of those who send.
    runner.share = _SHARE
    await runner.setup()
    writing = asyncio.create_task(links.clicks.run(), name="clicks")
    try:
        for each in sockets:
            await ApiSite(
                runner, each, backlog=_BACKLOG, ssl_context=None if each.family == AF_UNIX else context
            ).start()
        yield
    finally:
        await runner.cleanup()
        links.clicks.end()
        await writing


class _Visitors:
    def __init__(self, links: ShortLinks) -> None:
        self._links = links
        self._guesses = Guesses(quiet=True)
        address = links.settings.address
        self._beginning = "/" if address is None else f"{urlsplit(address).path}/"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send on, or say that there is nothing."""
        try:
            return await self._answer(request)
        except GatewayError:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
        except Exception as error:  # noqa: BLE001 - the last floor: nobody gets a traceback
            log_defect(error, "(link)")
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        code = self._code(request.rel_url.raw_path)
        url = await self._links.follow(code, request.method, request.headers)
        if url is None:
            wait_s = self._guesses.wrong(source_of(request.transport))
            if wait_s is not None:
                return _plain(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait_s)})
            return _plain(HTTPStatus.NOT_FOUND)
        return web.Response(status=HTTPStatus.FOUND, headers={**FIELDS, "Location": _location(url)})

    def _code(self, path: str) -> str:
        """What stands behind the path of the address; a server in front may have taken that away."""
        return path.removeprefix(self._beginning) if path.startswith(self._beginning) else path.removeprefix("/")


def _location(url: str) -> str:
    """As a header field takes it: characters beyond ASCII are written as browsers would write them."""
    return url if url.isascii() else str(URL(url))


def _plain(status: HTTPStatus, fields: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=_WORDS[status], headers={**FIELDS, **(fields or {})})
