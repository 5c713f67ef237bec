"""What happened, written in the transaction of the change that it tells of.

Whoever follows all events (`after`) must skip none. Ids do not tell the order of commits: on PostgreSQL a transaction
may be given an early id and commit late. So an event carries the number of its transaction, and a reader goes on only
over numbers below the oldest that is still running: of those nothing more can come. On SQLite there is one writer, and
ids are in the order of commits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    String,
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
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, attempt, event, webhook

_record = Prepared(
    insert(event).values(
        at_us=bindparam("at"),
        type=bindparam("kind"),
        message_id=bindparam("of_message"),
        inbox_id=bindparam("of_inbox"),
        detail=bindparam("sentence"),
    )
)

_record_about = Prepared(
    insert(event).values(
        at_us=bindparam("at"),
        type=bindparam("kind"),
        message_id=bindparam("of_message"),
        inbox_id=bindparam("of_inbox"),
        detail=bindparam("sentence"),
        recipient_id=bindparam("of_person"),
        facts=bindparam("told"),
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
    recipient_id: int | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Append one event. `detail` is a sentence, `facts` what else belongs to it (a modem's name, a category), both
    without numbers or texts of people: whom it is about, `recipient_id` says."""
    if recipient_id is None and facts is None:
        _record.write(connection, at=at_us, kind=str(kind), of_message=message_id, of_inbox=inbox_id, sentence=detail)
        return
    _record_about.write(
        connection,
        at=at_us,
        kind=str(kind),
        of_message=message_id,
        of_inbox=inbox_id,
        sentence=detail,
        of_person=recipient_id,
        told=None if facts is None else json.dumps(facts),
    )


def record_all(connection: Connection, at_us: int, kind: str, items: Iterable[tuple[str, str]]) -> None:
    """Append one event of this kind for each of: inbox id, detail."""
    _record.write_many(
        connection,
        [
            {"at": at_us, "kind": kind, "of_message": None, "of_inbox": each, "sentence": detail}
            for each, detail in items
        ],
    )


def record_people(
    connection: Connection, at_us: int, kind: str, items: Iterable[tuple[int, str, Mapping[str, object]]]
) -> None:
    """Append one event of this kind for each of: person, detail, facts."""
    alike = {"at": at_us, "kind": kind, "of_message": None, "of_inbox": None}
    _record_about.write_many(
        connection,
        [
            alike | {"sentence": detail, "of_person": person, "told": json.dumps(facts)}
            for person, detail, facts in items
        ],
    )


def record_status(
    connection: Connection,
    at_us: int,
    message_id: str,
    status: Status,
    detail: str | None = None,
    *,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Append `message.STATUS`; `facts` are those of `hold_facts` and `error_facts`."""
    record(connection, at_us, f"message.{status}", message_id=message_id, detail=detail, facts=facts)


#: One `message.STATUS`: instant, message id, status, detail, facts.
StatusItem: TypeAlias = tuple[int, str, Status, str | None, Mapping[str, object] | None]


def record_statuses(connection: Connection, items: Sequence[StatusItem]) -> None:
    """Append `message.STATUS` for each of them."""
    plain = [
        {"at": at_us, "kind": f"message.{status}", "of_message": each, "of_inbox": None, "sentence": detail}
        for at_us, each, status, detail, facts in items
        if facts is None
    ]
    if plain:
        _record.change_many(connection, plain)
    for at_us, each, status, detail, facts in items:
        if facts is not None:
            record_status(connection, at_us, each, status, detail, facts=facts)


def hold_facts(rule: str | None, until_us: int | None) -> Mapping[str, object] | None:
    """What belongs to a `message.held` besides its sentence: what the message was held by is written over later."""
    return None if rule is None else {"rule": str(rule), "until_us": until_us}


def error_facts(code: str | None) -> Mapping[str, object] | None:
    """What belongs to a bad ending besides its sentence: later evidence may take it back."""
    return None if code is None else {"code": str(code)}


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
_in_order = select(_e.id, _e.xact, _e.at_us, _e.type, _e.message_id, _e.inbox_id, _e.detail, _e.recipient_id, _e.facts)
_of_one_writer = Prepared(_in_order.where(_e.id > bindparam("last")).order_by(_e.id).limit(bindparam("most")))
_OLDEST: ColumnElement[int] = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
_NEXT: ColumnElement[int] = literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger)
_behind = or_(_e.xact > bindparam("xact"), and_(_e.xact == bindparam("xact"), _e.id > bindparam("last")))
_of_several = Prepared(
    _in_order.where(
        _e.xact.is_not(None),
        _e.xact < _OLDEST,
        _behind,
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


def among(connection: Connection, kinds: Sequence[str], cursor: Cursor, limit: int) -> tuple[Sequence[AnyRow], bool]:
    """As `after`, those of some types alone; and whether there may be more. Whoever reads so goes on behind the last
    row, or, where there is no more, behind all that was committed."""
    found = _among(tuple(kinds), shared=is_shared(connection))
    if is_shared(connection):
        rows = found.rows(connection, xact=cursor.xact, last=cursor.id, most=limit)
    else:
        rows = found.rows(connection, last=cursor.id, most=limit)
    return rows, len(rows) >= limit


@cache
def _among(kinds: tuple[str, ...], *, shared: bool) -> Prepared:
    picked = _e.type.in_([literal_column(f"'{kind}'", String) for kind in kinds])
    if not shared:
        return Prepared(_in_order.where(_e.id > bindparam("last"), picked).order_by(_e.id).limit(bindparam("most")))
    return Prepared(
        _in_order.where(_e.xact.is_not(None), _e.xact < _OLDEST, _behind, picked)
        .order_by(_e.xact, _e.id)
        .limit(bindparam("most"))
    )


_newest = Prepared(select(_e.id, _e.xact).order_by(_e.id.desc()).limit(1))
_newest_of_several = Prepared(
    select(_e.id, _e.xact)
    .where(_e.xact.is_not(None), _e.xact < _OLDEST)
    .order_by(_e.xact.desc(), _e.id.desc())
    .limit(1)
)


def newest(connection: Connection) -> Cursor:
    """Where a reader stands who wants to know what happens from now on."""
    shared = is_shared(connection)
    row = (_newest_of_several if shared else _newest).first(connection)
    return Cursor() if row is None else Cursor(row.xact if shared else 0, row.id)


_these = PreparedList(lambda values: _in_order.where(_e.id.in_(values)))


def these(connection: Connection, ids: Sequence[int]) -> Sequence[AnyRow]:
    """The events of these ids that are still here, in the order of `after`."""
    return sorted(_these.rows(connection, ids), key=lambda row: (row.xact or 0, row.id))


def begin_anew(connection: Connection) -> None:
    """Where events bear numbers that this server has not given out yet, they are of another, and all history."""
    if not is_shared(connection):
        return
    connection.execute(update(webhook).where(webhook.c.since_xact >= _NEXT).values(since_xact=0))
    if _is_foreign.first(connection) is not None:
        connection.execute(update(event).where(_e.xact.is_not(None)).values(xact=0))


def attempts_of(connection: Connection, message_id: str) -> Sequence[AnyRow]:
    """Every try of every part of one message, oldest first."""
    return connection.execute(select(attempt).where(attempt.c.message_id == message_id).order_by(attempt.c.id)).all()
