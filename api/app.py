"""The HTTP interface: the route table, and the one layer between aiohttp and the handlers.

Everything around a handler happens in that one layer, because the accept path pays for each: Host, token, shape, and
every error becomes a problem.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from api import problems
from api.body import BODY_MAX
from api.endpoint import Endpoint, Intake, OpenEndpoint
from api.hosts import Hosts
from api.intakes import INTAKES
from api.routes import metrics
from api.server import DIRECT, SERVER_LIMITS
from api.table import ENDPOINTS, OPEN_ENDPOINTS
from gateway.config.settings import ApiSettings
from gateway.errors import GatewayError
from gateway.services import Services

_ANY_HOST: Final = frozenset(endpoint.path for endpoint in OPEN_ENDPOINTS if endpoint.any_host)


class _Guard(Protocol):
    """`where` names the route when no router found it."""

    async def __call__(
        self, request: web.Request, handler: Handler, where: str | None = None
    ) -> web.StreamResponse: ...


def create_app(services: Services, settings: ApiSettings) -> web.Application:
    """The application over these services, answering to the names of these settings."""
    guard = _guard(Hosts(settings))
    app = web.Application(
        client_max_size=BODY_MAX, middlewares=[web.middleware(guard)], handler_args=dict(SERVER_LIMITS)
    )
    app[DIRECT] = {}
    app.on_shutdown.append(_ending(services))
    for endpoint in ENDPOINTS:
        handler = _let_in(endpoint, services)
        _add(app, endpoint, handler)
        if "{" not in endpoint.path:
            where = f"{endpoint.method} {endpoint.path}"
            app[DIRECT][endpoint.method, endpoint.path] = partial(guard, handler=handler, where=where)
    for endpoint in OPEN_ENDPOINTS:
        if endpoint.handler is metrics.show and not settings.metrics:
            continue
        _add(app, endpoint, _let_all_in(endpoint, services))
    for intake in INTAKES:
        _add(app, intake, _take_in(intake, services))
    _close_to_others(app)
    return app


def _ending(services: Services) -> Callable[[web.Application], Awaitable[None]]:
    async def end(_: web.Application) -> None:
        """Streams end by themselves, so that nobody waits for them."""
        services.events.close()

    return end


def _add(app: web.Application, endpoint: Endpoint[Any] | OpenEndpoint | Intake, handler: Handler) -> None:
    """Register the route; whatever can be read can be asked for its header fields alone (RFC 9110, 9.3.2)."""
    for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
        app.router.add_route(method, endpoint.path, handler, expect_handler=_expect)


def _close_to_others(app: web.Application) -> None:
    """What is no method of a written path is none of a variable one either: `batch` is not the id of a message."""
    rows = (*ENDPOINTS, *OPEN_ENDPOINTS, *INTAKES)
    for path in dict.fromkeys(row.path for row in rows if "{" not in row.path):
        methods = {row.method for row in rows if row.path == path}
        if any(_covers(row.path, path) for row in rows):
            methods |= {"HEAD"} if "GET" in methods else set()
            app.router.add_route("*", path, _method_not_allowed(methods))


def _covers(pattern: str, path: str) -> bool:
    pieces, said = pattern.split("/"), path.split("/")
    alike = (one == other or one.startswith("{") for one, other in zip(pieces, said, strict=False))
    return pattern != path and len(pieces) == len(said) and all(alike)


def _method_not_allowed(methods: set[str]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return handler


def _let_in(endpoint: Endpoint[Any], services: Services) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await endpoint.answer(request, services)

    return handler


def _let_all_in(endpoint: OpenEndpoint, services: Services) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await endpoint.handler(services, request)

    return handler


def _take_in(intake: Intake, services: Services) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await intake.handler(request, services)
        except (GatewayError, problems.HttpProblem) as error:
            return intake.refuse(error)

    return handler


def _guard(hosts: Hosts) -> _Guard:
    """The layer around every handler, also around those that answer 404 and 405."""

    async def guard(request: web.Request, handler: Handler, where: str | None = None) -> web.StreamResponse:
        try:
            if request.path not in _ANY_HOST:
                hosts.check(request)
                hosts.check_origin(request)
            return await handler(request)
        except GatewayError as error:
            return problems.of_gateway(error)
        except problems.HttpProblem as error:
            return error.response()
        except web.HTTPException as error:
            return problems.of_framework(error)
        except Exception as error:  # noqa: BLE001 - the last floor: nobody gets a traceback
            return problems.of_defect(error, where or _route_of(request))

    return guard


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """RFC 9110, 10.1.1: the body may come, or the expectation is none that can be met."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return problems.of_framework(web.HTTPExpectationFailed())
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # The answer proper has not begun; aiohttp's own handler resets this too.
    request.writer.output_size = 0
    return None


def _route_of(request: web.Request) -> str:
    """Method and pattern of the route: the path itself may hold a name or a number."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource is not None else '(no route)'}"
