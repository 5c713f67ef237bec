"""Who must not be written to. Category "" stands for every stoppable category."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, exists, or_, select, update

from gateway.message import OptOut, Rule, Status
from gateway.requests import Page
from gateway.store import events, messages, recipients
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, message, optout, recipient

_o = optout.c


def stands() -> ColumnElement[bool]:
    """In a query over messages: that the person has opted out of the message's category, or of all."""
    of_category = or_(_o.category == "", _o.category == message.c.category)
    standing = select(_o.id).where(_o.lifted_us.is_(None), _o.recipient_id == message.c.recipient_id, of_category)
    return exists(standing).correlate(message)


_stands = Prepared(
    select(_o.id)
    .where(
        _o.lifted_us.is_(None),
        _o.recipient_id == bindparam("person"),
        or_(_o.category == "", _o.category == bindparam("name")),
    )
    .limit(1)
)

_of_people = PreparedList(
    lambda values: select(_o.recipient_id, _o.category).where(_o.lifted_us.is_(None), _o.recipient_id.in_(values))
)


def standing(connection: Connection, people: Sequence[int]) -> set[tuple[int, str]]:
    """The opt-outs of these people that stand: person and category, "" for every stoppable one."""
    return {(row.recipient_id, row.category) for row in _of_people.rows(connection, people)}


def is_opted_out(connection: Connection, recipient_id: int, category: str) -> bool:
    """Whether this person has opted out of this category, or of all."""
    return _stands.scalar(connection, person=recipient_id, name=category) is not None


_add = Prepared(
    insert(optout)
    .values(
        recipient_id=bindparam("person"),
        category=bindparam("name"),
        since_us=bindparam("now_us"),
        source=bindparam("by"),
        inbox_id=bindparam("item"),
    )
    .on_conflict_do_nothing()
)
_lift = (
    update(optout)
    .where(_o.recipient_id == bindparam("person"), _o.lifted_us.is_(None))
    .values(lifted_us=bindparam("now_us"), lifted_by=bindparam("word"))
)
_lift_all = Prepared(_lift)
_lift_one = Prepared(_lift.where(_o.category == bindparam("name")))


def add(
    connection: Connection,
    recipient_id: int,
    category: str,
    now_us: int,
    *,
    source: str,
    inbox_id: str | None = None,
) -> bool:
    """Opt a person out; False when they already were. Whoever is about to write to them is waited for."""
    recipients.lock(connection, recipient_id)
    added = _add.change(connection, person=recipient_id, name=category, now_us=now_us, by=source, item=inbox_id)
    if added:
        events.record(connection, now_us, "optout.added", inbox_id=inbox_id, detail=f"by {source}")
    return bool(added)


def stop(
    connection: Connection,
    recipient_id: int,
    category: str,
    now_us: int,
    *,
    source: str,
    stoppable: Collection[str],
    inbox_id: str | None = None,
) -> bool:
    """Opt a person out and end what waits for them; `stoppable` are the categories that "" stands for.

    False when they already were out; what waits ends all the same.
    """
    added = add(connection, recipient_id, category, now_us, source=source, inbox_id=inbox_id)
    messages.end_all_waiting(
        connection,
        recipient_id,
        (category,) if category else stoppable,
        now_us,
        status=Status.SUPPRESSED,
        code=Rule.OPT_OUT,
        sentence="the recipient has opted out",
    )
    return added


def lift(
    connection: Connection,
    recipient_id: int,
    category: str | None,
    now_us: int,
    *,
    by: str,
    inbox_id: str | None = None,
) -> int:
    """Lift the opt-out of one category ("" for the general one), or with None all of them; returns how many."""
    if category is None:
        lifted = _lift_all.change(connection, person=recipient_id, now_us=now_us, word=by)
    else:
        lifted = _lift_one.change(connection, person=recipient_id, now_us=now_us, word=by, name=category)
    if lifted:
        events.record(connection, now_us, "optout.lifted", inbox_id=inbox_id, detail=f"by {by}")
    return lifted


def get(connection: Connection, recipient_id: int, category: str) -> OptOut | None:
    """The opt-out of exactly this category that stands."""
    query = _listed().where(_o.recipient_id == recipient_id, _o.category == category)
    row = connection.execute(query).first()
    return None if row is None else _value(row)


def page(connection: Connection, *, recipient_id: int | None, limit: int, before: int | None) -> Page[OptOut]:
    """Opt-outs that stand, newest first."""
    query = _listed().order_by(_o.id.desc()).limit(limit + 1)
    if recipient_id is not None:
        query = query.where(_o.recipient_id == recipient_id)
    if before is not None:
        query = query.where(_o.id < before)
    rows = connection.execute(query).all()
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page([_value(row) for row in rows[:limit]], following)


def _listed():  # noqa: ANN202 - the type of a query of five columns says less than the query
    joined = select(_o.id, recipient.c.number, _o.category, _o.since_us, _o.source)
    return joined.join(recipient, recipient.c.id == _o.recipient_id).where(_o.lifted_us.is_(None))


def _value(row: AnyRow) -> OptOut:
    return OptOut(number=row.number or "", category=row.category or None, since_us=row.since_us, source=row.source)
