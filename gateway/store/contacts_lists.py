"""Pages of contacts, newest first, and the lists of numbers that are of no use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select

from gateway.message import Status
from gateway.store import contacts
from gateway.store.optouts import EXCEPT
from gateway.store.schema import AnyRow, contact, inbox, message, optout, recipient

_c = contact.c
_m = message.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contacts are listed. `hygiene`: `dead`, `never_delivered`, `unsubscribed`, or `stale`: neither a delivery
    nor a reply since `stale_us`, and known for longer than that. `tag_kept` is a tag as a JSON string."""

    tag_kept: str | None = None
    words: str | None = None
    hygiene: str | None = None
    stale_us: int = 0


def page(
    connection: Connection,
    wanted: Wanted,
    *,
    limit: int,
    before: int | None,
    people: Collection[str] | None = None,
) -> tuple[Sequence[AnyRow], str | None]:
    """Rows as `contacts.joined` gives them, and the cursor behind them; with `people` only of these numbers."""
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.tag_kept, func.replace(_c.tags, literal(wanted.tag_kept or ""), "") != _c.tags),
        (wanted.words, _says(wanted.words or "")),
        (wanted.hygiene, _of_hygiene(wanted)),
        (before, _c.id < (before or 0)),
        (people, recipient.c.number.in_(people or ())),
    ]
    query = contacts.joined.where(
        recipient.c.number.is_not(None), *(condition for value, condition in given if value is not None)
    )
    rows = connection.execute(query.order_by(_c.id.desc()).limit(limit + 1)).all()
    return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None


def _says(words: str) -> ColumnElement[bool]:
    """In the name or the address, or as the beginning of the number."""
    begins = recipient.c.number.startswith(words, autoescape=True)
    return or_(_c.name.icontains(words, autoescape=True), _c.email.icontains(words, autoescape=True), begins)


def _of_hygiene(wanted: Wanted) -> ColumnElement[bool]:
    mine = _m.recipient_id == _c.recipient_id
    if wanted.hygiene == "dead":
        return _c.dead_us.is_not(None)
    if wanted.hygiene == "unsubscribed":
        out = and_(optout.c.recipient_id == _c.recipient_id, optout.c.lifted_us.is_(None))
        return exists().where(out, ~optout.c.category.startswith(EXCEPT, autoescape=True))
    if wanted.hygiene == "never_delivered":
        # Where a network sends no reports, `sent` is all that is ever known.
        ended = exists().where(mine, _m.status.in_((Status.FAILED, Status.UNDELIVERED)))
        return and_(ended, ~exists().where(mine, _m.delivered_us.is_not(None)))
    answered = exists().where(inbox.c.recipient_id == _c.recipient_id, inbox.c.received_us >= wanted.stale_us)
    reached = exists().where(mine, _m.delivered_us >= wanted.stale_us)
    return and_(_c.created_us < wanted.stale_us, ~reached, ~answered)


def count(connection: Connection) -> int:
    """How many contacts there are."""
    return connection.execute(select(func.count()).select_from(contact)).scalar_one()
