"""What came in: every SMS-DELIVER as it was, and the whole messages made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy import insert as plain_insert

from gateway.message import InboxItem
from gateway.requests import InboxFilter, Page
from gateway.store.engines import insert
from gateway.store.schema import AnyRow, inbound_part, inbox, message, recipient

_i = inbox.c
_p = inbound_part.c


def add_part(connection: Connection, row: Mapping[str, Any]) -> int | None:
    """Keep one SMS-DELIVER; its id, or None when the same octets are here already."""
    new = insert(inbound_part).values(dict(row)).on_conflict_do_nothing(index_elements=["fingerprint"])
    return connection.execute(new.returning(_p.id)).scalar()


def earlier(connection: Connection, fingerprint: bytes) -> AnyRow | None:
    """The part of that fingerprint that is here: id, received_us, inbox_id."""
    query = select(_p.id, _p.received_us, _p.inbox_id).where(_p.fingerprint == fingerprint)
    return connection.execute(query).first()


def stale_parts(connection: Connection, before_us: int, limit: int) -> Sequence[AnyRow]:
    """The oldest parts of long messages that came before an instant and still wait for others."""
    query = select(inbound_part, recipient.c.kind).join(recipient, recipient.c.id == _p.recipient_id)
    query = query.where(_p.inbox_id.is_(None), _p.concat_reference.is_not(None), _p.received_us < before_us)
    return connection.execute(query.order_by(_p.id).limit(limit)).all()


def open_parts(connection: Connection, row: Mapping[str, Any], since_us: int) -> Sequence[AnyRow]:
    """The parts that wait for the same long message as `row`: same sender, SIM, reference, width and total."""
    query = select(inbound_part).where(
        _p.inbox_id.is_(None),
        _p.concat_reference.is_not(None),
        _p.recipient_id == row["recipient_id"],
        _p.concat_reference == row["concat_reference"],
        _p.concat_bits == row["concat_bits"],
        _p.concat_total == row["concat_total"],
        _p.iccid.is_not_distinct_from(row["iccid"]),
        _p.received_us >= since_us,
    )
    return connection.execute(query.order_by(_p.id)).all()


def add(connection: Connection, row: Mapping[str, Any], part_ids: Sequence[int]) -> None:
    """Keep a whole message and tie its parts to it."""
    connection.execute(plain_insert(inbox), dict(row))
    connection.execute(update(inbound_part).where(_p.id.in_(part_ids)).values(inbox_id=row["id"]))


def page(
    connection: Connection,
    wanted: InboxFilter,
    *,
    recipient_id: int | None,
    token_id: int | None,
    limit: int,
    before: str | None,
) -> Page[InboxItem]:
    """Received messages that fit, newest first; with `token_id` only replies to what that token sent."""
    query = select(inbox, recipient.c.number).join(recipient, recipient.c.id == _i.recipient_id)
    if wanted.sender is not None:
        query = query.where(_i.recipient_id == recipient_id)
    if wanted.keyword is not None:
        query = query.where(_i.keyword == wanted.keyword)
    if wanted.since_us is not None:
        query = query.where(_i.received_us >= wanted.since_us)
    if wanted.until_us is not None:
        query = query.where(_i.received_us < wanted.until_us)
    if token_id is not None:
        query = query.join(message, message.c.id == _i.in_reply_to).where(message.c.token_id == token_id)
    if before is not None:
        query = query.where(_i.id < before)
    rows = connection.execute(query.order_by(_i.id.desc()).limit(limit + 1)).all()
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page([_item(row) for row in rows[:limit]], following)


def _item(row: AnyRow) -> InboxItem:
    return InboxItem(
        id=row.id,
        sender=row.number or "",
        text=row.text,
        modem=row.modem,
        received_us=row.received_us,
        sent_us=row.sent_us,
        parts=row.parts,
        keyword=row.keyword,
        in_reply_to=row.in_reply_to,
        reference=row.reference,
        answer=row.answer,
    )
