"""Reading a query string into a model; unknown names and names given twice are refused.

Wrong names are told without the `/` of a JSON pointer: a query is no JSON document.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, TypeVar

from aiohttp import web

from api.models.fields import Incoming
from api.problems import HttpProblem
from api.validation import validated
from gateway.errors import FieldError

Q = TypeVar("Q", bound=Incoming)

_NAME_TOLD: Final = 64


def read_query(request: web.Request, model: type[Q]) -> Q:
    """The query as a model. Raises the 422 problem."""
    if not request.rel_url.raw_query_string:
        return validated(model, {}, in_query=True)
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in values:
            values[name] = value
        elif name in model.REPEATABLE:
            values[name] += "," + value
        else:
            raise _repeated(name)
    return validated(model, values, in_query=True)


def _repeated(name: str) -> HttpProblem:
    error = FieldError(name[:_NAME_TOLD], "is given more than once")
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", error.message, errors=[error])
