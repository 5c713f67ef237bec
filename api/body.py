"""Reading a request's JSON body: its type, size, time, and a grammar without the liberties of Python's parser.

Refused: a name given twice (which of the two would count?), NaN, Infinity and numbers that overflow to it, nesting
deeper than the parser's stack, octets that are not UTF-8. Shapes are checked by the models, not here.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, NoReturn

from aiohttp import web

from api.problems import HttpProblem

JSON_TYPE: Final = "application/json"
BODY_MAX: Final = 4 * 1024 * 1024
#: Of a body in which the secret itself stands: a form with the text of a message and a thousand numbers.
STRANGER_MAX: Final = 64 * 1024

#: A body of 4 MiB in this time is 140 kB/s; whoever is slower holds a connection for nothing.
_BODY_TIMEOUT_S: Final = 30.0
_STRANGER_TIMEOUT_S: Final = 5.0
#: So many bodies of strangers are waited for at once, 4 MiB in all.
_STRANGERS_MOST: Final = 64
_strangers: Final[dict[asyncio.Timeout, None]] = {}


async def read_object(request: web.Request) -> dict[str, Any]:
    """the body as a JSON object. Raises the 400, 408, 413, 415 or 422 problem"""
    check_type(request, JSON_TYPE)
    return object_of(await read_octets(request))


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object in UTF-8. Raises the 400 or 422 problem"""
    document = parse(body)
    if not isinstance(document, dict):
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "not_an_object", "the body must be a JSON object")
    return document  # pyright: ignore[reportUnknownVariableType] - its shape is for the models to find out


def parse(body: bytes) -> object:
    """The JSON value in UTF-8. Raises the 400 problem, whatever the octets."""
    if not body:
        raise _invalid("the body is empty; a JSON object is expected")
    try:
        return _DECODER.decode(body.decode())
    except json.JSONDecodeError as error:
        raise _invalid(f"the body is not valid JSON: line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 at octet {error.start}") from None
    except RecursionError:
        raise _invalid("the body is nested too deeply") from None
    except ValueError:
        # Python refuses integers of thousands of digits.
        raise _invalid("the body has a number with too many digits") from None


def check_type(request: web.Request, *taken: str) -> str:
    """The media type of the body, one of `taken`. Raises the 415 problem for another one.

    A charset other than UTF-8 makes it something else (RFC 8259, 8.1).
    """
    field = request.headers.get("Content-Type", "")
    if field not in taken:
        field, *parameters = (piece.strip().lower() for piece in field.split(";"))
        charsets = [piece.partition("=")[2].strip('"') for piece in parameters if piece.startswith("charset=")]
        if field not in taken or any(charset not in {"utf-8", "utf8"} for charset in charsets):
            named = " or ".join(taken)
            raise _unsupported(f"the body must be JSON in UTF-8, with Content-Type: {named}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _unsupported("a compressed body is not taken", {"Accept-Encoding": "identity"})
    return field


async def read_octets(request: web.Request) -> bytes:
    """All octets of the body, at most `BODY_MAX`, within the time. Raises the 400, 408 or 413 problem"""
    return await _octets(request, BODY_MAX, _at_leisure)


async def read_of_stranger(request: web.Request) -> bytes:
    """The same of whoever has shown no token yet, as it stands in the body: little, soon, and of few at once.

    When there are too many, the one that has been waited for longest is refused with the 408 problem.
    """
    return await _octets(request, STRANGER_MAX, _hastily)


async def _octets(request: web.Request, most: int, read: Callable[[web.Request], Awaitable[bytes]]) -> bytes:
    if (request.content_length or 0) > most:
        raise _too_large(most)
    try:
        # It may have come with the header fields, as most bodies do: there is nothing to wait for.
        body = request.content.read_nowait() if request.content.is_eof() else await read(request)
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(most) from None
    except TimeoutError:
        raise timed_out() from None
    except (web.RequestPayloadError, ConnectionError):
        raise broken_off() from None
    if len(body) > most:
        raise _too_large(most)
    return body


async def _at_leisure(request: web.Request) -> bytes:
    async with asyncio.timeout(_BODY_TIMEOUT_S):
        return await request.read()


async def _hastily(request: web.Request) -> bytes:
    if len(_strangers) >= _STRANGERS_MOST:
        longest = next(iter(_strangers))
        del _strangers[longest]
        if not longest.expired():
            longest.reschedule(asyncio.get_running_loop().time())
    body = bytearray()
    async with asyncio.timeout(_STRANGER_TIMEOUT_S) as limit:
        _strangers[limit] = None
        try:
            while len(body) <= STRANGER_MAX and (more := await request.content.readany()):
                body += more
        finally:
            _strangers.pop(limit, None)
    return bytes(body)


def timed_out() -> HttpProblem:
    """The refusal of a body that stopped coming."""
    detail = "the body did not arrive in time"
    return HttpProblem(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", detail, fields={"Connection": "close"})


def broken_off() -> HttpProblem:
    """The refusal of a body that ended before its end."""
    return HttpProblem(HTTPStatus.BAD_REQUEST, "bad_request", "the body broke off or is badly framed")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique (RFC 8259, 4, leaves repeated names to chance)."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _invalid("the body gives a name twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _invalid("the body has a number that is too large")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _invalid(detail: str) -> HttpProblem:
    return HttpProblem(HTTPStatus.BAD_REQUEST, "invalid_json", detail)


def _too_large(most: int) -> HttpProblem:
    named = "4 MiB" if most == BODY_MAX else f"{most // 1024} KiB"
    return HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"the body is larger than {named}")


def _unsupported(detail: str, fields: dict[str, str] | None = None) -> HttpProblem:
    return HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail, fields=fields)
