"""One row of the route table, and what a handler is given.

A row is data (method, path, scope, the model that it takes and from where, handler, what it answers), so that the
description of the interface (`api.description`) is drawn from the same table that serves it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypedDict, TypeVar, Unpack

from aiohttp import web
from pydantic import BaseModel

from api.auth import principal_of
from api.body import read_object
from api.models.fields import Incoming, NoQuery
from api.problems import HttpProblem
from api.query import read_query
from api.validation import validated
from gateway.errors import GatewayError
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
class Reply:
    """One answer that can come: its status, when it does, its media type (empty: no body), the shape of a JSON body."""

    status: int
    says: str
    media: str = "application/json"
    model: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[M]):
    """A route that wants a token with `scope`."""

    method: str
    path: str
    scope: str
    part: Part
    takes: type[M]
    handler: Callable[[Call, M], Awaitable[web.StreamResponse]]
    #: The shape of a good answer's body (None: no JSON body), its status, its media type, and the error codes that are
    #: its own: each stands in `api.codes`.
    out: type[BaseModel] | None = None
    status: int = 200
    codes: tuple[str, ...] = ()
    media: str = "application/json"
    #: Other good answers, and the bodies that a handler reads by itself: media type and shape.
    also: tuple[Reply, ...] = ()
    bodies: tuple[tuple[str, type[Incoming]], ...] = ()

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
    """A route without token: it tells nothing of anybody. `any_host`: supervisors ask it by whatever name they have."""

    path: str
    handler: Callable[[Services, web.Request], Awaitable[web.StreamResponse]]
    method: str = "GET"
    out: type[BaseModel] | None = None
    codes: tuple[str, ...] = ()
    media: str = "application/json"
    also: tuple[Reply, ...] = ()
    any_host: bool = True


@dataclass(frozen=True, slots=True)
class Credential:
    """Where another system puts the token.

    `scheme` is `bearer`, `basic` (as the password), `header`, `query` or `form`; `name` is that of the field.
    """

    scheme: str
    name: str = ""


BEARER: Final = Credential("bearer")
BASIC: Final = Credential("basic")


@dataclass(frozen=True, slots=True)
class Intake:
    """A route that speaks another system's language: its own credentials, bodies and answers, behind the same services.

    `refuse` puts a refusal into that system's words; what it raises is a defect.
    """

    method: str
    path: str
    handler: Callable[[web.Request, Services], Awaitable[web.StreamResponse]]
    refuse: Callable[[GatewayError | HttpProblem], web.Response]
    #: What system it speaks to, for the description of the interface; so is all that follows.
    system: str
    scope: str = "send"
    #: Any one of them is enough; without any, no token is wanted.
    credentials: tuple[Credential, ...] = ()
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    #: The media types of a body.
    media: tuple[str, ...] = ()
    body_needed: bool = True
    #: Good answers, and all refusals in that system's own form.
    answers: tuple[Reply, ...] = ()
    #: Error codes that no route of ours has, where that form is our own problem.
    codes: tuple[str, ...] = ()


class Answers(TypedDict, total=False):
    """What a row may say of its answers: see `Endpoint`."""

    out: type[BaseModel] | None
    status: int
    codes: tuple[str, ...]
    media: str
    also: tuple[Reply, ...]
    bodies: tuple[tuple[str, type[Incoming]], ...]


def by_query(
    method: str,
    path: str,
    scope: str,
    takes: type[M],
    handler: Callable[[Call, M], Awaitable[web.StreamResponse]],
    **answers: Unpack[Answers],
) -> Endpoint[M]:
    """A route whose values stand in the query string."""
    return Endpoint(method, path, scope, Part.QUERY, takes, handler, **answers)


def by_body(
    method: str,
    path: str,
    scope: str,
    takes: type[M],
    handler: Callable[[Call, M], Awaitable[web.StreamResponse]],
    **answers: Unpack[Answers],
) -> Endpoint[M]:
    """A route whose values stand in a JSON body."""
    return Endpoint(method, path, scope, Part.BODY, takes, handler, **answers)


def by_body_if_any(
    method: str,
    path: str,
    scope: str,
    takes: type[M],
    handler: Callable[[Call, M], Awaitable[web.StreamResponse]],
    **answers: Unpack[Answers],
) -> Endpoint[M]:
    """A route whose values stand in a JSON body, which may be left out."""
    return Endpoint(method, path, scope, Part.BODY_IF_ANY, takes, handler, **answers)


def _queried(request: web.Request, model: type[M]) -> M:
    return validated(model, read_query(request, model.REPEATABLE), in_query=True)
