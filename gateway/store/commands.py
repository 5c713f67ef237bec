"""What one host asks another to do with a modem: left in the store, taken once, answered, gone within seconds.

By the database's clock, like everything between hosts. A command that was not taken in time is never carried out.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from gateway.store import signals
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, command
from gateway.store.signals import Topic

_c = command.c
_NOW: ColumnElement[int] = literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)
# What nobody fetched, the asker having died: texts of people are not left lying. What was begun may take minutes.
_KEPT_US: ColumnElement[int] = literal_column("60000000", BigInteger)
_LONGEST_US: ColumnElement[int] = literal_column("600000000", BigInteger)

_leave = Prepared(
    insert(command)
    .values(
        node=bindparam("its_node"),
        modem=bindparam("its_modem"),
        name=bindparam("word"),
        body=bindparam("document"),
        asked_us=_NOW,
        until_us=_NOW + bindparam("patience", type_=BigInteger),
    )
    .returning(_c.id)
)
_waits = (_c.node == bindparam("its_node"), _c.taken_us.is_(None), _c.until_us > _NOW)
_stale = or_(
    and_(_c.taken_us.is_(None), _c.until_us + _KEPT_US <= _NOW),
    _c.done_us + _KEPT_US <= _NOW,
    _c.until_us + _LONGEST_US <= _NOW,
)
_any = Prepared(select(_c.id).where(or_(and_(*_waits), _stale)).limit(1))
_take = Prepared(update(command).where(*_waits).values(taken_us=_NOW).returning(_c.id, _c.modem, _c.name, _c.body))
_tidy = Prepared(delete(command).where(_stale))
_answer = Prepared(
    update(command).where(_c.id == bindparam("command_id")).values(done_us=_NOW, result=bindparam("document"))
)
_standing = Prepared(select(_c.taken_us, _c.done_us).where(_c.id == bindparam("command_id")))
_remove = Prepared(delete(command).where(_c.id == bindparam("command_id")).returning(_c.taken_us, _c.result))


def leave(connection: Connection, node: str, modem: str, name: str, document: str, *, patience_us: int) -> int:
    """Leave a command for a modem of `node`; its id. `document` is JSON."""
    signals.send(connection, Topic.COMMANDS)
    return _leave.scalar(connection, its_node=node, its_modem=modem, word=name, document=document, patience=patience_us)


def are_left(connection: Connection, node: str) -> bool:
    """Whether something waits for `node`, or lies about."""
    return _any.first(connection, its_node=node) is not None


def take(connection: Connection, node: str) -> Sequence[AnyRow]:
    """Take what waits for `node`: id, modem, name, body. From now on it is this host's to answer."""
    _tidy.change(connection)
    return _take.rows(connection, its_node=node)


def answer(connection: Connection, command_id: int, document: str) -> None:
    """Say what came of it, as JSON."""
    _answer.change(connection, command_id=command_id, document=document)
    signals.send(connection, Topic.COMMANDS)


def standing(connection: Connection, command_id: int) -> tuple[bool, bool]:
    """Whether it was begun, and whether it is answered. One that is gone was both."""
    row = _standing.first(connection, command_id=command_id)
    return (True, True) if row is None else (row.taken_us is not None, row.done_us is not None)


def remove(connection: Connection, command_id: int) -> tuple[bool, str | None]:
    """The asker waits no longer: whether it was taken, and what came of it. Nobody takes it afterwards."""
    row = _remove.first(connection, command_id=command_id)
    return (False, None) if row is None else (row.taken_us is not None, row.result)
