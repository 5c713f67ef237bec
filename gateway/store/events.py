"""What happened, written in the transaction of the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, insert, select

from gateway.message import Status
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


def attempts_of(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """Every try of every part of one message, oldest first."""
    return connection.execute(select(attempt).where(attempt.c.message_id == message_id).order_by(attempt.c.id)).all()
