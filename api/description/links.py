"""What an answer leads to: its ids and names are segments of other routes' paths, or what their queries ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from api.description.schemas import query_parameters
from api.description.tables import Document, segments_of
from api.endpoint import Endpoint, Part

_BODY: Final = "$response.body#/"


def links_of(row: Endpoint[Any], rows: Sequence[tuple[str, Endpoint[Any]]]) -> Document:
    """The links of a good answer of a row, by the operation that each leads to. `rows` have their operations' names."""
    return {
        name: {"operationId": name, "parameters": parameters}
        for name, target in rows
        if target is not row and (parameters := _parameters(row, target))
    }


def _parameters(row: Endpoint[Any], target: Endpoint[Any]) -> Document | None:
    """What of the answer is to be given to the target; None where it leads nowhere."""
    wanted = [*_new_segments(row.path, target.path), *_required(row, target)]
    found = {name: place for name in wanted for place in _places(row.out, name)}
    return found if wanted and len(found) == len(wanted) else None


def _new_segments(path: str, target: str) -> Iterator[str]:
    """The variable segments of the paths of single things, where this is a path of many or of none yet."""
    if "{" not in path and target.startswith("/".join(path.split("/")[:3]) + "/{"):
        yield from segments_of(target)


def _required(row: Endpoint[Any], target: Endpoint[Any]) -> Iterator[str]:
    """What the query of the same path asks for."""
    if row.path == target.path and row.method == "POST" and target.part is Part.QUERY:
        yield from (each["name"] for each in query_parameters(target.takes) if each["required"])


def _places(out: type[BaseModel] | None, name: str) -> Iterator[str]:
    """Where in an answer of this shape that name stands: in itself, or in the first of its items."""
    if out is None:
        return
    if name in out.model_fields:
        yield f"{_BODY}{name}"
    elif "items" in out.model_fields:
        item = get_args(out.model_fields["items"].annotation)[0]
        if name in item.model_fields:
            yield f"{_BODY}items/0/{name}"
