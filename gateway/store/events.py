"""What happened, written in the transaction of the change that it tells of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from gateway.message import Status
from gateway.store.schema import AnyRow, attempt, event


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
    row = {"at_us": at_us, "type": kind, "message_id": message_id, "inbox_id": inbox_id, "detail": detail}
    connection.execute(insert(event), row)


def record_status(
    connection: Connection, at_us: int, message_id: str, status: Status, detail: str | None = None
) -> None:
    """Append `message.STATUS`."""
    record(connection, at_us, f"message.{status}", message_id=message_id, detail=detail)


def of_message(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """The events of one message, oldest first: at_us, type, detail."""
    rows = select(event.c.at_us, event.c.type, event.c.detail).where(event.c.message_id == message_id)
    return connection.execute(rows.order_by(event.c.id)).all()


def attempts_of(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """Every try of every part of one message, oldest first."""
    return connection.execute(select(attempt).where(attempt.c.message_id == message_id).order_by(attempt.c.id)).all()
