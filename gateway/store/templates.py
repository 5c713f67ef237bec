"""The table of templates."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, bindparam, delete, select, update

from gateway.requests import Page
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, template

_t = template.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with variables: Liquid sources by language tag, "" for any language. Instants are microseconds UTC."""

    name: str
    texts: Mapping[str, str]
    created_us: int
    updated_us: int


_columns = (_t.id, _t.name, _t.texts, _t.created_us, _t.updated_us)
_by_names = PreparedList(lambda values: select(*_columns).where(_t.name.in_(values)))
_newest = Prepared(
    select(*_columns).where(_t.id < bindparam("before")).order_by(_t.id.desc()).limit(bindparam("most", type_=Integer))
)
_add = Prepared(
    insert(template)
    .values(
        name=bindparam("word"),
        texts=bindparam("sources"),
        created_us=bindparam("now_us"),
        updated_us=bindparam("now_us"),
    )
    .on_conflict_do_nothing(index_elements=["name"])
)
_change = Prepared(
    update(template)
    .where(_t.name == bindparam("word"))
    .values(texts=bindparam("sources"), updated_us=bindparam("now_us"))
)
_remove = Prepared(delete(template).where(_t.name == bindparam("word")))
# Above every row's number.
_LAST = 1 << 62


def get(connection: Connection, name: str) -> Template | None:
    """The template of this name, if there is one."""
    return of_names(connection, [name]).get(name)


def of_names(connection: Connection, names: Collection[str]) -> dict[str, Template]:
    """Those that there are of these names."""
    return {row.name: _template(row) for row in _by_names.rows(connection, sorted(names))}


def page(connection: Connection, *, limit: int, before: int | None) -> Page[Template]:
    """Templates, newest first."""
    rows: Sequence[AnyRow] = _newest.rows(connection, before=_LAST if before is None else before, most=limit + 1)
    return Page([_template(row) for row in rows[:limit]], str(rows[limit - 1].id) if len(rows) > limit else None)


def add(connection: Connection, name: str, texts: Mapping[str, str], now_us: int) -> bool:
    """Make one; False when there is one of that name."""
    return bool(_add.change(connection, word=name, sources=_kept(texts), now_us=now_us))


def change(connection: Connection, name: str, texts: Mapping[str, str], now_us: int) -> bool:
    """Give one other texts; False when there is none of that name."""
    return bool(_change.change(connection, word=name, sources=_kept(texts), now_us=now_us))


def remove(connection: Connection, name: str) -> bool:
    """Forget one; False when there is none of that name."""
    return bool(_remove.change(connection, word=name))


def _kept(texts: Mapping[str, str]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def _template(row: AnyRow) -> Template:
    return Template(name=row.name, texts=json.loads(row.texts), created_us=row.created_us, updated_us=row.updated_us)
