"""Troubles that somebody was told of. Of several hosts that see the same, one tells: who changes the row."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from gateway.store.engines import insert
from gateway.store.prepared import Prepared, word
from gateway.store.schema import attempt, message, trouble

_t = trouble.c


def told(connection: Connection) -> dict[str, int]:
    """When each that stands was told last, by name."""
    return {row.name: row.told_us for row in connection.execute(select(_t.name, _t.told_us))}


def begin(connection: Connection, name: str, now_us: int) -> bool:
    """It stands; False if that was known."""
    row = insert(trouble).values(name=name, since_us=now_us, told_us=now_us)
    return bool(connection.execute(row.on_conflict_do_nothing()).rowcount)


def tell_again(connection: Connection, name: str, told_us: int, now_us: int) -> bool:
    """It stands still, and was told last then; False if another has told it meanwhile."""
    row = update(trouble).where(_t.name == name, _t.told_us == told_us)
    return bool(connection.execute(row.values(told_us=now_us)).rowcount)


def end(connection: Connection, name: str) -> bool:
    """It is over; False if that was known."""
    return bool(connection.execute(delete(trouble).where(_t.name == name)).rowcount)


_m, _a = message.c, attempt.c
_uncertain = Prepared(
    select(_m.id)
    .select_from(attempt)
    .join(message, _m.id == _a.message_id)
    .where(
        _a.state == word("uncertain"),
        _m.status == word("uncertain"),
        _m.on_uncertain == word("hold"),
        _m.resend_us.is_(None),
        ~_m.test,
    )
    .limit(1)
)
_latest = Prepared(select(_a.marked_us).order_by(_a.id.desc()).limit(1))


def uncertain_wait(connection: Connection) -> bool:
    """Whether a message may have left, and only a person can say what becomes of it."""
    return _uncertain.first(connection) is not None


def tried_since(connection: Connection, since_us: int) -> bool:
    """Whether a part was handed to a modem since then."""
    marked_us = _latest.scalar(connection)
    return marked_us is not None and marked_us >= since_us
