"""One route as an OpenAPI operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from api.answers import PROBLEM
from api.body import JSON_TYPE
from api.description.refusals import WITH_RETRY, codes_of, field_of, of_guard, reads_body, refusals
from api.description.schemas import Schemas, query_parameters
from api.description.tables import Document, Row, resource_of, segments_of, sentences_of
from api.endpoint import Credential, Endpoint, Intake, OpenEndpoint, Part, Reply
from api.models.fields import NoQuery

_SEGMENTS: Final[dict[str, Document]] = {
    "id": {"schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
    "name": {"schema": {"type": "string", "minLength": 1, "maxLength": 255}},
    "number": {
        "description": "an E.164 number, or as written nationally in the gateway's country",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "+33639980105",
    },
    "account": {
        "description": "says nothing here",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "example": "AC1",
    },
    "pool": {"schema": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"}, "example": "spring"},
    "sid": {"description": "SM and the id of a message", "schema": {"type": "string", "pattern": "^SM[0-9a-f]{32}$"}},
}
#: The names that other systems' clients give.
_OF_CLIENT: Final[Document] = {"schema": {"type": "string", "minLength": 1, "maxLength": 36}}
_OF_MODEM: Final[Document] = {
    "description": "the name of a modem, or NODE:NAME",
    "schema": {"type": "string", "minLength": 1, "maxLength": 511},
    "example": "sim1",
}
_KEY: Final[Document] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "asked again with the same key, the same body has the same answer; another body is refused",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_LAST: Final[Document] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "the id of the event that was seen last: what came behind it is told first",
    "schema": {"type": "string", "maxLength": 255},
}
#: Where other systems put the token.
SCHEMES: Final[dict[str, Document]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a token; its scopes say what it may do"},
    "basic": {"type": "http", "scheme": "basic", "description": "the token is the password"},
}
_PROBLEM: Final[Document] = {"schema": {"$ref": "#/components/schemas/Problem"}}
#: Of answers that have no end.
STREAM: Final = "text/event-stream"
_PLACES: Final = {"header": "header", "query": "query"}


def operation_of(row: Row, name: str, schemas: Schemas, components: dict[str, Document]) -> Document:
    """The operation of a row. What many share is put among the `components`, which are those of responses."""
    summary, description = sentences_of(row)
    operation: Document = {"operationId": name, "tags": [resource_of(row)], "summary": summary}
    if description.rstrip(".") != summary:
        operation["description"] = description
    operation |= _security_of(row)
    if parameters := _parameters_of(row):
        operation["parameters"] = parameters
    if body := _body_of(row, schemas):
        operation["requestBody"] = body
    named = codes_of(row)
    told = of_guard(row) if isinstance(row, Intake) else named
    operation["responses"] = _good_answers(row, schemas) | refusals(told, components)
    if isinstance(row, Intake):
        _add_replies(operation["responses"], row.answers, schemas)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    operation["x-codes"] = list(dict.fromkeys(named))
    return operation


def scheme_of(credential: Credential) -> str:
    """The name of the security scheme of a credential."""
    return credential.scheme if credential.scheme in SCHEMES else f"{credential.scheme}-{credential.name}"


def scheme_document(credential: Credential) -> Document | None:
    """The security scheme of a credential; None for a field of a form, which OpenAPI has no word for."""
    if credential.scheme in SCHEMES:
        return SCHEMES[credential.scheme]
    place = _PLACES.get(credential.scheme)
    return None if place is None else {"type": "apiKey", "in": place, "name": credential.name}


def _security_of(row: Row) -> Document:
    """Who may: any one of the credentials, with the scope."""
    if isinstance(row, OpenEndpoint):
        return {"security": []}
    if isinstance(row, Endpoint):
        return {"security": [{"bearer": [row.scope]}], "x-scope": row.scope}
    if not row.credentials:
        return {"security": []}
    known = [each for each in row.credentials if scheme_document(each) is not None]
    return {"security": [{scheme_of(each): [row.scope]} for each in known], "x-scope": row.scope}


def _parameters_of(row: Row) -> list[Document]:
    found = [_segment(row.path, name) for name in segments_of(row.path)]
    query = _query_of(row)
    if query is not None:
        found += query_parameters(query)
    if isinstance(row, Endpoint) and "idempotency_key_invalid" in row.codes:
        found.append(_KEY)
    if isinstance(row, Endpoint) and row.media == STREAM:
        found.append(_LAST)
    return found


def _query_of(row: Row) -> type[BaseModel] | None:
    if isinstance(row, Intake):
        return row.query
    if isinstance(row, Endpoint) and row.part is Part.QUERY and row.takes is not NoQuery:
        return row.takes
    return None


def _segment(path: str, name: str) -> Document:
    known = _OF_MODEM if path.startswith("/v1/modems/") else _SEGMENTS[name]
    if name == "id" and not path.startswith("/v1/"):
        known = _OF_CLIENT
    return {"name": name, "in": "path", "required": True, **known}


def _body_of(row: Row, schemas: Schemas) -> Document | None:
    """What may be sent. A field that a system puts the token into is one of the model's."""
    if isinstance(row, Intake):
        if not row.media:
            return None
        content = {media: _sent(media, row.body, schemas) for media in row.media}
        return {"required": row.body_needed, "content": content}
    if isinstance(row, OpenEndpoint) or not reads_body(row):
        return None
    bodies: Iterable[tuple[str, type[Any]]] = row.bodies or ((JSON_TYPE, row.takes),)
    content = {media: _content(media, model, schemas) for media, model in bodies}
    return {"required": row.part is not Part.BODY_IF_ANY, "content": content}


