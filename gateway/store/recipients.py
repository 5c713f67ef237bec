"""People, by number: the one row that everything else refers to."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway.store.prepared import Prepared
from gateway.store.schema import recipient

_find = Prepared(select(recipient.c.id).where(recipient.c.lookup == bindparam("hash")))
_add = Prepared(
    insert(recipient)
    .values(
        number=bindparam("digits"),
        kind=bindparam("sort"),
        lookup=bindparam("hash"),
        created_us=bindparam("now_us"),
        concat_reference=0,
    )
    .returning(recipient.c.id)
)
_next_reference = Prepared(
    update(recipient)
    .where(recipient.c.id == bindparam("person"))
    .values(concat_reference=(recipient.c.concat_reference + 1) % 256)
    .returning(recipient.c.concat_reference)
)


def ensure(connection: Connection, number: str, kind: str, lookup: bytes, now_us: int) -> int:
    """The row of this number, made if it is new."""
    known = find(connection, lookup)
    if known is not None:
        return known
    return _add.scalar(connection, digits=number, sort=str(kind), hash=lookup, now_us=now_us)


def find(connection: Connection, lookup: bytes) -> int | None:
    """The row of this number, if there is one."""
    return _find.scalar(connection, hash=lookup)


def next_concat_reference(connection: Connection, recipient_id: int) -> int:
    """The next 8-bit concatenation reference towards this person (TS 23.040, 9.2.3.24.1)."""
    return _next_reference.scalar(connection, person=recipient_id)
