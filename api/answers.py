"""How an answer is put on the wire: JSON octets and the header fields that every answer carries.

Knows nothing of routes, errors or services.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import pydantic_core
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

JSON: Final = "application/json; charset=utf-8"
PROBLEM: Final = "application/problem+json"

#: `Server` without a version. Answers hold numbers and texts of people: nobody on the way keeps a copy, and no
#: browser guesses another type, shows an answer in another site's frame, lets anything in it run, or tells another site
#: where it came from. There are no CORS fields: no other site's script may read an answer.
COMMON_FIELDS: Final[Mapping[str, str]] = {
    "Server": "tocsin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

# aiohttp takes over a dictionary of its own kind as it is; from any other it would make one for each answer.
_JSON_FIELDS: Final = CIMultiDictProxy(CIMultiDict({"Content-Type": JSON, **COMMON_FIELDS}))

# Made once: `json.dumps` with arguments makes a new one for each call.
_ASCII_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def to_json(document: object) -> bytes:
    """The document as UTF-8. A received text may hold half a surrogate pair, which only an escape can carry."""
    try:
        return pydantic_core.to_json(document)
    except ValueError:
        return _ASCII_ENCODER.encode(document).encode()


def answer(document: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=to_json(document), status=status, headers=_JSON_FIELDS.copy())
