"""Rows of an import as they are written: some at a time, each group in one transaction with how far the import came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.message import ConsentState
from gateway.people.contacts import kept_json, tags_kept
from gateway.people.contacts_fields import MOST_TAGS
from gateway.people.importing_rows import Rejection, Row
from gateway.store import choices, consents, contacts, contacts_written, imports, optouts, recipients
from gateway.store.consents import NewConsent
from gateway.store.contacts_written import ContactValues, contact_values
from gateway.store.engines import is_shared
from gateway.store.schema import AnyRow

CHANNEL: Final = "import"
_E164: Final = AddressKind.E164.value
_TWICE: Final = "number_twice"


class Fingerprints(Protocol):
    """Keyed hashes of numbers; the store makes them."""

    def __call__(self, number: str, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ConsentBrought:
    """What all people of a file are said to have said. Without a time it is said now, by nobody who ever said no;
    without a source the import is it."""

    category: str
    state: ConsentState
    at_us: int | None
    source: str
    wording: str | None = None
    by: str | None = None


@dataclass(slots=True)
class _Work:
    """What is to be written of one group."""

    new: list[ContactValues] = field(default_factory=list[ContactValues])
    changed: list[ContactValues] = field(default_factory=list[ContactValues])
    places: list[tuple[int, str | None, str | None, str | None]] = field(
        default_factory=list[tuple[int, str | None, str | None, str | None]]
    )
    rejected: list[Rejection] = field(default_factory=list[Rejection])
    #: Line by person, of those that were taken.
    taken: dict[int, int] = field(default_factory=dict[int, int])


class GroupWriter:
    """Writes groups of one import."""

    def __init__(self, import_id: str, consent: ConsentBrought | None, fingerprint: Fingerprints) -> None:
        self._id = import_id
        self._mark = f"import:{import_id}:"
        self._consent = consent
        self._fingerprint = fingerprint

    def write(
        self,
        connection: Connection,
        rows: Sequence[Row],
        rejections: Sequence[Rejection],
        span: tuple[int, int],
        now_us: int,
    ) -> imports.Step | None:
        """Write them, and go on from the first line of `span` to the second; None, and nothing is written, where the
        import stands elsewhere by now."""
        step = imports.Step(*span)
        work = _Work(rejected=[*rejections])
        people, known = self._people(connection, rows, now_us)
        for row in rows:
            self._take(work, row, people[row.number], known, now_us)
        contacts_written.add_all(connection, work.new)
        contacts_written.change_all(connection, work.changed)
        contacts_written.place_all(connection, work.places)
        imports.reject(connection, self._id, work.rejected)
        step.added, step.changed, step.rejected = len(work.new), len(work.changed), len(work.rejected)
        if self._consent is not None and work.taken:
            step.consents, step.withheld = self._enter(connection, self._consent, work.taken, now_us)
        if not imports.step(connection, self._id, step, now_us):
            raise Elsewhere
        return step

    def _people(
        self, connection: Connection, rows: Sequence[Row], now_us: int
    ) -> tuple[dict[str, int], dict[int, AnyRow]]:
        """The rows of `recipient`, by number, and of `contact`, by person; nobody else decides anything about them
        meanwhile."""
        if not rows:
            return {}, {}
        lookups = {row.number: self._fingerprint(row.number) for row in rows}
        found = recipients.find_all(connection, lookups.values())
        # Who has no row yet has no contact either, unless another host makes both at this moment.
        asked = [*found.values()]
        new = {lookup: (number, _E164) for number, lookup in lookups.items() if lookup not in found}
        found |= recipients.add_all(connection, new, now_us)
        if is_shared(connection):
            recipients.lock_all(connection, found.values(), alone=True)
            asked = [*found.values()]
        known = {row.recipient_id: row for row in contacts.of_people(connection, asked)} if asked else {}
        return {number: found[lookup] for number, lookup in lookups.items()}, known

    def _take(self, work: _Work, row: Row, person: int, known: dict[int, AnyRow], now_us: int) -> None:
        upon = known.get(person)
        first = work.taken.get(person) or self._line_of(upon)
        if first == row.line:
            # A group that was written by another host, before this one took over.
            return
        if first is not None:
            reason = f"the number stands in line {first} already, which is the one that counts"
            work.rejected.append(Rejection(row.line, _TWICE, reason))
            return
        work.taken[person] = row.line
        source = f"{self._mark}{row.line}"
        if upon is None:
            work.new.append(_new(row, person, source, now_us))
        else:
            work.changed.append(_changed(upon, row, source, now_us))
        place = _place(upon, row)
        if place is not None:
            work.places.append((person, *place))

    def _line_of(self, upon: AnyRow | None) -> int | None:
        """The line of this file that a contact stands on already."""
        source: str = "" if upon is None else upon.source
        return int(source.removeprefix(self._mark)) if source.startswith(self._mark) else None

    def _enter(
        self, connection: Connection, brought: ConsentBrought, taken: dict[int, int], now_us: int
    ) -> tuple[int, int]:
        """Write the ledger; how many entries, and how many were left out since the person has said no."""
        people = [*taken]
        said = consents.said_last(connection, people, brought.category)
        out = optouts.standing(connection, people)
        entries, withheld = list[NewConsent](), 0
        for person, line in taken.items():
            at_us = now_us if brought.at_us is None else min(brought.at_us, now_us)
            state, since_us = said.get(person, (None, 0))
            if state is brought.state and (since_us == at_us or brought.at_us is None):
                # The same was said before.
                continue
            refused = state is ConsentState.WITHDRAWN and since_us <= at_us
            if brought.state is ConsentState.GIVEN and (
                refused or (brought.at_us is None and optouts.covered(out, person, brought.category))
            ):
                withheld += 1
                continue
            entries.append(self._entry(brought, person, line, at_us, now_us))
        consents.record_all(connection, entries)
        if brought.state is ConsentState.WITHDRAWN:
            self._end_waiting(connection, brought.category, [each.recipient_id for each in entries], now_us)
        return len(entries), withheld

    def _entry(self, brought: ConsentBrought, person: int, line: int, at_us: int, now_us: int) -> NewConsent:
        return NewConsent(
            recipient_id=person,
            category=brought.category,
            state=brought.state,
            at_us=at_us,
            recorded_us=now_us,
            channel=CHANNEL,
            wording=brought.wording,
            evidence=f"import {self._id}, line {line}",
            source=brought.source or f"import:{self._id}",
            by=brought.by,
        )

    @staticmethod
    def _end_waiting(connection: Connection, category: str, people: Sequence[int], now_us: int) -> None:
        said = consents.said_last(connection, people, category) if people else {}
        for person, (state, _) in said.items():
            if state is ConsentState.WITHDRAWN:
                choices.end_without_consent(connection, person, category, now_us)


class Elsewhere(Exception):
    """The import was ended, or another host is further: nothing of the group stands."""


def _new(row: Row, person: int, source: str, now_us: int) -> ContactValues:
    return contact_values(
        person,
        now_us,
        name=row.name,
        email=row.email,
        push=row.push,
        attributes=row.attributes,
        tags=tags_kept(row.tags) if row.tags else "[]",
        source=source,
    )


def _changed(upon: AnyRow, row: Row, source: str, now_us: int) -> ContactValues:
    """What the row says goes before what stood there; what it leaves empty stays."""
    return contact_values(
        upon.recipient_id,
        now_us,
        name=row.name or upon.name,
        email=row.email or upon.email,
        push=row.push or upon.push,
        attributes=_united(upon.attributes, row.attributes),
        tags=_united_tags(upon.tags, row.tags),
        source=source,
    )


def _united(before: str, said: str) -> str:
    if said in ("{}", before):
        return before
    if before == "{}":
        return said
    values: dict[str, Any] = json.loads(before) | json.loads(said)
    return kept_json({name: values[name] for name in sorted(values)})


def _united_tags(before: str, said: tuple[str, ...]) -> str:
    if not said:
        return before
    if before == "[]":
        return tags_kept(said)
    return tags_kept([*dict.fromkeys((*json.loads(before), *said))][:MOST_TAGS])


def _place(upon: AnyRow | None, row: Row) -> tuple[str | None, str | None, str | None] | None:
    """Zone, country and language, where anything of them is new."""
    said = (row.timezone, row.country, row.language)
    if said == (None, None, None):
        return None
    if upon is None:
        return said
    before = (upon.timezone, upon.country, upon.language)
    after = (said[0] or before[0], said[1] or before[1], said[2] or before[2])
    return None if after == before else after
