"""The HTTP interface: the route table, and the one layer between aiohttp and the handlers.

Everything around a handler happens in that one layer, because the accept path pays for each: Host, token, shape, and
every error becomes a problem.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from api import problems
from api.body import BODY_MAX
from api.endpoint import Endpoint, OpenEndpoint, by_body, by_body_if_any, by_query
from api.hosts import Hosts
from api.models.fields import NoFields, NoQuery, PageQuery
from api.models.inbox import InboxQuery
from api.models.messages import MessageIn, MessagesQuery, PreviewIn, ReferenceQuery, ResolveIn
from api.models.modems import AtIn, SimulateIn, UssdIn
from api.models.optouts import LiftQuery, OptOutIn, OptOutsQuery
from api.models.queue import PauseIn
from api.models.tokens import TokenIn
from api.models.traces import TraceIn
from api.routes import batch, health, inbox, messages, modems, optouts, queue, tokens, traces
from api.server import DIRECT, SERVER_LIMITS
from gateway.config.settings import ApiSettings
from gateway.errors import GatewayError
from gateway.services import Services

#: Every route that wants a token: method, path, scope, what it takes, handler.
ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    by_body("POST", "/v1/messages", "send", MessageIn, messages.create),
    by_query("GET", "/v1/messages", "read", MessagesQuery, messages.list_all),
    by_query("DELETE", "/v1/messages", "send", ReferenceQuery, messages.cancel_reference),
    by_query("POST", "/v1/messages/batch", "send", NoQuery, batch.create),
    by_body("POST", "/v1/messages/preview", "send", PreviewIn, messages.preview),
    by_query("GET", "/v1/messages/{id}", "read", NoQuery, messages.read),
    by_query("DELETE", "/v1/messages/{id}", "send", NoQuery, messages.cancel),
    by_query("GET", "/v1/messages/{id}/timeline", "read", NoQuery, messages.timeline),
    by_body_if_any("POST", "/v1/messages/{id}/cancel", "send", NoFields, messages.cancel),
    by_query("DELETE", "/v1/messages/{id}/cancel", "send", NoQuery, messages.cancel),
    by_body("POST", "/v1/messages/{id}/resolve", "send", ResolveIn, messages.resolve),
    by_query("GET", "/v1/pause", "read", NoQuery, queue.state),
    by_body_if_any("POST", "/v1/pause", "admin", PauseIn, queue.pause),
    by_body_if_any("POST", "/v1/resume", "admin", NoFields, queue.resume),
    by_query("GET", "/v1/inbox", "read", InboxQuery, inbox.list_all),
    by_query("GET", "/v1/optouts", "contacts", OptOutsQuery, optouts.list_all),
    by_body("POST", "/v1/optouts", "contacts", OptOutIn, optouts.add),
    by_query("DELETE", "/v1/optouts", "contacts", LiftQuery, optouts.lift),
    by_query("GET", "/v1/modems", "read", PageQuery, modems.list_all),
    by_body("POST", "/v1/modems/{name}/simulate", "admin", SimulateIn, modems.simulate),
    by_body_if_any("POST", "/v1/modems/{name}/reset", "admin", NoFields, modems.reset),
    by_body_if_any("POST", "/v1/modems/{name}/pause", "admin", NoFields, modems.pause),
    by_body_if_any("POST", "/v1/modems/{name}/resume", "admin", NoFields, modems.resume),
    by_body_if_any("POST", "/v1/modems/{name}/unlock", "admin", NoFields, modems.unlock),
    by_body("POST", "/v1/modems/{name}/at", "admin", AtIn, modems.at),
    by_body("POST", "/v1/modems/{name}/ussd", "admin", UssdIn, modems.ussd),
    by_body("POST", "/v1/modems/{name}/trace", "admin", TraceIn, traces.start),
    by_query("DELETE", "/v1/modems/{name}/trace", "admin", NoQuery, traces.stop),
    by_query("GET", "/v1/tokens", "admin", PageQuery, tokens.list_all),
    by_body("POST", "/v1/tokens", "admin", TokenIn, tokens.create),
    by_query("DELETE", "/v1/tokens/{name}", "admin", NoQuery, tokens.revoke),
)

#: Every route that wants none.
OPEN_ENDPOINTS: Final = (OpenEndpoint("/healthz", health.alive), OpenEndpoint("/readyz", health.ready))

_OPEN_PATHS: Final = frozenset(endpoint.path for endpoint in OPEN_ENDPOINTS)


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
    for endpoint in ENDPOINTS:
        handler = _let_in(endpoint, services)
        _add(app, endpoint, handler)
        if "{" not in endpoint.path:
            where = f"{endpoint.method} {endpoint.path}"
            app[DIRECT][endpoint.method, endpoint.path] = partial(guard, handler=handler, where=where)
    for endpoint in OPEN_ENDPOINTS:
        _add(app, endpoint, _let_all_in(endpoint, services))
    return app


def _add(app: web.Application, endpoint: Endpoint[Any] | OpenEndpoint, handler: Handler) -> None:
    """Register the route; whatever can be read can be asked for its header fields alone (RFC 9110, 9.3.2)."""
    for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
        app.router.add_route(method, endpoint.path, handler, expect_handler=_expect)


def _let_in(endpoint: Endpoint[Any], services: Services) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await endpoint.answer(request, services)

    return handler


def _let_all_in(endpoint: OpenEndpoint, services: Services) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return await endpoint.handler(services)

    return handler


def _guard(hosts: Hosts) -> _Guard:
    """The layer around every handler, also around those that answer 404 and 405."""

    async def guard(request: web.Request, handler: Handler, where: str | None = None) -> web.StreamResponse:
        try:
            if request.path not in _OPEN_PATHS:
                hosts.check(request)
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
