"""Every answer is held against the description of the interface: its status, its shape and no field more, its code."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from api.answers import to_json
from api.app import ENDPOINTS, INTAKES, OPEN_ENDPOINTS
from api.codes import CODES
from api.description.refusals import codes_of
from api.description.tables import Row
from api.endpoint import Endpoint, Intake

#: Refusals that no route is the reason for.
_NO_ROUTE = {"route_not_found", "method_not_allowed"}


def check_described(method: str, path: str, status: int, media: str, document: Any) -> None:
    """The answer is one of those that the row says."""
    row = _row_of("GET" if method == "HEAD" else method, path.partition("?")[0])
    if row is None or isinstance(row, Intake):
        return
    named = f"{status} of {row.method} {row.path} is not described"
    if status >= 400:
        assert document is None or document["code"] in {*codes_of(row), *_NO_ROUTE}, (named, document)
        assert document is None or status in CODES[document["code"]][0], (named, document)
        return
    shapes = {(row.status if isinstance(row, Endpoint) else 200, row.media): row.out}
    shapes |= {(reply.status, reply.media): reply.model for reply in getattr(row, "also", ())}
    key = status, media.partition(";")[0]
    assert key in shapes, named
    if document is not None and shapes[key] is not None:
        _strict(shapes[key]).model_validate_json(to_json({"answer": document}), strict=True)


@cache
def _strict(model: type[BaseModel]) -> type[BaseModel]:
    """The answer as JSON has it: a word is text, a number is a number."""
    return create_model("Strict", __config__=ConfigDict(extra="forbid"), answer=(model, ...))


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], Row]]:
    rows = (*ENDPOINTS, *OPEN_ENDPOINTS, *INTAKES)
    # Written paths before variable ones.
    ordered = sorted(rows, key=lambda row: "{" in row.path)
    return [(row.method, re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", row.path)), row) for row in ordered]


def _row_of(method: str, path: str) -> Row | None:
    return next((row for verb, pattern, row in _patterns() if verb == method and pattern.fullmatch(path)), None)
