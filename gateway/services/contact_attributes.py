"""The attributes of contacts: their types, declared or read off the first values."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.people import contacts_book
from gateway.people.attributes import Attribute, Conversion, attribute_of
from gateway.people.contacts_fields import FieldRefused, attribute_name_of
from gateway.requests import Principal
from gateway.services.visibility import refuse_test
from gateway.store import contacts_attributes
from gateway.store.database import Store

__all__ = ["Attribute", "ContactAttributes"]

_EVERYBODY = "changes nothing about the attributes of all contacts"


class ContactAttributes:
    """Of what type each attribute is, for front ends."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._country = settings.gateway.country
        # Two changes of one attribute at once would convert each other's values.
        self._turn = asyncio.Lock()

    async def list(self, principal: Principal) -> Sequence[Attribute]:
        """Every attribute, by name."""
        del principal  # a name and a type tell of nobody
        return await self._store.read(_every)

    async def put(self, principal: Principal, name: str, kind: str) -> tuple[Attribute, bool]:
        """Declare of what type an attribute is, and say whether it is new. Its values become values of that type;
        `Conflict` with their count where some cannot."""
        refuse_test(principal, _EVERYBODY)
        try:
            attribute_name_of(name)
        except FieldRefused as refused:
            raise InvalidRequest.field("attribute_invalid", "name", refused.sentence) from None
        async with self._turn:
            known = await self._store.read(_every)
            before = next((each for each in known if each.name == name), None)
            if before is None:
                contacts_book.refuse_too_many(len(known) + 1)
            conversion = None
            if before is not None and before.type != kind:
                conversion = Conversion(self._store, name, before.type, kind, self._country)
                if unfit := await conversion.unfit():
                    said = f"{unfit} contacts have a value that is no {kind}: nothing was changed"
                    raise Conflict("attribute_in_use", said)
            await self._store.write(
                lambda connection: contacts_attributes.declare(connection, name, kind, self._clock.now_us())
            )
            if conversion is not None:
                await conversion.run(self._clock.now_us)
        return _named(await self._store.read(_every), name), before is None

    async def remove(self, principal: Principal, name: str) -> Attribute:
        """Forget an attribute and every value of it; answers with it."""
        refuse_test(principal, _EVERYBODY)
        async with self._turn:
            gone = _named(await self._store.read(_every), name)
            await self._store.write(lambda connection: contacts_attributes.remove(connection, name))
            await Conversion(self._store, name, gone.type, None, self._country).run(self._clock.now_us)
        return gone


def _every(connection: Connection) -> list[Attribute]:
    return [attribute_of(row) for row in contacts_attributes.every(connection)]


def _named(found: Sequence[Attribute], name: str) -> Attribute:
    for each in found:
        if each.name == name:
            return each
    raise NotFound("attribute_not_found", "there is no attribute of that name")
