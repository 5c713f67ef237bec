"""Messages: written once at acceptance, read by front ends, ended before they began."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, select, update

from gateway.message import WAITING, Caution, Encoding, Hold, Message, Rule, Status
from gateway.requests import MessageFilter, Page
from gateway.store import events
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, message, recipient

_m = message.c
_joined: Select[Any] = select(message, recipient.c.number).join(recipient, recipient.c.id == _m.recipient_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """An accepted message as it is written: the columns of `message` that acceptance decides."""

    id: str
    recipient_id: int
    category: str
    priority: int
    stoppable: bool
    test: bool
    text: str
    encoding: Encoding
    parts: int
    on_uncertain: str
    simulated: bool
    status: Status
    created_us: int
    due_us: int
    expires_us: int
    token_id: int | None = None
    reply_to_inbox_id: str | None = None
    flash: bool = False
    reference: str | None = None
    wanted_modem: str | None = None
    send_us: int | None = None
    hold_rule: Rule | None = None
    hold_until_us: int | None = None
    hold_detail: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    warnings: str | None = None


def add(connection: Connection, row: NewRow) -> None:
    """Insert an accepted message, with its first event."""
    _add.change(connection, **{f"new_{name}": _plain(getattr(row, name)) for name in _WRITTEN})
    detail = row.hold_detail or row.error_message
    events.record_status(connection, row.created_us, row.id, row.status, detail)


def _plain(value: object) -> object:
    """The driver takes words as plain strings."""
    return str(value) if isinstance(value, StrEnum) else value


_WRITTEN = NewRow.__slots__
_new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _WRITTEN}
_add = Prepared(insert(message).values(attempts=0, **_new))


def of_row(row: NewRow, number: str) -> Message:
    """The value front ends know, of a message that was accepted just now."""
    hold = Hold(row.hold_rule, row.hold_until_us, row.hold_detail or "") if row.hold_rule else None
    return Message(
        id=row.id,
        to=number,
        text=row.text,
        category=row.category,
        status=row.status,
        encoding=row.encoding,
        parts=row.parts,
        reference=row.reference,
        modem=None,
        node=None,
        simulated=row.simulated,
        attempts=0,
        created_us=row.created_us,
        send_us=row.send_us,
        expires_us=row.expires_us,
        due_us=row.due_us,
        sent_us=None,
        delivered_us=None,
        hold=hold,
        error_code=row.error_code,
        error_message=row.error_message,
        warnings=cautions(row.warnings),
    )


def get(connection: Connection, message_id: str, *, token_id: int | None = None) -> Message | None:
    """One message; with `token_id` only if that token sent it."""
    query = _joined.where(_m.id == message_id)
    if token_id is not None:
        query = query.where(_m.token_id == token_id)
    row = connection.execute(query).first()
    return None if row is None else to_message(row)


def page(
    connection: Connection,
    wanted: MessageFilter,
    *,
    recipient_id: int | None,
    token_id: int | None,
    limit: int,
    before: str | None,
) -> Page[Message]:
    """Messages that fit, newest first. `recipient_id` stands for `wanted.to`."""
    query = _joined.where(*_conditions(wanted, recipient_id, token_id, before)).order_by(_m.id.desc())
    rows = connection.execute(query.limit(limit + 1)).all()
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page([to_message(row) for row in rows[:limit]], following)


def _conditions(
    wanted: MessageFilter, recipient_id: int | None, token_id: int | None, before: str | None
) -> list[ColumnElement[bool]]:
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.status or None, _m.status.in_(wanted.status)),
        (wanted.to, _m.recipient_id == recipient_id),
        (wanted.category, _m.category == wanted.category),
        (wanted.reference, _m.reference == wanted.reference),
        (wanted.modem, _m.modem == wanted.modem),
        (token_id, _m.token_id == token_id),
        (wanted.since_us, _m.created_us >= (wanted.since_us or 0)),
        (wanted.until_us, _m.created_us < (wanted.until_us or 0)),
        (before, _m.id < (before or "")),
    ]
    return [condition for value, condition in given if value is not None]


def end_waiting(
    connection: Connection, message_id: str, status: Status, now_us: int, *, code: str | None, sentence: str | None
) -> bool:
    """End a message that has not begun; False when it has begun or ended meanwhile."""
    row = update(message).where(_m.id == message_id, _m.status.in_(WAITING))
    ended = connection.execute(row.values(**ending(status, code, sentence))).rowcount
    if ended:
        events.record_status(connection, now_us, message_id, status, sentence)
    return bool(ended)


def end_all_waiting(
    connection: Connection,
    recipient_id: int,
    categories: Collection[str],
    now_us: int,
    *,
    status: Status,
    code: str,
    sentence: str,
) -> int:
    """End what waits for one person in these categories, automatic replies apart; returns how many."""
    query = select(_m.id).where(
        _m.recipient_id == recipient_id,
        _m.status.in_(WAITING),
        _m.category.in_(categories),
        _m.reply_to_inbox_id.is_(None),
    )
    ids = connection.execute(query).scalars().all()
    return sum(end_waiting(connection, each, status, now_us, code=code, sentence=sentence) for each in ids)


def hold(connection: Connection, message_id: str, why: Hold, now_us: int) -> None:
    """Hold a queued message until the instant that a rule names."""
    row = update(message).where(_m.id == message_id, _m.status == Status.QUEUED)
    held = {"status": Status.HELD, "due_us": why.until_us}
    held |= {"hold_rule": why.rule, "hold_until_us": why.until_us, "hold_detail": why.detail}
    connection.execute(row.values(**held))
    events.record_status(connection, now_us, message_id, Status.HELD, why.detail)


def ending(status: Status, code: str | None, sentence: str | None) -> dict[str, object]:
    """The columns of a message that ended: nothing holds it any more."""
    return {
        "status": status,
        "error_code": code,
        "error_message": sentence,
        "hold_rule": None,
        "hold_until_us": None,
        "hold_detail": None,
        "retry_us": None,
        "resend_us": None,
    }


_last_sent = Prepared(
    select(_m.id, _m.reference, _m.category)
    .where(_m.recipient_id == bindparam("person"), _m.modem.is_not(None), _m.reply_to_inbox_id.is_(None))
    .order_by(_m.id.desc())
    .limit(1)
)


def last_sent_to(connection: Connection, recipient_id: int) -> AnyRow | None:
    """The latest message to this person that has begun, automatic replies apart: id, reference, category."""
    return _last_sent.first(connection, person=recipient_id)


def to_message(row: AnyRow) -> Message:
    """A joined row as the value front ends know."""
    hold = Hold(Rule(row.hold_rule), row.hold_until_us, row.hold_detail or "") if row.hold_rule else None
    return Message(
        id=row.id,
        to=row.number or "",
        text=row.text,
        category=row.category,
        status=Status(row.status),
        encoding=Encoding(row.encoding),
        parts=row.parts,
        reference=row.reference,
        modem=row.modem,
        node=row.node,
        simulated=row.simulated,
        attempts=row.attempts,
        created_us=row.created_us,
        send_us=row.send_us,
        expires_us=row.expires_us,
        due_us=row.due_us,
        sent_us=row.sent_us,
        delivered_us=row.delivered_us,
        hold=hold,
        error_code=row.error_code,
        error_message=row.error_message,
        warnings=cautions(row.warnings),
    )


def cautions(stored: str | None) -> Sequence[Caution]:
    """Warnings as they were stored: a JSON list of [code, message]."""
    return [Caution(code, sentence) for code, sentence in json.loads(stored)] if stored else []
