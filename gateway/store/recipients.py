"""People, by number: the one row that everything else refers to."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from gateway.store.schema import recipient

_find = select(recipient.c.id)


def ensure(connection: Connection, number: str, kind: str, lookup: bytes, now_us: int) -> int:
    """The row of this number, made if it is new."""
    known = find(connection, lookup)
    if known is not None:
        return known
    row = insert(recipient).values(number=number, kind=kind, lookup=lookup, created_us=now_us)
    return connection.execute(row.returning(recipient.c.id)).scalar_one()


def find(connection: Connection, lookup: bytes) -> int | None:
    """The row of this number, if there is one."""
    return connection.execute(_find.where(recipient.c.lookup == lookup)).scalar()


def number_of(connection: Connection, recipient_id: int) -> str:
    """The number of a row; empty once it was erased."""
    return connection.execute(select(recipient.c.number).where(recipient.c.id == recipient_id)).scalar_one() or ""


def next_concat_reference(connection: Connection, recipient_id: int) -> int:
    """The next 8-bit concatenation reference towards this person (TS 23.040, 9.2.3.24.1)."""
    row = update(recipient).where(recipient.c.id == recipient_id)
    row = row.values(concat_reference=(recipient.c.concat_reference + 1) % 256)
    return connection.execute(row.returning(recipient.c.concat_reference)).scalar_one()
