"""Who must not be written to. Category "" stands for every stoppable category, also for those of tomorrow.

Who opted out of all and then joined one category has an exception beside the general opt-out: a row whose word is "+"
and the category, which no category's name can be. It ends with the general opt-out, and when a new STOP comes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, String, and_, bindparam, exists, literal_column, or_, select, update

from gateway.message import OptOut, Rule, Status
from gateway.requests import Page
from gateway.store import events, messages, recipients
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, message, optout, recipient

#: Before the category that a general opt-out leaves out.
EXCEPT = "+"

_o = optout.c
_exception = optout.alias("exception")
_e = _exception.c


def _covers(category: ColumnElement[str], exception: ColumnElement[str]) -> ColumnElement[bool]:
    """In a query over opt-outs: that it is of this category, or of all and the person has made no exception of it."""
    made = select(_e.id).where(_e.lifted_us.is_(None), _e.recipient_id == _o.recipient_id, _e.category == exception)
    return or_(_o.category == category, and_(_o.category == "", ~exists(made.correlate(optout, message))))


def stands() -> ColumnElement[bool]:
    """In a query over messages: that the person has opted out of the message's category, or of all."""
    plus: ColumnElement[str] = literal_column(f"'{EXCEPT}'", String)
    of_category = _covers(message.c.category, plus.concat(message.c.category))
    standing = select(_o.id).where(_o.lifted_us.is_(None), _o.recipient_id == message.c.recipient_id, of_category)
    return exists(standing).correlate(message)


_stands = Prepared(
    select(_o.id)
    .where(
        _o.lifted_us.is_(None),
        _o.recipient_id == bindparam("person"),
        _covers(bindparam("name", type_=String), bindparam("exception", type_=String)),
    )
    .limit(1)
)

_of_people = PreparedList(
    lambda values: select(_o.recipient_id, _o.category).where(_o.lifted_us.is_(None), _o.recipient_id.in_(values))
)


def standing(connection: Connection, people: Sequence[int]) -> set[tuple[int, str]]:
    """The opt-outs of these people that stand: person and category, "" for every stoppable one; and their exceptions.
    What they cover is told by `covered`."""
    return {(row.recipient_id, row.category) for row in _of_people.rows(connection, people)}


def covered(standing: Collection[tuple[int, str]], person: int, category: str) -> bool:
    """Whether one of them is of this category, or of all without an exception of it."""
    if (person, category) in standing:
        return True
    return (person, "") in standing and (person, EXCEPT + category) not in standing


def is_opted_out(connection: Connection, recipient_id: int, category: str) -> bool:
    """Whether this person has opted out of this category, or of all."""
    return _stands.scalar(connection, person=recipient_id, name=category, exception=EXCEPT + category) is not None


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
_was = (_o.category, _o.since_us, _o.source)
_lift_all = Prepared(_lift.returning(*_was))
_lift_one = Prepared(_lift.where(_o.category == bindparam("name")).returning(*_was))
_is_exception = _o.category.startswith(EXCEPT, autoescape=True)
_end_exceptions = Prepared(_lift.where(_is_exception))


def add(
    connection: Connection,
    recipient_id: int,
    category: str,
    now_us: int,
    *,
    source: str,
    inbox_id: str | None = None,
) -> bool:
    """Opt a person out; False when they already were. Exceptions that this contradicts end. Whoever is about to write
    to them is waited for."""
    recipients.lock(connection, recipient_id)
    ended = _end(connection, recipient_id, category, now_us, by=source)
    added = _add.change(connection, person=recipient_id, name=category, now_us=now_us, by=source, item=inbox_id)
    if added or ended:
        facts = _facts(category, now_us, source)
        events.record(
            connection,
            now_us,
            "optout.added",
            inbox_id=inbox_id,
            detail=f"by {source}",
            recipient_id=recipient_id,
            facts=facts,
        )
    return bool(added or ended)


def _facts(category: str, since_us: int, source: str) -> dict[str, object]:
    """An opt-out as its events bear it; whose it is, their person says."""
    return {"category": category or None, "since_us": since_us, "source": source}


def _end(connection: Connection, recipient_id: int, category: str, now_us: int, *, by: str) -> int:
    """End the exception of one category, or with "" all of them; returns how many."""
    if category:
        return len(_lift_one.rows(connection, person=recipient_id, now_us=now_us, word=by, name=EXCEPT + category))
    return _end_exceptions.change(connection, person=recipient_id, now_us=now_us, word=by)


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
    """Lift the opt-out of one category ("" for the general one), or with None all of them; returns how many. Exceptions
    end with the general one."""
    if not category:
        _end(connection, recipient_id, "", now_us, by=by)
    if category is None:
        lifted = _lift_all.rows(connection, person=recipient_id, now_us=now_us, word=by)
    else:
        lifted = _lift_one.rows(connection, person=recipient_id, now_us=now_us, word=by, name=category)
    for row in sorted(lifted):
        _tell_lifted(connection, recipient_id, _facts(*row), now_us, by=by, inbox_id=inbox_id)
    return len(lifted)


def _tell_lifted(
    connection: Connection, person: int, facts: dict[str, object], now_us: int, *, by: str, inbox_id: str | None
) -> None:
    """One event for each opt-out that stands no more."""
    events.record(
        connection,
        now_us,
        "optout.lifted",
        inbox_id=inbox_id,
        detail=f"by {by}",
        recipient_id=person,
        facts=facts,
    )


def leave_out(
    connection: Connection, recipient_id: int, category: str, now_us: int, *, by: str, inbox_id: str | None = None
) -> bool:
    """Leave a category out of the general opt-out of a person, which stands for all others; False when none stands, or
    it is left out already."""
    recipients.lock(connection, recipient_id)
    general = get(connection, recipient_id, "")
    if general is None:
        return False
    values = {"name": EXCEPT + category, "now_us": now_us, "by": by, "item": inbox_id}
    made = _add.change(connection, person=recipient_id, **values)
    if made:
        facts = _facts(category, general.since_us, general.source)
        _tell_lifted(connection, recipient_id, facts, now_us, by=by, inbox_id=inbox_id)
    return bool(made)


def get(connection: Connection, recipient_id: int, category: str) -> OptOut | None:
    """The opt-out of exactly this category that stands."""
    query = _listed().where(_o.recipient_id == recipient_id, _o.category == category)
    row = connection.execute(query).first()
    return None if row is None else _value(row)


def page(
    connection: Connection,
    *,
    recipient_id: int | None,
    limit: int,
    before: int | None,
    people: Collection[str] | None = None,
) -> Page[OptOut]:
    """Opt-outs that stand, newest first; with `people` only of these numbers."""
    query = _listed().order_by(_o.id.desc()).limit(limit + 1)
    if recipient_id is not None:
        query = query.where(_o.recipient_id == recipient_id)
    if people is not None:
        query = query.where(recipient.c.number.in_(people))
    if before is not None:
        query = query.where(_o.id < before)
    rows = connection.execute(query).all()
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page([_value(row) for row in rows[:limit]], following)


def _listed():  # noqa: ANN202 - the type of a query of five columns says less than the query
    joined = select(_o.id, recipient.c.number, _o.category, _o.since_us, _o.source)
    return joined.join(recipient, recipient.c.id == _o.recipient_id).where(_o.lifted_us.is_(None), ~_is_exception)


def _value(row: AnyRow) -> OptOut:
    return OptOut(number=row.number or "", category=row.category or None, since_us=row.since_us, source=row.source)
