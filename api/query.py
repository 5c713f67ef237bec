"""Reading a query string into names and values. Which names there may be, and which values, is for the models."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.problems import HttpProblem
from gateway.errors import FieldError

_NAME_TOLD: Final = 64


def read_query(request: web.Request, repeatable: frozenset[str]) -> dict[str, str]:
    """The values by name; those of a repeatable name are joined by commas.

    Raises the 422 problem for any other name that is given twice.
    """
    values: dict[str, str] = {}
    if not request.rel_url.raw_query_string:
        return values
    for name, value in request.query.items():
        if name not in values:
            values[name] = value
        elif name in repeatable:
            values[name] += "," + value
        else:
            raise _repeated(name)
    return values


def _repeated(name: str) -> HttpProblem:
    error = FieldError(name[:_NAME_TOLD], "is given more than once")
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", error.message, errors=[error])
