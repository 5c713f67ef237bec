"""Contacts: whom the owner knows, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.address import AddressKind, NumberInvalid
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.ids import IdSource
from gateway.message import Rule
from gateway.outbound.rulebook import numbers_of
from gateway.people import contacts_book, contacts_merging
from gateway.people.contact import Contact
from gateway.people.contacts import contacts_of, kept_json, types_of
from gateway.people.contacts_fields import FieldRefused, tag_of
from gateway.people.contacts_merging import Alike, Search, alike
from gateway.people.hygiene import Hygiene
from gateway.requests import Page, Principal
from gateway.services.contact_attributes import ContactAttributes
from gateway.services.contact_imports import ContactImports
from gateway.services.visibility import before_row, only_people, refuse_person, refuse_test
from gateway.store import contacts, contacts_lists, contacts_written, recipients
from gateway.store.database import Store

__all__ = ["HYGIENE", "Alike", "Contact", "ContactFilter", "Contacts"]

#: The lists of numbers that are of no use.
HYGIENE: Final = ("dead", "never_delivered", "unsubscribed", "stale")
_STALE_DAYS: Final = 180
_DAY_US: Final = 24 * 3600 * SECOND_US
# What one look through the contacts reads: others come in between.
_LOOK: Final = 2000
ALL_PEOPLE: Final = "has nothing to do with the owner's contacts as a whole"


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts are listed; `days` is what `stale` means."""

    tag: str | None = None
    words: str | None = None
    hygiene: str | None = None
    days: int | None = None