def _sent(media: str, model: type[BaseModel] | None, schemas: Schemas) -> Document:
    """A body of another system's: a text has no fields."""
    if media == "text/plain":
        return {"schema": {"type": "string"}}
    return {} if model is None else _with_examples({"schema": schemas.of(model)}, model)


def _content(media: str, model: type[Any], schemas: Schemas) -> Document:
    if media != JSON_TYPE:
        line = schemas.of(model)
        return {
            "schema": {"type": "string", "description": f"a {line['$ref'].rpartition('/')[2]} a line"},
            "x-line": line,
        }
    return _with_examples({"schema": schemas.of(model)}, model)


def _with_examples(content: Document, model: type[BaseModel]) -> Document:
    """What a model has for people to begin with."""
    values: Sequence[Any] = getattr(model, "EXAMPLES", ())
    examples = {f"example {at}": {"value": value} for at, value in enumerate(values, 1)}
    return content | ({"examples": examples} if examples else {})


def _good_answers(row: Row, schemas: Schemas) -> Document:
    if isinstance(row, Intake):
        return {}
    status = row.status if isinstance(row, Endpoint) else 200
    answers: Document = {}
    _add_replies(answers, (Reply(status, "done", row.media, row.out),), schemas)
    _add_replies(answers, row.also, schemas)
    return answers


def _add_replies(answers: Document, replies: Iterable[Reply], schemas: Schemas) -> None:
    """Put them among the answers; several of one status are one, of several media types."""
    for reply in replies:
        found: Document = {"description": reply.says}
        known: Document = answers.setdefault(str(reply.status), found)
        if "$ref" in known:
            # The guard's own, which is refused before the system is asked for its words.
            answers[str(reply.status)] = known = found
            known["content"] = {PROBLEM: _PROBLEM}
        elif known["description"] != reply.says:
            known["description"] += f"\n{reply.says}"
        if reply.media:
            content: Document = known.setdefault("content", {})
            content.setdefault(reply.media, _told(reply, schemas))
        if reply.status in WITH_RETRY or reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            known["headers"] = field_of("Retry-After" if reply.status in WITH_RETRY else "Allow")


def _told(reply: Reply, schemas: Schemas) -> Document:
    """The body of an answer: a problem of ours, the shape of a model, or anything."""
    if reply.media == PROBLEM:
        return _PROBLEM
    return {} if reply.model is None else {"schema": schemas.of(reply.model)}
