"""The table of attributes: which there are, and of what type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal, select

from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, attribute, contact

_a = attribute.c
_all = Prepared(select(attribute).order_by(_a.name))
_add = Prepared(
    insert(attribute)
    .values(
        name=bindparam("called"), type=bindparam("kind"), declared=bindparam("said"), created_us=bindparam("now_us")
    )
    .on_conflict_do_nothing()
)


def every(connection: Connection) -> Sequence[AnyRow]:
    """All attributes: name, type, declared, created_us; by name."""
    return _all.rows(connection)


def types(connection: Connection) -> dict[str, str]:
    """The types by name."""
    return {row.name: row.type for row in every(connection)}


def add(connection: Connection, name: str, kind: str, now_us: int, *, declared: bool) -> None:
    """Make one, unless there is one of that name."""
    _add.write(connection, called=name, kind=kind, said=declared, now_us=now_us)


def declare(connection: Connection, name: str, kind: str, now_us: int) -> None:
    """Say of what type it is, whatever it was."""
    row = insert(attribute).values(name=name, type=kind, declared=True, created_us=now_us)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"type": kind, "declared": True}))


def remove(connection: Connection, name: str) -> bool:
    """Forget it; False if there is none."""
    return connection.execute(delete(attribute).where(_a.name == name)).rowcount > 0


def holding(connection: Connection, name: str, after: int, most: int) -> Sequence[AnyRow]:
    """The next contacts behind this row that have a value under that name: id, attributes; at most so many."""
    c: Any = contact.c
    # As `gateway.people.contacts.kept_json` writes it. What stands so within a text has its quotes escaped.
    has = func.replace(c.attributes, literal(f'"{name}":'), "") != c.attributes
    query = select(c.id, c.attributes).where(c.id > after, has).order_by(c.id).limit(most)
    return connection.execute(query).all()
