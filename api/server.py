"""The server under the application: octets that are no HTTP get a problem too, and no log line repeats them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.typedefs import Handler

from api.connections import Connections, Held, connections_of_process
from api.problems import log_defect, of_bad_http
from api.sources import source_of

#: A request line or header field beyond this is nobody's honest request.
_HEADER_MAX: Final = 8190
SERVER_LIMITS: Final[Mapping[str, Any]] = {
    # A connection that has not finished the header fields of its next request by then is closed.
    "keepalive_timeout": 75.0,
    "lingering_time": 5.0,
    "max_line_size": _HEADER_MAX,
    "max_field_size": _HEADER_MAX,
    # Compressed bodies are refused; nothing may unpack them on the way.
    "auto_decompress": False,
    # Request lines hold numbers.
    "access_log": None,
}


#: Of an application: its routes without a variable segment, by method and path. They are found by one look, without
#: aiohttp's router: the accept path pays for each step.
DIRECT: Final = web.AppKey("direct", dict[tuple[str, str], Handler])

# RFC 6761, 6.4: a name that is nobody's.
_NOBODY: Final = "host.invalid"


# Who connects and then says nothing of TLS holds a descriptor for nothing.
_HANDSHAKE_S: Final = 10.0


class _Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ("_room", "_source", "known")

    def __init__(self, server: web.Server, room: Connections, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._room = room
        self._source = ""
        self.known = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open, and ended at once when there is no room for it."""
        super().connection_made(transport)
        self._source = source_of(transport)
        if not self._room.admit(self, self._source):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is closed."""
        self._room.forget(self, self._source)
        super().connection_lost(exc)

    def idle_since(self) -> float | None:
        """See `api.connections.Held`; the instant is later by the same time for all."""
        busy = self._messages or (self._request_in_progress and self.known)
        return None if busy else self._next_keepalive_close_time

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be parsed. The parser's message quotes the octets and is dropped."""
        del request, message
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log_defect(exc, "(server)")
        # RFC 6585, 5; aiohttp knows the reason and answers 400 all the same.
        return of_bad_http(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if isinstance(exc, LineTooLong) else status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """An error outside any handler, such as an answer that could not be written."""
        del args
        error = kw.get("exc_info")
        log_defect(error if isinstance(error, BaseException) else None, "(server)")


class _Server(web.Server):
    """Makes our connections."""

    def __init__(self, handler: Any, share: int, **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self._room = connections_of_process(share)

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, self._room, loop=self._loop, **self._kwargs)


class ApiSite(web.SockSite):
    """Listens on a socket that is bound, with TLS if there is a context."""

    async def start(self) -> None:
        """Begin to listen."""
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            backlog=self._backlog,
            ssl=self._ssl_context,
            # Without TLS no limit may be given.
            ssl_handshake_timeout=_HANDSHAKE_S if self._ssl_context else None,
        )


def _readable(factory: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """A host in the target that is no host by IDNA fails while aiohttp makes the request, before any handler could
    answer. It is taken for a host that is certainly not ours, so that the answer is the one for those.
    """

    def make(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:
        try:
            return factory(message, *rest)
        except ValueError:
            return factory(message._replace(url=message.url.with_host(_NOBODY)), *rest)

    return make


def _directed(app: web.Application, routed: Callable[[Any], Awaitable[web.StreamResponse]]) -> Callable[..., Any]:
    """A handler for every request: the direct routes at once, all others as aiohttp would."""
    direct: Mapping[tuple[str, str], Handler] = app[DIRECT] if DIRECT in app else {}  # noqa: SIM401 - get() loses the type

    async def handle(request: web.Request) -> web.StreamResponse:
        cast("Held", request.protocol).known = False
        handler = direct.get((request.method, request.raw_path))
        # Whoever waits for leave to send the body is answered by the router.
        if handler is None or "Expect" in request.headers:
            return await routed(request)
        return await handler(request)

    return handle


class ApiRunner(web.AppRunner):
    """Runs an application of `create_app`. `shutdown_timeout` and `handle_signals` are as for `web.AppRunner`."""

    #: Its connections hold one in so many of the descriptors of this process at most.
    share = 2

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            _directed(self.app, made.request_handler),
            self.share,
            request_factory=_readable(made.request_factory),
            loop=asyncio.get_running_loop(),
            **SERVER_LIMITS,
        )