class Contacts:
    """The owner's contacts, for front ends."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, ids: IdSource) -> None:
        self._store = store
        self._clock = clock
        self._country = settings.gateway.country
        self._numbers = numbers_of(settings)
        self.attributes = ContactAttributes(settings, store, clock)
        self.imports = ContactImports(settings, store, clock, ids)
        self._hygiene = Hygiene(store, clock)

    def tasks(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """What runs while the gateway does."""
        yield "imports", self.imports.run()
        yield "hygiene", self._hygiene.run()

    async def list(
        self, principal: Principal, wanted: ContactFilter, *, limit: int, cursor: str | None
    ) -> Page[Contact]:
        """Those that fit, newest first; for a token that only tests, of its people alone."""
        before = before_row(cursor)
        stale_us = self._clock.now_us() - (wanted.days or _STALE_DAYS) * _DAY_US
        asked = contacts_lists.Wanted(_tag_kept(wanted.tag), wanted.words, wanted.hygiene, stale_us)

        def work(connection: Connection) -> Page[Contact]:
            people = only_people(principal)
            rows, following = contacts_lists.page(connection, asked, limit=limit, before=before, people=people)
            return Page(contacts_of(rows, types_of(connection)), following)

        return await self._store.read(work)

    async def get(self, principal: Principal, number: str) -> Contact:
        """The contact of this number."""
        normal = self._number(number, "number")
        if (people := only_people(principal)) is not None and normal not in people:
            raise _missing()
        lookup = self._store.fingerprint(normal)
        return await self._store.read(lambda connection: _there(connection, lookup))

    async def create(self, principal: Principal, number: str, fields: Mapping[str, Any]) -> Contact:
        """Make a contact; `Conflict` where the number has one."""
        normal = self._writable(principal, number, "/number")
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> Contact:
            now_us = self._clock.now_us()
            person = recipients.ensure(connection, normal, AddressKind.E164, lookup, now_us)
            recipients.lock(connection, person)
            if contacts_written.locked(connection, person):
                raise Conflict("contact_exists", "there is a contact of this number already")
            return contacts_book.write(connection, person, fields, now_us, upon=None, whole=True)

        return await self._store.write(work, hurried=True)

    async def put(self, principal: Principal, number: str, fields: Mapping[str, Any]) -> tuple[Contact, bool]:
        """Let a contact be exactly this, and say whether it is new."""
        normal = self._writable(principal, number, "number")
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> tuple[Contact, bool]:
            now_us = self._clock.now_us()
            person = recipients.ensure(connection, normal, AddressKind.E164, lookup, now_us)
            recipients.lock(connection, person)
            upon = contacts_book.standing(connection, person)
            return contacts_book.write(connection, person, fields, now_us, upon=upon, whole=True), upon is None

        return await self._store.write(work, hurried=True)

    async def change(self, principal: Principal, number: str, fields: Mapping[str, Any]) -> Contact:
        """Change what is given, and leave the rest as it is."""
        normal = self._number(number, "number")
        refuse_person(principal, normal)
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> Contact:
            upon = _there(connection, lookup, lock=True)
            now_us = self._clock.now_us()
            return contacts_book.write(connection, upon.recipient_id, fields, now_us, upon=upon, whole=False)

        return await self._store.write(work, hurried=True)

    async def remove(self, principal: Principal, number: str) -> Contact:
        """Forget a contact; answers with it. Opt-outs, consents and messages of the number stay."""
        normal = self._number(number, "number")
        refuse_person(principal, normal)
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> Contact:
            gone = _there(connection, lookup, lock=True)
            contacts_written.remove(connection, gone.recipient_id)
            return gone

        return await self._store.write(work, hurried=True)

    async def merge(self, principal: Principal, source: str, target: str) -> Contact:
        """Make two contacts one, of the target's number; what the target has stays."""
        refuse_test(principal, ALL_PEOPLE)
        of_source, of_target = self._number(source, "/from"), self._number(target, "/into")
        if of_source == of_target:
            raise InvalidRequest.field("merge_with_itself", "/into", "must be another number than the first")
        lookups = [self._store.fingerprint(each) for each in (of_source, of_target)]

        def work(connection: Connection) -> Contact:
            people = recipients.find_all(connection, lookups)
            recipients.lock_all(connection, people.values(), alone=True)
            one, other = (_there(connection, lookup) for lookup in lookups)
            return contacts_merging.merge(connection, one, other, self._clock.now_us())

        return await self._store.write(work, hurried=True)

    async def duplicates(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Alike]:
        """Contacts that may be one person, those known for longest first. The cursor counts them."""
        refuse_test(principal, ALL_PEOPLE)
        start = before_row(cursor) or 0
        types = await self._store.read(types_of)
        search, last = Search(), 0
        while (behind := await self._store.read(_looking(search, last, types))) is not None:
            last = behind
        groups = search.groups()
        shown = groups[start : start + limit]

        def work(connection: Connection) -> Sequence[Alike | None]:
            return [alike(contacts.of_ids(connection, ids), types) for ids in shown]

        found = [each for each in await self._store.read(work) if each is not None]
        return Page(found, str(start + limit) if start + limit < len(groups) else None)

    def _number(self, text: str, pointer: str) -> str:
        return self._judged(text, pointer)[0]

    def _writable(self, principal: Principal, text: str, pointer: str) -> str:
        """The normal form of a number that may be written to."""
        number, refusal = self._judged(text, pointer)
        if refusal is not None:
            raise InvalidRequest.field(Rule.NUMBER_NOT_ALLOWED, pointer, refusal)
        refuse_person(principal, number)
        return number

    def _judged(self, text: str, pointer: str) -> tuple[str, str | None]:
        try:
            return self._numbers.judged(text, self._country)
        except NumberInvalid as error:
            raise InvalidRequest.field("number_invalid", pointer, str(error)) from None


def _looking(search: Search, after: int, types: Mapping[str, str]) -> Callable[[Connection], int | None]:
    return lambda connection: search.look(connection, after, _LOOK, types)


def _there(connection: Connection, lookup: bytes, *, lock: bool = False) -> Contact:
    person = recipients.find(connection, lookup)
    if person is not None and lock:
        recipients.lock(connection, person)
    found = None if person is None else contacts_book.standing(connection, person)
    if found is None:
        raise _missing()
    return found


def _missing() -> NotFound:
    return NotFound("contact_not_found", "there is no contact of this number")


def _tag_kept(tag: str | None) -> str | None:
    if tag is None:
        return None
    try:
        return kept_json(tag_of(tag))
    except FieldRefused as refused:
        raise InvalidRequest.field("contact_invalid", "tag", refused.sentence) from None
