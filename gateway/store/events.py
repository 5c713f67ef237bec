"""What happened, written in the transaction of the change that it tells of.

Whoever follows all events (`after`) must skip none. Ids do not tell the order of commits: on PostgreSQL a transaction
may be given an early id and commit late. So an event carries the number of its transaction, and a reader goes on only
over numbers below the oldest that is still running: of those nothing more can come. On SQLite there is one writer, and
ids are in the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from gateway.message import Status
from gateway.store.engines import is_shared
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, attempt, event

_record = Prepared(
    insert(event).values(
        at_us=bindparam("at"),
        type=bindparam("kind"),
        message_id=bindparam("of_message"),
        inbox_id=bindparam("of_inbox"),
        detail=bindparam("sentence"),
    )
)


def record(
    connection: Connection,
    at_us: int,
    kind: str,
    *,
    message_id: str | None = None,
    inbox_id: str | None = None,
    detail: str | None = None,
) -> None:
    """Append one event. `detail` is a sentence without numbers or texts of people."""
    _record.write(connection, at=at_us, kind=str(kind), of_message=message_id, of_inbox=inbox_id, sentence=detail)


def record_all(connection: Connection, at_us: int, kind: str, items: Iterable[tuple[str, str]]) -> None:
    """Append one event of this kind for each of: inbox id, detail."""
    _record.write_many(
        connection,
        [
            {"at": at_us, "kind": kind, "of_message": None, "of_inbox": each, "sentence": detail}
            for each, detail in items
        ],
    )


def record_status(
    connection: Connection, at_us: int, message_id: str, status: Status, detail: str | None = None
) -> None:
    """Append `message.STATUS`."""
    record(connection, at_us, f"message.{status}", message_id=message_id, detail=detail)


def record_statuses(connection: Connection, items: Iterable[tuple[int, str, Status, str | None]]) -> None:
    """Append `message.STATUS` for each of: instant, message id, status, detail."""
    _record.change_many(
        connection,
        [
            {"at": at_us, "kind": f"message.{status}", "of_message": each, "of_inbox": None, "sentence": detail}
            for at_us, each, status, detail in items
        ],
    )


def of_message(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """The events of one message, oldest first: at_us, type, detail."""
    rows = select(event.c.at_us, event.c.type, event.c.detail).where(event.c.message_id == message_id)
    return connection.execute(rows.order_by(event.c.id)).all()


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come; the default is before everything."""

    xact: int = 0
    id: int = 0


_e = event.c
_in_order = select(_e.id, _e.xact, _e.at_us, _e.type, _e.message_id, _e.inbox_id, _e.detail)
_of_one_writer = Prepared(_in_order.where(_e.id > bindparam("last")).order_by(_e.id).limit(bindparam("most")))
_OLDEST: ColumnElement[int] = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
_NEXT: ColumnElement[int] = literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger)
_of_several = Prepared(
    _in_order.where(
        _e.xact.is_not(None),
        _e.xact < _OLDEST,
        or_(_e.xact > bindparam("xact"), and_(_e.xact == bindparam("xact"), _e.id > bindparam("last"))),
    )
    .order_by(_e.xact, _e.id)
    .limit(bindparam("most"))
)
_next_number = Prepared(select(_NEXT))
_is_foreign = Prepared(select(_e.id).where(_e.xact >= _NEXT).limit(1))


def after(connection: Connection, cursor: Cursor, limit: int) -> tuple[Sequence[AnyRow], Cursor]:
    """The next events of all, in an order that never changes, and the cursor behind them; at most `limit`.

    Each is met once, however late its transaction commits. What was recorded before there were numbers is not met.
    """
    if not is_shared(connection):
        rows = _of_one_writer.rows(connection, last=cursor.id, most=limit)
        return rows, Cursor(0, rows[-1].id) if rows else cursor
    if cursor.xact >= _next_number.scalar(connection):
        # The database was moved to another server, which counts anew: `begin_anew` has made one history of the old.
        cursor = Cursor(0, cursor.id)
    rows = _of_several.rows(connection, xact=cursor.xact, last=cursor.id, most=limit)
    return rows, Cursor(rows[-1].xact, rows[-1].id) if rows else cursor


def begin_anew(connection: Connection) -> None:
    """Where events bear numbers that this server has not given out yet, they are of another, and all history."""
    if is_shared(connection) and _is_foreign.first(connection) is not None:
        connection.execute(update(event).where(_e.xact.is_not(None)).values(xact=0))


def attempts_of(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """Every try of every part of one message, oldest first."""
    return connection.execute(select(attempt).where(attempt.c.message_id == message_id).order_by(attempt.c.id)).all()
