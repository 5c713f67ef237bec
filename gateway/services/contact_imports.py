"""Contacts from files and to files."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import FieldError, InvalidRequest, NotFound
from gateway.ids import IdSource
from gateway.message import ConsentState
from gateway.people.attributes_values import ATTRIBUTE_TYPES
from gateway.people.contacts_fields import FieldRefused, attribute_name_of, tags_of
from gateway.people.exporting import exported
from gateway.people.importing import Importer
from gateway.people.importing_columns import DELIMITERS
from gateway.people.importing_groups import ConsentBrought
from gateway.people.importing_rows import Rejection
from gateway.people.importing_text import CHARSETS
from gateway.people.importing_wishes import ImportView, ImportWishes, view_of
from gateway.requests import Page, Principal
from gateway.services.consents import LONGEST
from gateway.services.visibility import before_id, before_row, refuse_test
from gateway.store import imports
from gateway.store.database import Store

__all__ = ["ContactImports", "ImportAsked", "ImportView", "Rejection"]

_EVERYBODY: Final = "has nothing to do with the owner's contacts as a whole"
# A client's clock may be so far ahead of ours.
_AHEAD_US: Final = 5 * SECOND_US
_UNFIT: Final = frozenset({"Cc", "Cs"})
_TAB: Final = "tab"


@dataclass(frozen=True, slots=True)
class ImportAsked:
    """What somebody says of a file, as it was written. Instants are microseconds UTC."""

    delimiter: str | None = None
    charset: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: tuple[str, ...] = ()
    consent_category: str | None = None
    consent_state: str | None = None
    consent_at_us: int | None = None
    consent_source: str | None = None
    consent_wording: str | None = None


class ContactImports:
    """Imports and exports, for front ends."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, ids: IdSource) -> None:
        self._store = store
        self._clock = clock
        self._categories = settings.categories
        self._importer = Importer(settings, store, clock, ids)
        #: What runs while the gateway does.
        self.run = self._importer.run
        #: Read everything that waits, where nobody runs it; and end what that began.
        self.work_off = self._importer.work_off
        self.close = self._importer.close

    async def receive(
        self, principal: Principal, octets: AsyncIterator[bytes], asked: ImportAsked
    ) -> tuple[ImportView, bool]:
        """Keep a file, and let it be read; and whether it is a new one, or one that goes on."""
        refuse_test(principal, _EVERYBODY)
        wishes = self._wishes(principal, asked)
        return await self._importer.receive(octets, wishes, principal.token_id or None)

    async def get(self, principal: Principal, import_id: str) -> ImportView:
        """One import."""
        refuse_test(principal, _EVERYBODY)
        row = await self._store.read(lambda connection: imports.get(connection, import_id))
        if row is None:
            raise _missing()
        return view_of(row)

    async def list(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[ImportView]:
        """Imports, newest first."""
        refuse_test(principal, _EVERYBODY)
        before = before_id(cursor)
        rows, following = await self._store.read(
            lambda connection: imports.page(connection, limit=limit, before=before)
        )
        return Page([view_of(row) for row in rows], following)

    async def rejections(
        self, principal: Principal, import_id: str, *, limit: int, cursor: str | None
    ) -> Page[Rejection]:
        """The rows of an import that were not taken, in the order of the file."""
        refuse_test(principal, _EVERYBODY)
        after = before_row(cursor) or 0

        def work(connection: Connection) -> Page[Rejection]:
            if imports.get(connection, import_id) is None:
                raise _missing()
            rows, following = imports.rejections(connection, import_id, limit=limit, after=after)
            return Page([Rejection(*row) for row in rows], following)

        return await self._store.read(work)

    def export(self, principal: Principal, tag: str | None, *, typed: bool) -> AsyncIterator[bytes]:
        """All contacts, or those with a tag, as CSV."""
        refuse_test(principal, _EVERYBODY)
        return exported(self._store, tag, typed=typed)

    def _wishes(self, principal: Principal, asked: ImportAsked) -> ImportWishes:
        problems: list[tuple[str, FieldError]] = []
        delimiter = "\t" if asked.delimiter == _TAB else asked.delimiter
        if delimiter is not None and delimiter not in DELIMITERS:
            _wrong(problems, "import_invalid", "delimiter", "must be one of , ; | and tab")
        charset = None if asked.charset is None else CHARSETS.get(asked.charset.strip().casefold().replace("_", "-"))
        if asked.charset is not None and charset is None:
            _wrong(problems, "import_invalid", "charset", f"must be one of {', '.join(sorted(CHARSETS))}")
        _check_types(problems, asked.types)
        tags = _tags(problems, asked.tags)
        consent = self._consent(problems, principal, asked)
        if problems:
            code, first = problems[0]
            raise InvalidRequest(code, first.message, errors=[error for _, error in problems])
        return ImportWishes(delimiter, charset, dict(asked.columns), dict(asked.types), tags, consent)

    def _consent(
        self, problems: list[tuple[str, FieldError]], principal: Principal, asked: ImportAsked
    ) -> ConsentBrought | None:
        said = (asked.consent_state, asked.consent_at_us, asked.consent_source, asked.consent_wording)
        if asked.consent_category is None:
            if any(each is not None for each in said):
                _wrong(problems, "import_invalid", "consent_category", "is required with anything of a consent")
            return None
        category = self._categories.get(asked.consent_category)
        if category is None:
            _wrong(problems, "category_unknown", "consent_category", "there is no such category in the configuration")
        elif category.consent == "none":
            said_no = "nobody is asked for messages of this category"
            _wrong(problems, "category_without_consent", "consent_category", said_no)
        if asked.consent_at_us is not None and asked.consent_at_us > self._clock.now_us() + _AHEAD_US:
            _wrong(problems, "at_in_future", "consent_at", "is in the future")
        for name, text in (("source", asked.consent_source), ("wording", asked.consent_wording)):
            _check_text(problems, name, text)
        return ConsentBrought(
            category=asked.consent_category,
            state=ConsentState(asked.consent_state or ConsentState.GIVEN),
            at_us=asked.consent_at_us,
            source=asked.consent_source or "",
            wording=asked.consent_wording,
            by=principal.name or None,
        )


def _check_types(problems: list[tuple[str, FieldError]], types: Mapping[str, str]) -> None:
    for name, kind in types.items():
        try:
            attribute_name_of(name)
        except FieldRefused as refused:
            _wrong(problems, "import_invalid", "types", f"the attribute's name {refused.sentence}")
        if kind not in ATTRIBUTE_TYPES:
            _wrong(problems, "import_invalid", "types", f"a type is one of {', '.join(ATTRIBUTE_TYPES)}")


def _tags(problems: list[tuple[str, FieldError]], tags: Sequence[str]) -> tuple[str, ...]:
    try:
        return tags_of(tags)
    except FieldRefused as refused:
        _wrong(problems, "import_invalid", "tags", refused.sentence)
        return ()


def _check_text(problems: list[tuple[str, FieldError]], name: str, text: str | None) -> None:
    if text is None:
        return
    if len(text) > LONGEST[name]:
        _wrong(problems, "import_invalid", f"consent_{name}", f"must be at most {LONGEST[name]} characters long")
    elif any(unicodedata.category(each) in _UNFIT and each not in "\n\t" for each in text):
        _wrong(problems, "import_invalid", f"consent_{name}", "contains control characters")


def _wrong(problems: list[tuple[str, FieldError]], code: str, pointer: str, message: str) -> None:
    problems.append((code, FieldError(pointer, message)))


def _missing() -> NotFound:
    return NotFound("import_not_found", "there is no such import")
