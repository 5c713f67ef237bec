"""How messages to contacts ended, for whoever keeps their numbers clean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from gateway.message import Status
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, words
from gateway.store.schema import AnyRow, contact, message

_m = message.c
_c = contact.c
_ENDED = (Status.DELIVERED, Status.UNDELIVERED, Status.FAILED)
_of_messages = PreparedList(
    lambda values: (
        select(_m.id, _m.recipient_id, _m.status, _m.error_code, _c.dead_us)
        .join(contact, _c.recipient_id == _m.recipient_id)
        .where(_m.id.in_(values), _m.test.is_(False))
    )
)
_last: Any = (
    select(_m.status, _m.error_code)
    .where(_m.recipient_id == bindparam("person"), _m.status.in_(words(_ENDED)), _m.test.is_(False))
    .order_by(_m.id.desc())
    .limit(bindparam("most"))
)
_endings = Prepared(_last)


def of_messages(connection: Connection, message_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Those of these messages that went to contacts, and were no tests: id, recipient_id, status, error_code, and
    dead_us of the contact."""
    return _of_messages.rows(connection, message_ids) if message_ids else ()


def endings(connection: Connection, recipient_id: int, most: int) -> list[str | None]:
    """How the last messages to this person ended, the latest first: the code, None for a delivery."""
    rows = _endings.rows(connection, person=recipient_id, most=most)
    return [None if row.status == Status.DELIVERED else row.error_code or "" for row in rows]
