"""The whole of the interface as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel

from api import codes
from api.description.events import MODELS, webhooks_of
from api.description.links import links_of
from api.description.operations import operation_of, scheme_document, scheme_of
from api.description.refusals import FIELDS, PROBLEM_SCHEMA, reads_body
from api.description.schemas import Schemas
from api.description.tables import Document, Row, Tables, resource_of
from api.endpoint import BEARER, Endpoint, Intake, OpenEndpoint

_ABOUT: Final = (
    "SMS through modems of your own. JSON in UTF-8; times out are RFC 3339 in UTC with Z, times in need a zone. "
    "Clients ignore fields that they do not know; the gateway refuses fields and query names that it does not know. "
    "Lists are newest first, in pages: `next` is the `cursor` of the next one. What may come besides: 405 "
    "with the field Allow, and 404 `route_not_found`."
)


def document_of_tables(tables: Tables) -> Document:
    """The document of these routes."""
    names = operation_names(tables.rows)
    schemas = Schemas(_incoming(tables), [*_outgoing(tables), *MODELS])
    responses: dict[str, Document] = {}
    paths: dict[str, Document] = {}
    for name, row in zip(names, tables.rows, strict=True):
        paths.setdefault(row.path, {})[row.method.lower()] = operation_of(row, name, schemas, responses)
    _link(paths, names, tables)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin", "version": version("tocsin"), "summary": "An SMS gateway", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(resource_of(row) for row in tables.rows)],
        "paths": paths,
        "webhooks": webhooks_of(schemas),
        "components": {
            "schemas": schemas.components | {"Problem": PROBLEM_SCHEMA},
            "responses": responses,
            "headers": FIELDS,
            "securitySchemes": dict(_schemes(tables)),
        },
        "x-codes": {code: {"status": list(found), "meaning": says} for code, (found, says) in codes.CODES.items()},
    }


def operation_names(rows: Sequence[Row]) -> list[str]:
    """The names of the operations: the handler's file and name, and the method where one handler has several routes.

    What another system asks at several paths has the path in its name.
    """
    found: dict[str, str] = {}
    for row in rows:
        handler: Any = row.handler
        plain = f"{handler.__module__.rpartition('.')[2]}_{handler.__name__.strip('_')}"
        by_path = _joined(plain, [word for word in re.findall("[a-z0-9]+", row.path.lower()) if word.isalpha()])
        by_method = f"{plain}_{row.method.lower()}"
        moved = isinstance(row, Intake) and row.path != found.get(plain)
        tries = (plain, by_path if moved else by_method, f"{by_path}_{row.method.lower()}")
        found[next(name for name in tries if name not in found)] = row.path
    return list(found)


def _joined(plain: str, words: Sequence[str]) -> str:
    """A name with the words of a path behind it; one that stands at the seam already is not said twice."""
    return "_".join((plain, *(words[1:] if words and plain.endswith(f"_{words[0]}") else words)))


def _link(paths: dict[str, Document], names: Sequence[str], tables: Tables) -> None:
    endpoints = list(zip(names, tables.endpoints, strict=False))
    for _, row in endpoints:
        if links := links_of(row, endpoints):
            paths[row.path][row.method.lower()]["responses"][str(row.status)]["links"] = links


def _schemes(tables: Tables) -> Iterator[tuple[str, Document]]:
    credentials = [BEARER, *(each for intake in tables.intakes for each in intake.credentials)]
    for credential in dict.fromkeys(credentials):
        document = scheme_document(credential)
        if document is not None:
            yield scheme_of(credential), document


def _incoming(tables: Tables) -> Iterator[type[BaseModel]]:
    for row in tables.rows:
        if isinstance(row, Intake):
            yield from [row.body] if row.body is not None else []
        elif isinstance(row, Endpoint) and reads_body(row):
            yield from (model for _, model in row.bodies) if row.bodies else [row.takes]


def _outgoing(tables: Tables) -> Iterator[type[BaseModel]]:
    for row in tables.rows:
        replies = row.answers if isinstance(row, Intake) else row.also
        yield from (reply.model for reply in replies if reply.model is not None)
        if isinstance(row, Endpoint | OpenEndpoint) and row.out is not None:
            yield row.out
