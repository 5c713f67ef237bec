"""People with contacts, written straight into a store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from gateway.address import AddressKind
from gateway.store import recipients
from gateway.store.database import Store
from gateway.store.schema import attribute, contact, recipient

#: Types of the attributes that tests use.
TYPES = {"city": "text", "birth_date": "date", "visits": "number", "member": "bool", "last visit": "date"}


@dataclass(frozen=True, kw_only=True)
class Someone:
    """Somebody as the tables have them."""

    number: str
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
    country: str | None = None
    language: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tags: Sequence[str] = ()
    dead: bool = False


async def fill(store: Store, people: Iterable[Someone], types: Mapping[str, str] = TYPES) -> dict[str, int]:
    """Write them; the row of `recipient` by number."""
    found: dict[str, int] = {}
    everybody = list(people)
    for start in range(0, len(everybody), 1000):
        some = everybody[start : start + 1000]
        found |= await store.write(lambda connection, some=some: _fill(store, connection, some, types))
    return found


async def clear(store: Store) -> None:
    """Nobody is known any more, and no attribute."""
    await store.write(_clear)


def _clear(connection: Connection) -> None:
    for table in (contact, attribute):
        connection.execute(delete(table))
    connection.execute(update(recipient).values(timezone=None, country=None, language=None))


def _fill(store: Store, connection: Connection, people: Sequence[Someone], types: Mapping[str, str]) -> dict[str, int]:
    lookups = {store.fingerprint(each.number): (each.number, AddressKind.E164) for each in people}
    rows = recipients.ensure_all(connection, lookups, 1)
    ids = {each.number: rows[store.fingerprint(each.number)] for each in people}
    for each in people:
        if each.timezone or each.country or each.language:
            places = {"timezone": each.timezone, "country": each.country, "language": each.language}
            connection.execute(update(recipient).where(recipient.c.id == ids[each.number]).values(**places))
    connection.execute(insert(contact), [_row(each, ids[each.number]) for each in people])
    known = set(connection.scalars(select(attribute.c.name)))
    for name in types.keys() - known:
        connection.execute(insert(attribute).values(name=name, type=types[name], declared=True, created_us=1))
    return ids


def _row(someone: Someone, person: int) -> dict[str, Any]:
    return {
        "recipient_id": person,
        "name": someone.name,
        "email": someone.email,
        "attributes": json.dumps(someone.attributes),
        "tags": json.dumps(list(someone.tags)),
        "created_us": 1,
        "updated_us": 1,
        "source": "api",
        "dead_us": 1 if someone.dead else None,
        "dead_code": "unknown_subscriber" if someone.dead else None,
    }
