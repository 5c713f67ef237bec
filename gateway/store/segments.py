"""The table of segments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, bindparam, delete, select, update

from gateway.requests import Page
from gateway.store.contacts import joined
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, contact, recipient, segment

_s = segment.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A name for whoever a filter holds for. Instants are microseconds UTC."""

    name: str
    filter: str
    created_us: int
    updated_us: int


_columns = (_s.id, _s.name, _s.filter, _s.created_us, _s.updated_us)
_by_name = Prepared(select(*_columns).where(_s.name == bindparam("word")))
_by_names = PreparedList(lambda values: select(*_columns).where(_s.name.in_(values)))
_newest = Prepared(
    select(*_columns).where(_s.id < bindparam("before")).order_by(_s.id.desc()).limit(bindparam("most", type_=Integer))
)
_add = Prepared(
    insert(segment)
    .values(
        name=bindparam("word"),
        filter=bindparam("source"),
        created_us=bindparam("now_us"),
        updated_us=bindparam("now_us"),
    )
    .on_conflict_do_nothing(index_elements=["name"])
)
_change = Prepared(
    update(segment)
    .where(_s.name == bindparam("word"))
    .values(filter=bindparam("source"), updated_us=bindparam("now_us"))
)
_remove = Prepared(delete(segment).where(_s.name == bindparam("word")))
#: Above every row's number.
LAST = 1 << 62
_people_before = Prepared(
    joined.where(contact.c.id < bindparam("before"), recipient.c.number.is_not(None))
    .order_by(contact.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)


def get(connection: Connection, name: str) -> Segment | None:
    """The segment of this name, if there is one."""
    row = _by_name.first(connection, word=name)
    return None if row is None else _segment(row)


def of_names(connection: Connection, names: Collection[str]) -> dict[str, Segment]:
    """Those that there are of these names."""
    return {row.name: _segment(row) for row in _by_names.rows(connection, sorted(names))}


def page(connection: Connection, *, limit: int, before: int | None) -> Page[Segment]:
    """Segments, newest first."""
    rows: Sequence[AnyRow] = _newest.rows(connection, before=LAST if before is None else before, most=limit + 1)
    return Page([_segment(row) for row in rows[:limit]], str(rows[limit - 1].id) if len(rows) > limit else None)


def add(connection: Connection, name: str, source: str, now_us: int) -> bool:
    """Make one; False when there is one of that name."""
    return bool(_add.change(connection, word=name, source=source, now_us=now_us))


def change(connection: Connection, name: str, source: str, now_us: int) -> bool:
    """Give one another filter; False when there is none of that name."""
    return bool(_change.change(connection, word=name, source=source, now_us=now_us))


def remove(connection: Connection, name: str) -> bool:
    """Forget one; False when there is none of that name."""
    return bool(_remove.change(connection, word=name))


def people_before(connection: Connection, contact_id: int, most: int) -> Sequence[AnyRow]:
    """The contacts in front of this row, at most so many, the newest first: rows of `contacts.joined`. Those who were
    erased are left out."""
    return _people_before.rows(connection, before=contact_id, most=most)


def _segment(row: AnyRow) -> Segment:
    return Segment(name=row.name, filter=row.filter, created_us=row.created_us, updated_us=row.updated_us)
