"""One row of the route table, and what a handler is given.

A row is data (method, path, scope, the model that it takes and from where, handler), so that a description of the
interface can be drawn from the same table that serves it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from aiohttp import web

from api.auth import principal_of
from api.body import read_object
from api.models.fields import Incoming, NoQuery
from api.query import read_query
from api.validation import validated
from gateway.requests import Principal
from gateway.services import Services

M = TypeVar("M", bound=Incoming)


class Part(Enum):
    """Where the values of a request stand."""

    QUERY = "query"
    BODY = "body"
    #: As BODY; no body is the same as an empty object.
    BODY_IF_ANY = "body, if any"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: who asks, and the services to ask."""

    request: web.Request
    services: Services
    principal: Principal

    def segment(self, name: str) -> str:
        """The text of a variable segment of the path, such as `id`.

        Octets that are no UTF-8 become replacement characters, which no name has.
        """
        text = self.request.match_info[name]
        return text if text.isascii() else text.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[M]):
    """A route that wants a token with `scope`."""

    method: str
    path: str
    scope: str
    part: Part
    takes: type[M]
    handler: Callable[[Call, M], Awaitable[web.StreamResponse]]

    async def answer(self, request: web.Request, services: Services) -> web.StreamResponse:
        """Token, then shape, then the handler. A query that the route does not know is refused with the shape."""
        principal = principal_of(request, services.tokens, self.scope)
        return await self.handler(Call(request, services, principal), await self._wanted(request))

    async def _wanted(self, request: web.Request) -> M:
        if self.part is Part.QUERY:
            return _queried(request, self.takes)
        if request.rel_url.raw_query_string:
            _queried(request, NoQuery)
        if self.part is Part.BODY_IF_ANY and not request.can_read_body:
            return validated(self.takes, {})
        return validated(self.takes, await read_object(request))


@dataclass(frozen=True, slots=True)
class OpenEndpoint:
    """A route without token, for any Host: it tells nothing of anybody."""

    path: str
    handler: Callable[[Services], Awaitable[web.StreamResponse]]
    method: str = "GET"


def by_query(
    method: str, path: str, scope: str, takes: type[M], handler: Callable[[Call, M], Awaitable[web.StreamResponse]]
) -> Endpoint[M]:
    """A route whose values stand in the query string."""
    return Endpoint(method, path, scope, Part.QUERY, takes, handler)


def by_body(
    method: str, path: str, scope: str, takes: type[M], handler: Callable[[Call, M], Awaitable[web.StreamResponse]]
) -> Endpoint[M]:
    """A route whose values stand in a JSON body."""
    return Endpoint(method, path, scope, Part.BODY, takes, handler)


def by_body_if_any(
    method: str, path: str, scope: str, takes: type[M], handler: Callable[[Call, M], Awaitable[web.StreamResponse]]
) -> Endpoint[M]:
    """A route whose values stand in a JSON body, which may be left out."""
    return Endpoint(method, path, scope, Part.BODY_IF_ANY, takes, handler)


def _queried(request: web.Request, model: type[M]) -> M:
    return validated(model, read_query(request, model.REPEATABLE), in_query=True)
