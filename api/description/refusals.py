"""The refusals of a route: which codes it may answer, by status, with what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api import codes
from api.answers import PROBLEM
from api.description.tables import Document, Row, segments_of
from api.endpoint import Endpoint, Intake, OpenEndpoint, Part

#: Statuses whose answers say when to come again.
WITH_RETRY: Final = frozenset({429, 503, 507})

PROBLEM_SCHEMA: Final[Document] = {
    "title": "Problem",
    "description": "A refusal, as RFC 9457 says; `code` is what programs look at.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "the phrase of the status"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence for a person"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "each wrong field of the body by its JSON pointer, of the query by its name",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

FIELDS: Final[Document] = {
    "Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "what is wanted", "required": True, "schema": {"type": "string"}},
    "Allow": {"description": "the methods that the path takes", "required": True, "schema": {"type": "string"}},
}


def codes_of(row: Row) -> tuple[str, ...]:
    """Every code that the route may answer, its own first. Other systems' refusals are in their own words."""
    if isinstance(row, Intake):
        return (*row.codes, *of_guard(row))
    host = () if isinstance(row, OpenEndpoint) and row.any_host else codes.OF_HOST
    if isinstance(row, OpenEndpoint):
        return (*row.codes, *host, *codes.ALWAYS)
    body = codes.OF_BODY if reads_body(row) else ()
    return (*row.codes, *codes.OF_TOKEN, *codes.OF_VALUES, *body, *_of_path(row), *host, *codes.OF_STORE, *codes.ALWAYS)


def of_guard(row: Intake) -> tuple[str, ...]:
    """What the guard refuses before another system is asked for its words."""
    body = ("request_timeout", "body_too_large") if row.media else ()
    return (*codes.ALWAYS, *codes.OF_HOST, *body, *_of_path(row))


def _of_path(row: Row) -> tuple[str, ...]:
    """What has not the form of a segment is at no path."""
    return ("route_not_found",) if segments_of(row.path) else ()


def reads_body(row: Endpoint[Any]) -> bool:
    """Whether the route takes a body."""
    return row.part is not Part.QUERY or bool(row.bodies)


def by_status(named: Iterable[str]) -> Mapping[int, tuple[str, ...]]:
    """The codes of each status."""
    found: dict[int, dict[str, None]] = {}
    for code in named:
        for status in codes.CODES[code][0]:
            found.setdefault(status, {})[code] = None
    return {status: tuple(found[status]) for status in sorted(found)}


def refusals(named: Iterable[str], components: dict[str, Document]) -> Document:
    """The responses with these codes, by status. What many routes answer alike is put among the components."""
    answers: Document = {}
    for status, of_status in by_status(named).items():
        response = _response(status, of_status)
        if set(of_status) <= _COMMON:
            answers[str(status)] = {"$ref": f"#/components/responses/{_kept(status, response, components)}"}
        else:
            answers[str(status)] = response
    return answers


_COMMON: Final = frozenset(
    {
        *codes.ALWAYS,
        *codes.OF_HOST,
        *codes.OF_TOKEN,
        *codes.OF_VALUES,
        *codes.OF_BODY,
        *codes.OF_STORE,
        "route_not_found",
    }
)


def _kept(status: int, response: Document, components: dict[str, Document]) -> str:
    """The name of the component that says this, made if there is none."""
    name = f"Refusal{status}"
    while components.setdefault(name, response) != response:
        name += "a"
    return name


def _response(status: int, of_status: tuple[str, ...]) -> Document:
    meanings = "\n".join(f"- `{code}`: {codes.CODES[code][1]}" for code in of_status)
    schema: Document = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": list(of_status)}, "status": {"const": status}}},
        ]
    }
    response: Document = {"description": meanings, "content": {PROBLEM: {"schema": schema}}}
    if status in WITH_RETRY:
        response["headers"] = field_of("Retry-After")
    if status == 401:
        response["headers"] = field_of("WWW-Authenticate")
    return response


def field_of(name: str) -> Document:
    """A header field of an answer, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"}}
