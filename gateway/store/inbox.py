"""What came in: every SMS-DELIVER as it was, and the whole messages made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    String,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)

from gateway.config.test_network import RESERVED, Rehearsal
from gateway.message import InboxItem
from gateway.requests import InboxFilter, Page
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, inbound_part, inbox, message, recipient

_i = inbox.c
_p = inbound_part.c


_COLUMNS = [column.name for column in inbound_part.c if column.name not in {"id", "heard"}]
# Insertions of whole columns: their own names are those of the values.
_new_part = insert(inbound_part).values({name: bindparam(name) for name in _COLUMNS})
_add_parts = Prepared(_new_part)
_add_part = Prepared(_new_part.on_conflict_do_nothing(index_elements=["fingerprint"]).returning(_p.id))
_add = Prepared(insert(inbox).values({column.name: bindparam(column.name) for column in _i}))
_tie = Prepared(update(inbound_part).where(_p.id == bindparam("part_id")).values(inbox_id=bindparam("item")))
_earlier = Prepared(select(_p.id, _p.received_us, _p.inbox_id).where(_p.fingerprint == bindparam("hash")))
_known = PreparedList(lambda values: select(_p.fingerprint).where(_p.fingerprint.in_(values)))
_open_parts = Prepared(
    select(inbound_part)
    .where(
        _p.inbox_id.is_(None),
        _p.concat_reference.is_not(None),
        _p.recipient_id == bindparam("person"),
        _p.concat_reference == bindparam("reference"),
        _p.concat_bits == bindparam("bits"),
        _p.concat_total == bindparam("total"),
        _p.iccid.is_not_distinct_from(bindparam("sim", type_=String)),
        _p.received_us >= bindparam("since_us"),
    )
    .order_by(_p.id)
)
_heard_again = Prepared(update(inbound_part).where(_p.fingerprint == bindparam("hash")).values(heard=_p.heard + 1))
_is_open = and_(_p.inbox_id.is_(None), _p.concat_reference.is_not(None))
_key = (_p.recipient_id, _p.iccid, _p.concat_reference, _p.concat_bits, _p.concat_total)
_sets = select(*_key, func.min(_p.id).label("first")).where(_is_open).group_by(*_key).order_by(func.min(_p.id))
_sets_of = Prepared(_sets.where(_p.recipient_id == bindparam("person")))
_all_sets = Prepared(_sets)
# What was shown in pieces lately, of the messages that this person sent last.
_LATELY: ColumnElement[int] = literal_column("32", Integer)
_lately = (
    select(_i.id, _i.parts)
    .where(_i.recipient_id == bindparam("person"))
    .order_by(_i.id.desc())
    .limit(_LATELY)
    .subquery()
)
_pieces = Prepared(
    select(_p.id)
    .join(_lately, _lately.c.id == _p.inbox_id)
    .where(
        _lately.c.parts < _p.concat_total,
        _p.concat_reference == bindparam("reference"),
        _p.concat_bits == bindparam("bits"),
        _p.concat_total == bindparam("total"),
        _p.iccid.is_not_distinct_from(bindparam("sim", type_=String)),
        func.coalesce(_p.sent_us, _p.received_us).between(bindparam("since_us"), bindparam("until_us")),
    )
    .limit(literal_column("1", Integer))
)


def _part(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in _COLUMNS}


def known(connection: Connection, fingerprints: Sequence[bytes]) -> set[bytes]:
    """Those of them that are here."""
    return {bytes(row.fingerprint) for row in _known.rows(connection, fingerprints)}


def add_part(connection: Connection, row: Mapping[str, Any]) -> int | None:
    """Keep one SMS-DELIVER; its id, or None when the same octets are here already."""
    return _add_part.scalar(connection, **_part(row))


def add_parts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep several whose octets are not here. Where another host keeps the same at this moment it fails, and the
    writer comes again."""
    _add_parts.change_many(connection, [_part(row) for row in rows])


def earlier(connection: Connection, fingerprint: bytes) -> AnyRow | None:
    """The part of that fingerprint that is here: id, received_us, inbox_id."""
    return _earlier.first(connection, hash=fingerprint)


def hear_again(connection: Connection, fingerprint: bytes) -> None:
    """The same octets were told once more."""
    _heard_again.change(connection, hash=fingerprint)


def open_sets(connection: Connection, recipient_id: int | None = None) -> Sequence[AnyRow]:
    """Long messages that wait for parts, of one sender or of all, the oldest first: recipient_id, iccid,
    concat_reference, concat_bits, concat_total, first (the number of the part that is here longest)."""
    if recipient_id is None:
        return _all_sets.rows(connection)
    return _sets_of.rows(connection, person=recipient_id)


