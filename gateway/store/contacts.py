"""The table of contacts, with what stands of each in `recipient`. Attributes and tags are JSON as they are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, select

from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, contact, recipient

_c = contact.c
_r = recipient.c
#: A contact with its person: the columns of `contact`, and `number`, `timezone`, `country`, `language`.
joined: Select[Any] = select(contact, _r.number, _r.timezone, _r.country, _r.language).join(
    recipient, _r.id == _c.recipient_id
)
_of_people = PreparedList(lambda values: joined.where(_c.recipient_id.in_(values)))
_of_ids = PreparedList(lambda values: joined.where(_c.id.in_(values)))
_after = Prepared(
    joined.where(_c.id > bindparam("after"), _r.number.is_not(None))
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)


def of_person(connection: Connection, recipient_id: int) -> AnyRow | None:
    """The contact of this person, if there is one."""
    return next(iter(of_people(connection, [recipient_id])), None)


def of_people(connection: Connection, people: Collection[int]) -> Sequence[AnyRow]:
    """The contacts of these rows of `recipient`, in no order."""
    return _of_people.rows(connection, sorted(people))


def of_ids(connection: Connection, ids: Collection[int]) -> Sequence[AnyRow]:
    """These contacts, in no order."""
    return _of_ids.rows(connection, sorted(ids))


def after(connection: Connection, contact_id: int, most: int) -> Sequence[AnyRow]:
    """The next contacts behind this row, at most so many, in the order of their rows: how all are gone through in small
    steps. Those who were erased are left out."""
    return _after.rows(connection, after=contact_id, most=most)
