"""Refusals as RFC 9457 problem details: one table from the gateway's errors to status codes, one body for all.

    {"type": "about:blank", "title": …, "status": …, "detail": …, "code": …, "errors": [{"pointer", "message"}]}

`title` is the phrase of the status, as `about:blank` asks for (RFC 9457, 4.2.1); `code` is what programs look at.
Neither an answer nor a log line ever shows a traceback, a number, a text or a secret.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.answers import COMMON_FIELDS, PROBLEM, to_json
from gateway.errors import (
    Conflict,
    FieldError,
    Forbidden,
    GatewayError,
    InvalidRequest,
    NotFound,
    StorageFull,
    TooMany,
    Unauthorized,
    Unavailable,
)

_log = logging.getLogger(__name__)

_FRAMES_LOGGED = 8

#: The most specific class first: `StorageFull` is an `Unavailable`.
STATUS_OF: Final[Mapping[type[GatewayError], HTTPStatus]] = {
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

#: Refusals that aiohttp raises before a handler is found, or while a body is read.
_CODE_OF_FRAMEWORK: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "the request is not well-formed HTTP"),
    404: ("route_not_found", "there is nothing at this path"),
    405: ("method_not_allowed", "this path takes other methods; the Allow field names them"),
    413: ("body_too_large", "the body is larger than 4 MiB"),
    417: ("expectation_failed", "the only expectation that can be met is 100-continue"),
    431: ("header_too_large", "the request line or a header field is longer than 8190 octets"),
}

_INTERNAL: Final = ("internal_error", "something failed inside the gateway; its log says where")

#: RFC 9110 renamed two phrases; older Pythons have the old ones.
_TITLES: Final[Mapping[int, str]] = {413: "Content Too Large", 422: "Unprocessable Content"}

CHALLENGE: Final = 'Bearer realm="tocsin"'


class HttpProblem(Exception):
    """A refusal that HTTP itself is the reason for: form, type, size, host, token."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.fields = fields or {}

    def response(self) -> web.Response:
        """The problem as an answer."""
        return problem(self.status, self.code, self.detail, errors=self.errors, fields=self.fields)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    fields: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> web.Response:
    """A problem answer. `fields` are further header fields, `members` further members (RFC 9457, 3.2)."""
    document = _document(status, code, detail, errors) | dict(members or {})
    header = {"Content-Type": PROBLEM, **COMMON_FIELDS, **(fields or {})}
    return web.Response(body=to_json(document), status=status, headers=header)


def document_of(error: GatewayError | HttpProblem) -> dict[str, object]:
    """The problem as a document of its own, where it answers one line of several."""
    if isinstance(error, HttpProblem):
        return _document(error.status, error.code, error.detail, error.errors)
    return _document(_status_of(error), error.code, error.message, error.errors)


def _document(status: int, code: str, detail: str, errors: Sequence[FieldError]) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": int(status),
        "detail": _detail(detail, errors),
        "code": code,
    }
    if errors:
        document["errors"] = [{"pointer": error.pointer, "message": error.message} for error in errors]
    return document


def _status_of(error: GatewayError) -> HTTPStatus:
    return next(status for kind, status in STATUS_OF.items() if isinstance(error, kind))


def _detail(message: str, errors: Sequence[FieldError]) -> str:
    """One sentence for a person; a message that is only the first field's says of which field."""
    if not errors or message != errors[0].message:
        return message
    named = f"{errors[0].pointer.lstrip('/') or 'body'}: {message}"
    return named if len(errors) == 1 else f"{named} (and {len(errors) - 1} more)"


def of_gateway(error: GatewayError) -> web.Response:
    """The problem for a typed refusal of the gateway."""
    status = _status_of(error)
    fields: dict[str, str] = {}
    if isinstance(error, Unavailable | TooMany):
        fields["Retry-After"] = str(max(1, error.retry_after_s))
    if isinstance(error, Unauthorized):
        fields["WWW-Authenticate"] = CHALLENGE
    return problem(status, error.code, error.message, errors=error.errors, fields=fields)


def of_framework(error: web.HTTPException) -> web.Response:
    """The problem for a refusal that aiohttp raised. Its own text is dropped: it may repeat what was sent."""
    code, detail = _CODE_OF_FRAMEWORK.get(error.status, ("http_error", HTTPStatus(error.status).phrase))
    allow = error.headers.get("Allow")
    return problem(error.status, code, detail, fields={"Allow": allow} if allow else {})


def of_bad_http(status: int) -> web.Response:
    """The problem for octets that are no HTTP request, or for a server that failed at one; the connection is closed."""
    code, detail = _CODE_OF_FRAMEWORK.get(status, _CODE_OF_FRAMEWORK[400])
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code, detail = _INTERNAL
    response = problem(status, code, detail)
    response.force_close()
    return response


def of_defect(error: BaseException, where: str) -> web.Response:
    """The problem for an error nobody expected. `where` is the route, never the path that was asked for."""
    log_defect(error, where)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, *_INTERNAL)


def log_defect(error: BaseException | None, where: str) -> None:
    """One line with the kinds of errors and the places: messages of errors may quote what was sent."""
    fields = {"action": "defect", "route": where, "error": _kinds(error), "places": _places(error)}
    _log.error("unexpected error while answering a request", extra=fields)


def _kinds(error: BaseException | None) -> str:
    """The classes of the error and its causes, outermost first."""
    names: list[str] = []
    link = error
    while link is not None and len(names) < _FRAMES_LOGGED:
        names.append(type(link).__qualname__)
        link = link.__cause__ or link.__context__
    return " from ".join(names)


def _places(error: BaseException | None) -> str:
    """`file:line` of the innermost frames, without source lines or values."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)[-_FRAMES_LOGGED:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
