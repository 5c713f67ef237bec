"""Opt-outs: who must not be written to."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.address import AddressKind, NumberInvalid, parse_recipient
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import InvalidRequest, NotFound
from gateway.message import OptOut
from gateway.requests import Page, Principal
from gateway.services.visibility import before_row, only_people, refuse_person
from gateway.store import choices, optouts, recipients
from gateway.store.database import Store

#: How the ledger names what came through this interface.
API = "api"


class OptOuts:
    """The opt-outs that stand."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._country = settings.gateway.country
        self._categories = settings.categories
        self._stoppable = tuple(name for name, each in settings.categories.items() if each.stoppable)

    async def list(self, principal: Principal, *, number: str | None, limit: int, cursor: str | None) -> Page[OptOut]:
        """Opt-outs, newest first, of one number or of all; for a token that only tests, of its people alone."""
        before = before_row(cursor)
        lookup = None if number is None else self._store.fingerprint(self._number(number, "number"))

        def work(connection: Connection) -> Page[OptOut]:
            person = None if lookup is None else recipients.find(connection, lookup)
            if lookup is not None and person is None:
                return Page([], None)
            return optouts.page(
                connection, recipient_id=person, limit=limit, before=before, people=only_people(principal)
            )

        return await self._store.read(work)

    async def add(self, principal: Principal, number: str, category: str | None) -> OptOut:
        """Opt a number out, take back what it had agreed to there, and end what waits for it; one that stands already
        is answered as it is."""
        normal = self._number(number, "/number")
        refuse_person(principal, normal)
        scope = self._scope(category, "/category")
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> OptOut | None:
            now_us = self._clock.now_us()
            person = recipients.ensure(connection, normal, AddressKind.E164, lookup, now_us)
            source = f"token:{principal.name}"
            deed = choices.Deed(person, now_us, source, API, channel=API, by=principal.name)
            choices.stop(connection, deed, scope, self._stoppable)
            return optouts.get(connection, person, scope)

        standing = await self._store.write(work, hurried=True)
        assert standing is not None, "it was added in this transaction"
        return standing

    async def lift(self, principal: Principal, number: str, category: str | None) -> OptOut:
        """Lift an opt-out; `NotFound` when none of that scope stands."""
        normal = self._number(number, "number")
        refuse_person(principal, normal)
        scope = self._scope(category, "category")
        lookup = self._store.fingerprint(normal)

        def work(connection: Connection) -> OptOut | None:
            person = recipients.find(connection, lookup)
            standing = None if person is None else optouts.get(connection, person, scope)
            if person is not None and standing is not None:
                optouts.lift(connection, person, scope, self._clock.now_us(), by=f"token:{principal.name}")
            return standing

        lifted = await self._store.write(work, hurried=True)
        if lifted is None:
            raise NotFound("optout_not_found", "no such opt-out stands")
        return lifted

    def _number(self, text: str, pointer: str) -> str:
        try:
            return parse_recipient(text, self._country)
        except NumberInvalid as error:
            raise InvalidRequest.field("number_invalid", pointer, str(error)) from None

    def _scope(self, category: str | None, pointer: str) -> str:
        if not category:
            return ""
        if category not in self._categories:
            raise InvalidRequest.field("category_unknown", pointer, "there is no such category in the configuration")
        if category not in self._stoppable:
            raise InvalidRequest.field("category_not_stoppable", pointer, "messages of this category cannot be stopped")
        return category
