"""Messages: written once at acceptance, read by front ends, ended before they began."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from gateway.message import PAUSED, WAITING, Encoding, Hold, Message, Pause, Rule, Status
from gateway.requests import MessageFilter, Page
from gateway.store import events, pauses, signals, storms
from gateway.store.cautions import cautions_of
from gateway.store.many import PreparedList
from gateway.store.new_message import NewRow
from gateway.store.prepared import Prepared, word, words
from gateway.store.schema import AnyRow, message, recipient
from gateway.store.signals import Topic

#: What holds the messages of a lane that are queued, None for nothing.
Waiting: TypeAlias = Callable[[str], Hold | None]


def _nothing_waits(lane: str) -> None:
    del lane


_m = message.c
_joined: Select[Any] = select(message, recipient.c.number).join(recipient, recipient.c.id == _m.recipient_id)


def add(connection: Connection, row: NewRow) -> None:
    """Insert an accepted message, with its first event."""
    add_all(connection, [row], pauses.standing(connection))


def add_all(connection: Connection, rows: Sequence[NewRow], pause: Pause) -> None:
    """Insert accepted messages, each with its first event; `pause` is what stands in this transaction."""
    signals.send(connection, Topic.WORK)
    _add.change_rows(connection, _WRITTEN, [_columns(row) for row in rows])
    events.record_statuses(connection, [_first_event(row, pause) for row in rows])


def _first_event(row: NewRow, pause: Pause) -> events.StatusItem:
    status = pause.shown(row.status, row.category)
    if status is not row.status:
        return row.created_us, row.id, status, PAUSED.detail, None
    facts = events.hold_facts(row.hold_rule, row.hold_until_us) if row.hold_rule else None
    return row.created_us, row.id, status, row.hold_detail or row.error_message, facts


def _columns(row: NewRow) -> tuple[object, ...]:
    """The row as the driver takes it, in the order of `_WRITTEN`: words as plain strings."""
    columns = list(_values_of(row))
    for place in _WORDS:
        if (word_of := columns[place]) is not None:
            columns[place] = _plain(word_of)
    return tuple(columns)


def _plain(value: object) -> object:
    """The driver takes words as plain strings."""
    return str(value) if isinstance(value, StrEnum) else value


_WRITTEN = tuple(NewRow.__slots__)
_WORDS = tuple(_WRITTEN.index(name) for name in ("encoding", "status", "hold_rule", "error_code"))
_values_of = attrgetter(*_WRITTEN)
# An insertion of whole columns: their own names are those of the values.
_add = Prepared(insert(message).values(attempts=0, **{name: bindparam(name) for name in _WRITTEN}))


def of_row(row: NewRow, number: str, pause: Pause, waiting: Waiting = _nothing_waits) -> Message:
    """The value front ends know, of a message that was accepted just now."""
    written = Hold(row.hold_rule, row.hold_until_us, row.hold_detail or "") if row.hold_rule else None
    status, hold = _shown(row.status, written, row, pause, waiting)
    return Message(
        id=row.id,
        to=number,
        text=row.text,
        category=row.category,
        status=status,
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
        warnings=cautions_of(row.warnings, row.repeats),
        repeats=row.repeats,
        joined_to=row.joined_id,
    )


def status_of_row(row: NewRow, pause: Pause, waiting: Waiting = _nothing_waits) -> Status:
    """The status of `of_row` alone."""
    return _shown(row.status, None, row, pause, waiting)[0]


_get = Prepared(_joined.where(_m.id == bindparam("message_id")))


def get(
    connection: Connection, message_id: str, *, token_id: int | None = None, waiting: Waiting = _nothing_waits
) -> Message | None:
    """One message; with `token_id` only if that token sent it. `waiting` says of a lane what holds it."""
    row = _get.first(connection, message_id=message_id)
    if row is None or token_id not in {None, row.token_id}:
        return None
    return to_message(row, pauses.standing(connection), waiting)


_many = PreparedList(lambda values: _joined.where(_m.id.in_(values)))


def many(connection: Connection, ids: Sequence[str]) -> dict[str, AnyRow]:
    """Rows of `to_message` by id."""
    return {row.id: row for row in _many.rows(connection, ids)}


def page(
    connection: Connection,
    wanted: MessageFilter,
    *,
    recipient_id: int | None,
    token_id: int | None,
    limit: int,
    before: str | None,
    simulated: bool = False,
    waiting: Waiting = _nothing_waits,
    waiting_lanes: Collection[str] = (),
) -> Page[Message]:
    """Messages that fit, newest first; with `simulated` only those that no real modem takes. `recipient_id` stands for
    `wanted.to`; `waiting_lanes` are held too."""
    pause = pauses.standing(connection)
    conditions = _conditions(
        wanted, pause, waiting_lanes=waiting_lanes, recipient_id=recipient_id, token_id=token_id, before=before
    )
    if simulated:
        conditions.append(_m.simulated)
    query = _joined.where(*conditions).order_by(_m.id.desc())
    rows = connection.execute(query.limit(limit + 1)).all()
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page([to_message(row, pause, waiting) for row in rows[:limit]], following)


def _conditions(
    wanted: MessageFilter,
    pause: Pause,
    *,
    waiting_lanes: Collection[str],
    recipient_id: int | None,
    token_id: int | None,
    before: str | None,
) -> list[ColumnElement[bool]]:
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.status or None, _shown_as(wanted.status, pause, waiting_lanes)),
        (wanted.to, _m.recipient_id == recipient_id),
        (wanted.category, _m.category == wanted.category),
        (wanted.reference, _m.reference == wanted.reference),
        (wanted.modem, _m.modem == wanted.modem),
        (wanted.node, _m.node == wanted.node),
        (wanted.campaign, _m.campaign_id == wanted.campaign),
        (token_id, _m.token_id == token_id),
        (wanted.since_us, _m.created_us >= (wanted.since_us or 0)),
        (wanted.until_us, _m.created_us < (wanted.until_us or 0)),
        (before, _m.id < (before or "")),
    ]
    return [condition for value, condition in given if value is not None]


def _shown_as(statuses: Collection[str], pause: Pause, waiting_lanes: Collection[str]) -> ColumnElement[bool]:
    """That a message is shown with one of these words: what a pause or a SIM's limit holds is `held`, though it was not
    written to."""
    written = _m.status.in_(statuses)
    held = Status.HELD in statuses
    if held == (Status.QUEUED in statuses):
        return written
    by_lane = or_(_m.category.in_(pause.categories), _m.lane.in_(waiting_lanes))
    paused = and_(_m.status == Status.QUEUED, true() if pause.everything else by_lane)
    return or_(written, paused) if held else and_(written, not_(paused))


_ALL = 1 << 62


def waiting_under(
    connection: Connection, reference: str, *, token_id: int | None, before: str | None = None, limit: int = _ALL
) -> list[str]:
    """Ids of what waits under a reference, newest first; with `token_id` only what that token sent."""
    return [
        row.id
        for row in _waiting_under.rows(
            connection, word=reference, token=token_id, before=before or _AFTER_ALL, most=limit
        )
    ]


_AFTER_ALL = "g"  # no id of hex digits lies behind it
_waiting_under = Prepared(
    select(_m.id)
    .where(
        _m.reference == bindparam("word"),
        _m.status.in_(words(WAITING)),
        or_(bindparam("token", type_=BigInteger).is_(None), _m.token_id == bindparam("token")),
        _m.id < bindparam("before"),
    )
    .order_by(_m.id.desc())
    .limit(bindparam("most"))
)
_end_waiting = Prepared(
    update(message)
    .where(_m.id == bindparam("message_id"), _m.status.in_(words(WAITING)))
    .values(
        status=bindparam("word"),
        error_code=bindparam("code"),
        error_message=bindparam("sentence"),
        hold_rule=None,
        hold_until_us=None,
        hold_detail=None,
        retry_us=None,
        resend_us=None,
    )
    .returning(_m.repeats)
)


def end_waiting(
    connection: Connection, message_id: str, status: Status, now_us: int, *, code: str | None, sentence: str | None
) -> bool:
    """End a message that has not begun; False when it has begun or ended meanwhile."""
    repeats = _end_waiting.scalar(
        connection, message_id=message_id, word=status.value, code=_plain(code), sentence=sentence
    )
    if repeats is None:
        return False
    if repeats and (joined := storms.joined_to(connection, message_id)):
        sentence = f"{sentence or status}; {joined} joined to it end with it"
    events.record_status(connection, now_us, message_id, status, sentence)
    return True


_waiting_for = Prepared(
    select(_m.id, _m.category).where(
        _m.recipient_id == bindparam("person"), _m.status.in_(words(WAITING)), _m.reply_to_inbox_id.is_(None)
    )
)


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
    ids = [row.id for row in _waiting_for.rows(connection, person=recipient_id) if row.category in categories]
    return sum(end_waiting(connection, each, status, now_us, code=code, sentence=sentence) for each in ids)


_hold = Prepared(
    update(message)
    .where(_m.id == bindparam("message_id"), _m.status == word(Status.QUEUED))
    .values(
        status=word(Status.HELD),
        due_us=bindparam("due"),
        hold_rule=bindparam("rule"),
        hold_until_us=bindparam("until_us"),
        hold_detail=bindparam("detail"),
    )
)


def hold(connection: Connection, message_id: str, why: Hold, due_us: int, now_us: int) -> None:
    """Hold a queued message; it is looked at again at `due_us`, which is the instant that a rule names, if it does."""
    _hold.write(
        connection, message_id=message_id, due=due_us, rule=str(why.rule), until_us=why.until_us, detail=why.detail
    )
    facts = events.hold_facts(why.rule, why.until_us)
    events.record_status(connection, now_us, message_id, Status.HELD, why.detail, facts=facts)


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


_last_modem = Prepared(
    select(_m.modem, _m.node, _m.created_us)
    .where(_m.recipient_id == bindparam("person"), _m.modem.is_not(None))
    .order_by(_m.id.desc())
    .limit(1)
)


def last_modem_to(connection: Connection, recipient_id: int, node: str, since_us: int) -> str | None:
    """The modem of this node that last wrote to this person, if that was asked for since then."""
    row = _last_modem.first(connection, person=recipient_id)
    return row.modem if row is not None and row.node == node and row.created_us >= since_us else None


def _shown(
    status: Status, hold: Hold | None, row: AnyRow | NewRow, pause: Pause, waiting: Waiting
) -> tuple[Status, Hold | None]:
    """The status word for front ends, and what holds the message: what is written, else a pause, else a SIM's limit."""
    if status is not Status.QUEUED:
        return status, hold
    if pause.holds(row.category):
        return Status.HELD, PAUSED
    waits = waiting(row.lane)
    return (status, hold) if waits is None else (Status.HELD, waits)


def to_message(row: AnyRow, pause: Pause, waiting: Waiting = _nothing_waits) -> Message:
    """A joined row as the value front ends know."""
    written = Hold(Rule(row.hold_rule), row.hold_until_us, row.hold_detail or "") if row.hold_rule else None
    status, hold = _shown(Status(row.status), written, row, pause, waiting)
    return Message(
        id=row.id,
        to=row.number or "",
        text=row.text,
        category=row.category,
        status=status,
        encoding=Encoding(row.encoding),
        parts=row.parts,
        reference=row.reference,
        modem=row.modem,
        node=row.node,
        simulated=bool(row.simulated),
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
        warnings=cautions_of(row.warnings, row.repeats),
        repeats=row.repeats,
        joined_to=row.joined_id,
    )