def parts_of(connection: Connection, sets: Sequence[AnyRow]) -> Sequence[AnyRow]:
    """The parts of some of `open_sets`, and the kind of their sender."""
    found: list[AnyRow] = []
    for each in sets:
        same = [column.is_not_distinct_from(getattr(each, column.name)) for column in _key]
        query = select(inbound_part, recipient.c.kind).join(recipient, recipient.c.id == _p.recipient_id)
        found += connection.execute(query.where(_is_open, *same).order_by(_p.id)).all()
    return found


def in_pieces(connection: Connection, row: Mapping[str, Any], at_us: int, near_us: int) -> bool:
    """Whether other parts that might be of one message with `row` were shown each by itself: of the same sender, SIM,
    reference, width and total, sent within `near_us` of `at_us`."""
    found = _pieces.first(
        connection,
        person=row["recipient_id"],
        reference=row["concat_reference"],
        bits=row["concat_bits"],
        total=row["concat_total"],
        sim=row["iccid"],
        since_us=at_us - near_us,
        until_us=at_us + near_us,
    )
    return found is not None


def stale_parts(connection: Connection, before_us: int, limit: int) -> Sequence[AnyRow]:
    """The oldest parts of long messages that came before an instant and still wait for others."""
    query = select(inbound_part, recipient.c.kind).join(recipient, recipient.c.id == _p.recipient_id)
    query = query.where(_p.inbox_id.is_(None), _p.concat_reference.is_not(None), _p.received_us < before_us)
    return connection.execute(query.order_by(_p.id).limit(limit)).all()


def open_parts(connection: Connection, row: Mapping[str, Any], since_us: int) -> Sequence[AnyRow]:
    """The parts that wait for the same long message as `row`: same sender, SIM, reference, width and total."""
    return _open_parts.rows(
        connection,
        person=row["recipient_id"],
        reference=row["concat_reference"],
        bits=row["concat_bits"],
        total=row["concat_total"],
        sim=row["iccid"],
        since_us=since_us,
    )


def add(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Keep whole messages; every column."""
    _add.write_many(connection, rows)


def tie(connection: Connection, parts: Iterable[tuple[int, str]]) -> None:
    """Tie parts to the message that they make: part and message."""
    _tie.write_many(connection, [{"part_id": part_id, "item": item_id} for part_id, item_id in parts])


_judged = Prepared(
    select(_i.id, _i.recipient_id, _i.modem, _i.node, _i.text, _i.in_reply_to, recipient.c.kind, message.c.category)
    .join(recipient, recipient.c.id == _i.recipient_id)
    .outerjoin(message, message.c.id == _i.in_reply_to)
    .where(_i.id == bindparam("item"))
)
_name = Prepared(update(inbox).where(_i.id == bindparam("item")).values(keyword=bindparam("word")))


def to_judge(connection: Connection, item_id: str) -> AnyRow | None:
    """What is known of a received message: id, recipient_id, modem, node, text, in_reply_to, the sender's kind and the
    category of what it answers."""
    return _judged.first(connection, item=item_id)


def name(connection: Connection, item_id: str, keyword: str) -> None:
    """A person has said which keyword this message is."""
    _name.change(connection, item=item_id, word=keyword)


_many = PreparedList(
    lambda values: (
        select(inbox, recipient.c.number, message.c.token_id)
        .join(recipient, recipient.c.id == _i.recipient_id)
        .outerjoin(message, message.c.id == _i.in_reply_to)
        .where(_i.id.in_(values))
    )
)


def many(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[InboxItem, int | None, str]]:
    """Received messages by id, each with the token whose message it answers, and the host that heard it."""
    return {row.id: (_item(row), row.token_id, row.node) for row in _many.rows(connection, ids)}


def page(
    connection: Connection,
    wanted: InboxFilter,
    *,
    recipient_id: int | None,
    token_id: int | None,
    limit: int,
    before: str | None,
    rehearsal: Rehearsal | None = None,
) -> Page[InboxItem]:
    """Received messages that fit, newest first; with `token_id` only replies to what that token sent, with a
    `rehearsal` only what no real modem heard."""
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
    if rehearsal is not None:
        here = and_(_i.node == rehearsal.node, _i.modem.in_(rehearsal.modems))
        query = query.where(or_(_i.modem.in_(RESERVED), here))
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
