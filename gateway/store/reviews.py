"""Replies that nearly are a keyword, until a person has said what they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, select, update

from gateway.errors import Conflict, NotFound
from gateway.message import Doubt, Rule, Status
from gateway.requests import Page
from gateway.store import events, recipients, signals
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, inbox, message, recipient
from gateway.store.schema_consent import review
from gateway.store.signals import Topic

_r = review.c
_m = message.c
_is_open = _r.settled_us.is_(None)

_add = Prepared(
    insert(review)
    .values(
        inbox_id=bindparam("item"),
        recipient_id=bindparam("person"),
        guess=bindparam("keyword"),
        created_us=bindparam("now_us"),
    )
    .on_conflict_do_nothing(index_elements=["inbox_id"])
)


def add(connection: Connection, inbox_id: str, recipient_id: int, guess: str, now_us: int) -> None:
    """Let somebody judge this reply. Whoever is about to write to its sender is waited for."""
    recipients.lock(connection, recipient_id)
    _add.change(connection, item=inbox_id, person=recipient_id, keyword=str(guess), now_us=now_us)
    events.record(connection, now_us, "inbound.review", inbox_id=inbox_id, detail=f"perhaps {guess}")


def open_of() -> ColumnElement[bool]:
    """In a query over messages: whether a reply of that person waits to be judged."""
    waiting = select(_r.inbox_id).where(_is_open, _r.recipient_id == message.c.recipient_id)
    return exists(waiting).correlate(message)


_of_people = PreparedList(lambda values: select(_r.recipient_id).where(_is_open, _r.recipient_id.in_(values)))


def standing(connection: Connection, people: Sequence[int]) -> set[int]:
    """Those of these people of whom a reply waits to be judged."""
    return {row.recipient_id for row in _of_people.rows(connection, people)}


_settle = (
    update(review)
    .where(_is_open)
    .values(settled_us=bindparam("now_us"), settled_as=bindparam("verdict"), settled_by=bindparam("judge"))
)
_settle_one = Prepared(_settle.where(_r.inbox_id == bindparam("item")))
_settle_of = Prepared(_settle.where(_r.recipient_id == bindparam("person")))


def settle(connection: Connection, inbox_id: str, verdict: str, now_us: int, *, by: str) -> AnyRow:
    """Write down what a reply is; the row of its review. `NotFound`, or `Conflict` when somebody has said so before.

    Whoever is about to hold something because of it is waited for: else that would be held after it was let go.
    """
    found = _find.first(connection, item=inbox_id)
    if found is None:
        raise NotFound("review_not_found", "no reply of this id waits to be judged")
    recipients.lock(connection, found.recipient_id)
    if not _settle_one.change(connection, item=inbox_id, verdict=verdict, judge=by, now_us=now_us):
        raise Conflict("review_settled", "this reply was judged before")
    events.record(connection, now_us, "inbound.reviewed", inbox_id=inbox_id, detail=f"as {verdict}")
    return found


def settle_all(connection: Connection, recipient_id: int, verdict: str, now_us: int, *, by: str) -> int:
    """The person has said clearly what they mean: nothing is left to be judged; returns how many were. Whoever is about
    to hold something because of it is waited for."""
    recipients.lock(connection, recipient_id)
    return _settle_of.change(connection, person=recipient_id, verdict=verdict, judge=by, now_us=now_us)


_find = Prepared(select(review).where(_r.inbox_id == bindparam("item")))
_listed = (
    select(review, recipient.c.number, inbox.c.text)
    .join(recipient, recipient.c.id == _r.recipient_id)
    .outerjoin(inbox, inbox.c.id == _r.inbox_id)
)


def get(connection: Connection, inbox_id: str) -> Doubt | None:
    """One reply that was, or is to be, judged."""
    row = connection.execute(_listed.where(_r.inbox_id == inbox_id)).first()
    return None if row is None else _doubt(row)


def page(
    connection: Connection, *, limit: int, before: str | None, people: Collection[str] | None = None
) -> Page[Doubt]:
    """Replies that wait to be judged, newest first; with `people` only of these numbers."""
    query = _listed.where(_is_open)
    if people is not None:
        query = query.where(recipient.c.number.in_(people))
    if before is not None:
        query = query.where(_r.inbox_id < before)
    rows = connection.execute(query.order_by(_r.inbox_id.desc()).limit(limit + 1)).all()
    following = rows[limit - 1].inbox_id if len(rows) > limit else None
    return Page([_doubt(row) for row in rows[:limit]], following)


_free = Prepared(
    update(message)
    .where(
        _m.recipient_id == bindparam("person"),
        and_(_m.status == word(Status.HELD), _m.hold_rule == word(Rule.OPT_OUT)),
    )
    .values(due_us=bindparam("now_us"))
)


def release_reviewed(connection: Connection, recipient_id: int, now_us: int) -> int:
    """What was held until a reply of this person was judged is due, and asked about again, unless another reply of
    theirs waits still; returns how many."""
    if _of_people.rows(connection, [recipient_id]):
        return 0
    released = _free.change(connection, person=recipient_id, now_us=now_us)
    if released:
        signals.send(connection, Topic.WORK)
    return released


def _doubt(row: AnyRow) -> Doubt:
    return Doubt(
        inbox_id=row.inbox_id,
        sender=row.number or "",
        text=row.text,
        guess=row.guess,
        created_us=row.created_us,
        settled_us=row.settled_us,
        settled_as=row.settled_as,
        settled_by=row.settled_by,
    )
