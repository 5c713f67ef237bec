"""The header field Idempotency-Key: the caller's word by which a request that is asked again is known."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.problems import HttpProblem
from gateway.errors import FieldError

_FIELD: Final = "Idempotency-Key"
_MOST: Final = 255


def idempotency_key(request: web.Request) -> str | None:
    """The key, None without one. Raises the 422 problem for one that cannot be used."""
    keys = request.headers.getall(_FIELD, ())
    if not keys:
        return None
    if len(keys) > 1:
        raise _wrong("idempotency_key_invalid", "is given more than once")
    # What was no UTF-8 came through as halves of surrogate pairs.
    if not 1 <= len(keys[0]) <= _MOST or any("\ud800" <= character <= "\udfff" for character in keys[0]):
        raise _wrong("idempotency_key_invalid", f"has 1 to {_MOST} characters")
    return keys[0]


def refuse_key(request: web.Request) -> None:
    """Raise the 422 problem where one key would stand for requests that nobody has seen the end of."""
    if _FIELD in request.headers:
        raise _wrong("idempotency_key_unsupported", "cannot stand for a stream; give each line an idempotency_key")


def _wrong(code: str, sentence: str) -> HttpProblem:
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, code, sentence, errors=[FieldError(_FIELD, sentence)])
