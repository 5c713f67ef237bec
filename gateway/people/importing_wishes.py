"""What an import was asked for, what it found, and how far it is: as values, and as its row keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gateway.message import ConsentState
from gateway.people.importing_columns import ATTRIBUTES, NOTHING, Head, Target
from gateway.people.importing_groups import ConsentBrought
from gateway.store.schema import AnyRow


@dataclass(frozen=True, slots=True)
class ImportWishes:
    """What the caller says of a file. None: found out."""

    delimiter: str | None = None
    #: Python's name.
    charset: str | None = None
    #: Field, `attributes.NAME` or `-` by the head of the column; types by the attribute's name.
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: tuple[str, ...] = ()
    consent: ConsentBrought | None = None

    def canonical(self) -> str:
        """The same for the same wishes."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Found:
    """What the file turned out to be, with its wishes: what is kept of it."""

    charset: str
    head: Head
    tags: tuple[str, ...]
    consent: ConsentBrought | None

    def kept(self) -> str:
        """As the row of the import has it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def with_targets(self, targets: Sequence[Target]) -> Found:
        """With other meanings of the columns."""
        return replace(self, head=replace(self.head, targets=tuple(targets)))


def found_of(text: str) -> Found:
    """What `Found.kept` has written."""
    kept: dict[str, Any] = json.loads(text)
    head, consent = kept["head"], kept["consent"]
    return Found(
        charset=kept["charset"],
        head=Head(head["delimiter"], tuple(head["columns"]), tuple(Target(**each) for each in head["targets"])),
        tags=tuple(kept["tags"]),
        consent=None if consent is None else ConsentBrought(**consent | {"state": ConsentState(consent["state"])}),
    )


@dataclass(frozen=True, slots=True)
class ColumnFound:
    """What a column is: `field` is a field, `attributes.NAME`, or `-` for one that is left out."""

    column: str
    field: str
    type: str | None


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import as it is told. Instants are microseconds UTC; `lines` of `total` are behind it."""

    id: str
    status: str
    lines: int
    total: int | None
    added: int
    changed: int
    rejected: int
    consents: int
    withheld: int
    problem: str | None
    charset: str
    delimiter: str
    tags: tuple[str, ...]
    consent: ConsentBrought | None
    columns: tuple[ColumnFound, ...]
    created_us: int
    updated_us: int


def view_of(row: AnyRow) -> ImportView:
    """A row of the table as a value."""
    found = found_of(row.wanted)
    counts = ("lines", "total", "added", "changed", "rejected", "consents", "withheld")
    return ImportView(
        id=row.id,
        status=row.status,
        problem=row.problem,
        charset=found.charset,
        delimiter=found.head.delimiter,
        tags=found.tags,
        consent=found.consent,
        columns=tuple(map(_column, found.head.columns, found.head.targets)),
        created_us=row.created_us,
        updated_us=row.updated_us,
        **{name: getattr(row, name) for name in counts},
    )


def _column(head: str, target: Target) -> ColumnFound:
    if target.field == "attributes":
        return ColumnFound(head, ATTRIBUTES + target.name, target.kind)
    return ColumnFound(head, target.field or NOTHING, None)
