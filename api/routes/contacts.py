"""Contacts: list, read, write, merge; and their attributes."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.contacts import (
    AttributeIn,
    ContactChange,
    ContactIn,
    ContactsQuery,
    ContactWhole,
    MergeIn,
    alike_out,
    attribute_out,
    contact_out,
)
from api.models.fields import NoQuery, PageQuery, with_plus
from api.models.lists import list_out, page_of

_CREATED: Final = 201
_OK: Final = 200


async def list_all(call: Call, wanted: ContactsQuery) -> web.Response:
    """Contacts, newest first."""
    page = await call.services.contacts.list(call.principal, wanted.value(), limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, contact_out))


async def create(call: Call, wanted: ContactIn) -> web.Response:
    """Make a contact; 409 where the number has one."""
    made = await call.services.contacts.create(call.principal, wanted.number, wanted.given())
    return answer(contact_out(made), _CREATED)


async def read(call: Call, _: NoQuery) -> web.Response:
    """The contact of a number."""
    return answer(contact_out(await call.services.contacts.get(call.principal, _number(call))))


async def put(call: Call, wanted: ContactWhole) -> web.Response:
    """Let the contact of a number be exactly this, whether there is one or not."""
    written, new = await call.services.contacts.put(call.principal, _number(call), wanted.given())
    return answer(contact_out(written), _CREATED if new else _OK)


async def change(call: Call, wanted: ContactChange) -> web.Response:
    """Change fields of a contact; the others stay."""
    return answer(contact_out(await call.services.contacts.change(call.principal, _number(call), wanted.given())))


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget a contact; answers with it. Opt-outs, consents and messages of the number stay."""
    return answer(contact_out(await call.services.contacts.remove(call.principal, _number(call))))


async def merge(call: Call, wanted: MergeIn) -> web.Response:
    """Make two contacts one. The target's values stay, what it lacks comes from the source, whose contact ends."""
    return answer(contact_out(await call.services.contacts.merge(call.principal, wanted.source, wanted.target)))


async def duplicates(call: Call, wanted: PageQuery) -> web.Response:
    """Contacts that may be one person: of the same e-mail, or of the same name and birth date."""
    page = await call.services.contacts.duplicates(call.principal, limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, alike_out))


async def attributes(call: Call, wanted: PageQuery) -> web.Response:
    """The attributes of contacts with their types, by name."""
    every = await call.services.contacts.attributes.list(call.principal)
    return answer(list_out(page_of(every, lambda one: one.name, wanted.limit, wanted.cursor), attribute_out))


async def declare(call: Call, wanted: AttributeIn) -> web.Response:
    """Say of what type an attribute is. Its values are converted, or none is where one cannot be."""
    attribute, new = await call.services.contacts.attributes.put(call.principal, call.segment("name"), wanted.type)
    return answer(attribute_out(attribute), _CREATED if new else _OK)


async def forget(call: Call, _: NoQuery) -> web.Response:
    """Forget an attribute and all its values; answers with it."""
    return answer(attribute_out(await call.services.contacts.attributes.remove(call.principal, call.segment("name"))))


def _number(call: Call) -> str:
    return str(with_plus(call.segment("number")))
