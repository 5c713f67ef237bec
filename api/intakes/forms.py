"""Forms of other systems, read as octets: names and values keep what was sent until somebody knows the charset.

The serialisation is that of HTML forms (application/x-www-form-urlencoded, WHATWG URL, 5.1): `+` is a blank, `%XX` an
octet, and a `%` that begins no such pair stands for itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from aiohttp import web

from api.body import read_octets
from api.problems import HttpProblem

FORM: Final = "application/x-www-form-urlencoded"

#: No system has so many fields; each costs a little.
_MOST_PAIRS: Final = 500


def form_pairs(octets: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values in their order. Raises the 400 problem for more than anybody has."""
    pieces = [piece for piece in octets.split(b"&", _MOST_PAIRS) if piece]
    if len(pieces) > _MOST_PAIRS:
        raise _bad(f"the form has more than {_MOST_PAIRS} fields")
    return [(_decoded(name), _decoded(value)) for name, _, value in (piece.partition(b"=") for piece in pieces)]


def query_pairs(request: web.Request) -> list[tuple[bytes, bytes]]:
    """Names and values of the query string, from the octets of the request line."""
    query = request.raw_path.partition("?")[2]
    return form_pairs(query.encode("utf-8", "surrogateescape"))


async def body_pairs(request: web.Request) -> list[tuple[bytes, bytes]]:
    """Names and values of a body that is a form. Raises the 400, 408, 413 or 415 problem."""
    if request.content_type != FORM:
        detail = f"the body must be a form, with Content-Type: {FORM}"
        raise HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    return form_pairs(await read_octets(request))


def texts(pairs: Collection[tuple[bytes, bytes]], once: Collection[str]) -> Mapping[str, str]:
    """The fields in UTF-8; of one that comes twice the first, but for those of `once`, which may not.

    Raises the 400 problem for other octets, and for a name of `once` given twice: which of the two would count?
    """
    found: dict[str, str] = {}
    try:
        for octets, value in pairs:
            name = octets.decode()
            if name in found and name in once:
                raise _bad(f"{name} is given more than once")
            found.setdefault(name, value.decode())
    except UnicodeDecodeError:
        raise _bad("the form is not UTF-8") from None
    return found


def whole_number(text: str, most: int) -> int | None:
    """The number from 0 to `most` that the text is, None for anything else; long digits are not even read."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None


def _decoded(octets: bytes) -> bytes:
    return unquote_to_bytes(octets.replace(b"+", b" "))


def _bad(detail: str) -> HttpProblem:
    return HttpProblem(HTTPStatus.BAD_REQUEST, "bad_request", detail)
