"""Contacts as they are written: one, or a group of an import at once.

The number, zone, country and language are the person's and stand in `recipient`; everything else stands in `contact`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import contact, recipient

_c = contact.c


#: What is written of one contact, as `contact_values` makes it.
ContactValues: TypeAlias = dict[str, Any]

_OWN = ("name", "email", "push", "attributes", "tags", "source")
_own: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in _OWN}


def contact_values(
    person: int,
    now_us: int,
    *,
    name: str | None,
    email: str | None,
    push: str | None,
    attributes: str,
    tags: str,
    source: str,
) -> ContactValues:
    """What is written of the contact of a person; `attributes` and `tags` as JSON."""
    return {
        "person": person,
        "now_us": now_us,
        "new_name": name,
        "new_email": email,
        "new_push": push,
        "new_attributes": attributes,
        "new_tags": tags,
        "new_source": source,
    }


_add = Prepared(
    insert(contact).values(
        recipient_id=bindparam("person"), created_us=bindparam("now_us"), updated_us=bindparam("now_us"), **_own
    )
)
_change = Prepared(
    update(contact).where(_c.recipient_id == bindparam("person")).values(updated_us=bindparam("now_us"), **_own)
)
_place = Prepared(
    update(recipient)
    .where(recipient.c.id == bindparam("person"))
    .values(timezone=bindparam("zone"), country=bindparam("land"), language=bindparam("tongue"))
)
_mark = Prepared(
    update(contact)
    .where(_c.recipient_id == bindparam("person"), _c.dead_us.is_(None))
    .values(dead_us=bindparam("since_us"), dead_code=bindparam("cause"))
)
_clear = PreparedList(
    lambda values: update(contact).where(_c.recipient_id.in_(values)).values(dead_us=None, dead_code=None)
)


def add_all(connection: Connection, rows: Iterable[ContactValues]) -> None:
    """New contacts, of people who have none."""
    _add.write_many(connection, rows)


def change_all(connection: Connection, rows: Iterable[ContactValues]) -> None:
    """Contacts that there are, as they stand from now on."""
    _change.write_many(connection, rows)


def place_all(connection: Connection, people: Iterable[tuple[int, str | None, str | None, str | None]]) -> None:
    """Where these people are, and what they read: row of `recipient`, zone, country, language."""
    named = ("person", "zone", "land", "tongue")
    _place.write_many(connection, [dict(zip(named, each, strict=True)) for each in people])


def remove(connection: Connection, recipient_id: int) -> bool:
    """Forget the contact of this person, and what it said of them; False if there is none. Everything else of the
    person stays."""
    gone = connection.execute(delete(contact).where(_c.recipient_id == recipient_id)).rowcount > 0
    if gone:
        _place.write(connection, person=recipient_id, zone=None, land=None, tongue=None)
    return gone


def write_attributes(connection: Connection, rows: Sequence[tuple[int, str]], now_us: int) -> None:
    """Replace the attributes (JSON) of these contacts, by their ids."""
    _attributes.write_many(connection, [{"row": row, "kept": kept, "now_us": now_us} for row, kept in rows])


_attributes = Prepared(
    update(contact)
    .where(_c.id == bindparam("row"))
    .values(attributes=bindparam("kept"), updated_us=bindparam("now_us"))
)


def mark_dead(connection: Connection, people: Iterable[tuple[int, int, str]]) -> None:
    """Nothing reaches these people any more: row of `recipient`, since when, the network's word. A mark that stands
    stays as it is."""
    _mark.write_many(
        connection, [{"person": person, "since_us": since_us, "cause": code} for person, since_us, code in people]
    )


def mark_alive(connection: Connection, people: Sequence[int]) -> None:
    """Something reached them after all."""
    if people:
        _clear.write(connection, people)


def locked(connection: Connection, recipient_id: int) -> bool:
    """Whether the person has a contact, whose row nobody else changes from now on."""
    query = select(_c.id).where(_c.recipient_id == recipient_id).with_for_update()
    return connection.execute(query).first() is not None
