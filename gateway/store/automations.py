"""The table of automations."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, String, bindparam, delete, select

from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, automation

_a = automation.c
_get = Prepared(select(automation).where(_a.name == bindparam("word", type_=String)))
_new = insert(automation).values(
    name=bindparam("word", type_=String),
    wanted=bindparam("document", type_=String),
    token_id=bindparam("of_token", type_=BigInteger),
    created_us=bindparam("now_us", type_=BigInteger),
    updated_us=bindparam("now_us", type_=BigInteger),
)
_add = Prepared(_new.on_conflict_do_nothing(index_elements=["name"]))
_put = Prepared(
    _new.on_conflict_do_update(
        index_elements=["name"],
        set_={name: _new.excluded[name] for name in ("wanted", "token_id", "updated_us")},
    )
)
_remove = Prepared(delete(automation).where(_a.name == bindparam("word", type_=String)))


def get(connection: Connection, name: str) -> AnyRow | None:
    """The automation of this name, if there is one."""
    return _get.first(connection, word=name)


def every(connection: Connection) -> Sequence[AnyRow]:
    """All of them by name; they are few."""
    return connection.execute(select(automation).order_by(_a.name)).all()


def add(connection: Connection, name: str, wanted: str, token_id: int | None, now_us: int) -> bool:
    """Make one; False when there is one of that name."""
    return bool(_add.change(connection, word=name, document=wanted, of_token=token_id, now_us=now_us))


def put(connection: Connection, name: str, wanted: str, token_id: int | None, now_us: int) -> None:
    """Make one, or give one another rule."""
    _put.write(connection, word=name, document=wanted, of_token=token_id, now_us=now_us)


def remove(connection: Connection, name: str) -> bool:
    """Forget one; False when there is none of that name."""
    return bool(_remove.change(connection, word=name))
