"""What endpoints are told of, as the `webhooks` of OpenAPI 3.1: one entry for each shape of `data`, and what is signed.

Header fields and their meaning are those of Standard Webhooks (standardwebhooks.com).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from api.description.schemas import Schemas
from api.description.tables import Document
from api.models.consents import ConsentOut
from api.models.inbox import InboxItemOut
from api.models.messages import MessageOut
from api.models.optouts import OptOutOut
from gateway.message import Status
from gateway.notify.kinds import KINDS

_STATUSES: Final = frozenset(f"message.{status}" for status in Status)
_OPT_OUTS, _CONSENTS = frozenset({"optout.added", "optout.lifted"}), frozenset({"consent.given", "consent.withdrawn"})
#: The name of a shape -> its model (None: it differs from type to type), and which types have it.
_SHAPES: Final[Mapping[str, tuple[type[BaseModel] | None, frozenset[str]]]] = {
    "message": (MessageOut, _STATUSES),
    "inbound": (InboxItemOut, frozenset({"inbound.received"})),
    "optout": (OptOutOut, _OPT_OUTS),
    "consent": (ConsentOut, _CONSENTS),
    "other": (None, frozenset(KINDS) - _STATUSES - {"inbound.received"} - _OPT_OUTS - _CONSENTS),
}
_GONE: Final = "Of who was erased, and of what is forgotten, there are nulls, or nothing."
_FIELDS: Final[tuple[Document, ...]] = (
    {
        "name": "webhook-id",
        "description": "the same at each try of an event: who has seen it has nothing to do",
        "schema": {"type": "string", "pattern": "^evt_[0-9a-z_]+$"},
    },
    {
        "name": "webhook-timestamp",
        "description": "when this try was made, in seconds of Unix time",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    {
        "name": "webhook-signature",
        "description": "`v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`; two with a blank between them while "
        "the secret is being changed",
        "schema": {"type": "string", "pattern": "^v1,"},
    },
)
_ANSWERS: Final[Document] = {
    "2XX": {"description": "It was taken."},
    "410": {"description": "Nothing more is wanted: the endpoint is disabled."},
    "default": {"description": "It is tried again, for 75 hours."},
}

#: The models that stand in events.
MODELS: Final = tuple(model for model, _ in _SHAPES.values() if model is not None)


def webhooks_of(schemas: Schemas) -> Document:
    """Every event that an endpoint, or a message's `callback_url`, can be told of."""
    entries: dict[str, Document] = {}
    for name, (model, wanted) in _SHAPES.items():
        kinds = {kind: when for kind, when in KINDS.items() if kind in wanted}
        entries[name] = {"post": _operation(name, kinds, schemas.of(model) if model is not None else None)}
    return entries


def _operation(name: str, kinds: Mapping[str, str], data: Document | None) -> Document:
    said = "\n".join(f"- `{kind}`: {when}" for kind, when in kinds.items())
    return {
        "operationId": f"event_{name}",
        "tags": ["events"],
        "summary": f"An event: {', '.join(dict.fromkeys(kind.partition('.')[0] for kind in kinds))}",
        "description": f"{said}\n\n{_GONE}",
        "security": [],
        "parameters": [{"in": "header", "required": True, **field} for field in _FIELDS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body(kinds, data)}}},
        "responses": _ANSWERS,
    }


def _body(kinds: Mapping[str, str], data: Document | None) -> Document:
    """The three members; an object that is gone leaves an empty one."""
    gone: Document = {"type": "object", "maxProperties": 0}
    sentence: Document = {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": ["string", "null"]}},
    }
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"enum": list(kinds)},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": sentence if data is None else {"anyOf": [data, gone]},
        },
    }
