"""What there is to describe, and what is asked of every row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from api.endpoint import Endpoint, Intake, OpenEndpoint

Document: TypeAlias = dict[str, Any]
Row: TypeAlias = "Endpoint[Any] | OpenEndpoint | Intake"

_SEGMENT = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows of all routes."""

    endpoints: Sequence[Endpoint[Any]]
    open_endpoints: Sequence[OpenEndpoint]
    intakes: Sequence[Intake]

    @property
    def rows(self) -> Sequence[Row]:
        """All of them, in the order in which they are shown."""
        return (*self.endpoints, *self.open_endpoints, *self.intakes)


def segments_of(path: str) -> list[str]:
    """The names of the variable segments of a path."""
    return _SEGMENT.findall(path)


def sentences_of(row: Row) -> tuple[str, str]:
    """What a route does, in one line and in full, as its handler says it."""
    lines = (row.handler.__doc__ or "").strip().splitlines()
    text = " ".join(line.strip() or "\n\n" for line in lines).replace(" \n\n ", "\n\n")
    first = re.split(r"(?<=[^.]\.)\s|\n\n", text, maxsplit=1)[0] if text else ""
    return first.rstrip("."), text


def resource_of(row: Row) -> str:
    """Under which name a route is listed: its resource, or the system whose language it speaks."""
    if isinstance(row, Intake):
        return row.system
    if isinstance(row, OpenEndpoint):
        return "gateway"
    return row.path.split("/")[2]
