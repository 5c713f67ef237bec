"""Contacts from files and to files."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from api.models.fields import Id, Incoming, Name, Outgoing, Text, Time, TimeOut, wrong
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.services.contact_imports import ImportAsked, ImportView, Rejection

_MOST_PAIRS = 300


def _parse_pairs(value: object) -> dict[str, str]:
    """`A:B,C:D` as a mapping; a name may have colons of its own."""
    pairs: dict[str, str] = {}
    for each in (value if isinstance(value, str) else "").split(","):
        if not each.strip():
            continue
        key, colon, meaning = each.rpartition(":")
        if not colon or not key.strip() or len(pairs) >= _MOST_PAIRS:
            raise wrong("must be NAME:WORD, and further ones behind commas")
        pairs[key.strip()] = meaning.strip()
    return pairs


_Pairs = Annotated[dict[str, str], PlainValidator(_parse_pairs), WithJsonSchema({"type": "string"})]


class ImportQuery(Incoming):
    """Query of `POST /v1/contacts/import`."""

    REPEATABLE: ClassVar[frozenset[str]] = frozenset({"columns", "types", "tags"})

    delimiter: Annotated[Name | None, Field(description="one of , ; | and tab; found out without it")] = None
    charset: Annotated[Name | None, Field(description="found out without it: UTF-8, UTF-16 or Windows-1252")] = None
    columns: Annotated[
        _Pairs | None,
        Field(description="HEAD:FIELD, by commas: number, name, …, attributes.NAME, - for nothing"),
    ] = None
    types: Annotated[_Pairs | None, Field(description="NAME:TYPE of attributes, by commas")] = None
    tags: Annotated[Text | None, Field(description="of everybody in the file, by commas")] = None
    consent_category: Annotated[Name | None, Field(description="what everybody in the file agreed to")] = None
    consent_state: Literal["given", "withdrawn"] | None = None
    consent_at: Annotated[Time | None, Field(description="when they said so")] = None
    consent_source: Name | None = None
    consent_wording: Text | None = None

    def value(self) -> ImportAsked:
        """What the services take."""
        return ImportAsked(
            delimiter=self.delimiter,
            charset=self.charset,
            columns=self.columns or {},
            types=self.types or {},
            tags=tuple(each.strip() for each in (self.tags or "").split(",") if each.strip()),
            consent_category=self.consent_category,
            consent_state=self.consent_state,
            consent_at_us=self.consent_at,
            consent_source=self.consent_source,
            consent_wording=self.consent_wording,
        )


class ExportQuery(Incoming):
    """Query of `GET /v1/contacts/export`."""

    tag: Annotated[Name | None, Field(description="only those that have it")] = None
    types: Annotated[
        Literal["true", "false"] | None, Field(description="whether the heads of attributes say their types")
    ] = None


class ImportLine(Incoming):
    """A line of the file: what the first line calls its cells."""

    number: Name


class ColumnOut(Outgoing):
    """What a column is: a field, `attributes.NAME`, or `-` for one that is left out."""

    column: str
    field: str
    type: Literal["number", "bool", "date", "text"] | None


class ImportConsentOut(Outgoing):
    """What everybody in the file is said to have said."""

    category: str
    state: Literal["given", "withdrawn", "asked"]
    at: TimeOut | None
    source: str | None
    wording: str | None


class ImportOut(Outgoing):
    """An import: `lines` of `total` (null until they were counted) are behind it. `consents` entries were made in the
    ledger, `withheld` were not, since the person has said no."""

    id: Id
    status: Literal["running", "finished", "failed"]
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
    tags: list[str]
    consent: ImportConsentOut | None
    columns: list[ColumnOut]
    created_at: TimeOut
    updated_at: TimeOut


class ImportsPage(PageOut[ImportOut]):
    """Imports of contacts."""


class RejectionOut(Outgoing):
    """A row that was not taken: its line in the file, where the first is 1, a word, and a sentence."""

    line: int
    code: str
    reason: str


class RejectionsPage(PageOut[RejectionOut]):
    """Rows that were not taken, in the order of the file."""


def import_out(found: ImportView) -> dict[str, Any]:
    """An import."""
    consent = found.consent
    return {
        "id": found.id,
        "status": found.status,
        "lines": found.lines,
        "total": found.total,
        "added": found.added,
        "changed": found.changed,
        "rejected": found.rejected,
        "consents": found.consents,
        "withheld": found.withheld,
        "problem": found.problem,
        "charset": found.charset,
        "delimiter": found.delimiter,
        "tags": list(found.tags),
        "consent": None
        if consent is None
        else {
            "category": consent.category,
            "state": str(consent.state),
            "at": None if consent.at_us is None else rfc3339(consent.at_us),
            "source": consent.source or None,
            "wording": consent.wording,
        },
        "columns": [{"column": each.column, "field": each.field, "type": each.type} for each in found.columns],
        "created_at": rfc3339(found.created_us),
        "updated_at": rfc3339(found.updated_us),
    }


def rejection_out(rejection: Rejection) -> dict[str, object]:
    """A row that was not taken."""
    return {"line": rejection.line, "code": rejection.code, "reason": rejection.reason}
