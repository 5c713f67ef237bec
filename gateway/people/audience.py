"""Whom something goes to: numbers and segments, each person once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from gateway.address import NumberInvalid, parse_recipient
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import FieldError, InvalidRequest
from gateway.people.aside import Aside
from gateway.people.contact import Contact
from gateway.people.contacts import contact_of, contacts_of, types_of
from gateway.people.segments import Crowd
from gateway.store import contacts, recipients, segments
from gateway.store.database import Store
from gateway.store.schema import AnyRow

#: What a segment may be called; no number looks like it.
SEGMENT_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCount:
    """How many are meant. Left out are: those who lack a value, by the field that the filter came to (`missing`), those
    whom it cannot be worked out for (`failed`), and those in it whose number is dead (`dead`)."""

    matched: int
    missing: Mapping[str, int] = field(default_factory=dict[str, int])
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class _Meant:
    """Numbers in E.164, and the filters of segments."""

    numbers: tuple[str, ...]
    filters: tuple[str, ...]


class Audience:
    """Words such as "+33612345678" and "diabetics", and the people behind them."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, aside: Aside) -> None:
        self._store = store
        self._country = settings.gateway.country
        #: Everybody, one step after the other.
        self.crowd = Crowd(settings, store, clock, aside)

    async def check(self, to: Sequence[str]) -> None:
        """Refuse what is neither a number nor the name of a segment, each by its place: `/to/0`."""
        await self._meant(to)

    async def chunks(self, to: Sequence[str], *, most: int = _CHUNK) -> AsyncIterator[Sequence[Contact]]:
        """The people, each once, at most so many at a time: first those of the numbers, then those of the segments in
        the order in which they were added. Dead numbers are left out. A number that nobody is known by has a contact
        whose `id` is 0; `recipient_id` is 0 as well where nothing was ever sent to it. Raises as `check`."""
        meant = await self._meant(to)
        for start in range(0, len(meant.numbers), most):
            found = await self._of_numbers(meant.numbers[start : start + most])
            if alive := [each for each in found if each.dead_us is None]:
                yield alive
        async with aclosing(self._of_filters(meant, most)) as going:
            async for chunk in going:
                yield chunk

    async def count(self, to: Sequence[str], *, only: Collection[str] | None = None) -> AudienceCount:
        """How many there are, and how many are left out; with `only`, of these numbers alone. Raises as `check`."""
        meant = await self._meant(to)
        numbers = [number for number in meant.numbers if only is None or number in only]
        matched = dead = 0
        for start in range(0, len(numbers), _CHUNK):
            found = await self._of_numbers(numbers[start : start + _CHUNK])
            dead += sum(each.dead_us is not None for each in found)
            matched += sum(each.dead_us is None for each in found)
        counted = await self.count_filters(meant.filters, without=frozenset(numbers), only=only)
        return AudienceCount(
            matched=matched + counted.matched,
            missing=counted.missing,
            failed=counted.failed,
            dead=dead + counted.dead,
        )

    async def count_filters(
        self, filters: Sequence[str], *, without: Collection[str] = (), only: Collection[str] | None = None
    ) -> AudienceCount:
        """How many any of these filters holds for, but for the people of some numbers; with `only`, of these alone."""
        matched = failed = dead = 0
        missing = Counter[str]()
        if not filters:
            return AudienceCount(matched=0)
        async with aclosing(self.crowd.steps(filters, only=only)) as steps:
            async for step in steps:
                found = [row for at in step.judged.members if (row := step.rows[at]).number not in without]
                gone = sum(row.dead_us is not None for row in found)
                matched += len(found) - gone
                dead += gone
                failed += step.judged.failed
                missing.update(step.judged.missing)
        return AudienceCount(matched=matched, missing=dict(missing), failed=failed, dead=dead)

    async def _of_filters(self, meant: _Meant, most: int) -> AsyncGenerator[Sequence[Contact]]:
        if not meant.filters:
            return
        types = await self.crowd.types()
        without = frozenset(meant.numbers)
        # Rows until they are asked for: a whole step of them made into contacts at once would hold up the loop.
        waiting: list[AnyRow] = []
        async with aclosing(self.crowd.steps(meant.filters)) as steps:
            async for step in steps:
                found = (step.rows[at] for at in step.judged.members)
                waiting += [row for row in found if row.dead_us is None and row.number not in without]
                while len(waiting) >= most:
                    yield contacts_of(waiting[:most], types)
                    del waiting[:most]
        if waiting:
            yield contacts_of(waiting, types)

    async def _of_numbers(self, numbers: Sequence[str]) -> list[Contact]:
        lookups = {self._store.fingerprint(number): number for number in numbers}

        def work(connection: Connection) -> list[Contact]:
            people = recipients.find_all(connection, lookups)
            types = types_of(connection)
            known = {row.recipient_id: row for row in contacts.of_people(connection, list(people.values()))}
            return [
                contact_of(known[person], types)
                if (person := people.get(lookup, 0)) in known
                else Contact(id=0, recipient_id=person, number=number, created_us=0, updated_us=0)
                for lookup, number in lookups.items()
            ]

        return await self._store.read(work)

    async def _meant(self, to: Sequence[str]) -> _Meant:
        names = {word for word in to if SEGMENT_NAME.fullmatch(word)}
        found = await self._store.read(lambda connection: segments.of_names(connection, names)) if names else {}
        numbers: dict[str, None] = {}
        filters: dict[str, None] = {}
        errors: list[FieldError] = []
        for at, word in enumerate(to):
            if word in found:
                filters[found[word].filter] = None
            elif word in names:
                errors.append(FieldError(f"/to/{at}", "there is no segment of this name"))
            else:
                try:
                    numbers[parse_recipient(word, self._country)] = None
                except NumberInvalid as error:
                    errors.append(FieldError(f"/to/{at}", str(error)))
        if errors:
            raise InvalidRequest("to_invalid", errors[0].message, errors=errors)
        return _Meant(tuple(numbers), tuple(filters))
