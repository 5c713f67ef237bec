"""What a reply answers: the latest message to that person that has left, or begun to; automatic replies apart."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection, select

from gateway.store.many import PreparedList
from gateway.store.schema import AnyRow, message, recipient

_other = message.alias("other")
# By person and id in the index, newest first: the first that fits ends the search.
_latest = (
    select(_other.c.id)
    .where(_other.c.recipient_id == recipient.c.id, _other.c.modem.is_not(None), _other.c.reply_to_inbox_id.is_(None))
    .order_by(_other.c.id.desc())
    .limit(1)
    .correlate(recipient)
    .scalar_subquery()
)
_of_people = PreparedList(
    lambda values: (
        select(recipient.c.id.label("person"), message.c.id, message.c.reference, message.c.category, message.c.expect)
        .select_from(recipient)
        .join(message, message.c.id == _latest)
        .where(recipient.c.id.in_(values))
    )
)


def expected_by(row: AnyRow | None) -> tuple[str, ...]:
    """The words that answer a message of `last_sent_to`."""
    return tuple(json.loads(row.expect)) if row is not None and row.expect else ()


def last_sent_to(connection: Connection, people: Collection[int]) -> dict[int, AnyRow]:
    """Id, reference, category and `expect`, by person; nobody stands in it to whom nothing was sent."""
    return {row.person: row for row in _of_people.rows(connection, list(people))}
