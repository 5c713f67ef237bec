"""The consent ledger: who agreed to which category, or took it back. Only ever added to.

Of one person and category the latest entry by `at_us`, then by id, stands; a question (`asked`) changes nothing about
it. So an old consent that is imported late never overrules a withdrawal that came after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, func, literal_column, select

from gateway.message import Consent, ConsentState
from gateway.requests import ConsentFilter, Page
from gateway.store import events, recipients
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, words
from gateway.store.schema import AnyRow, message, recipient
from gateway.store.schema_consent import consent

#: The words that stand; the third only asks.
STANDING = (ConsentState.GIVEN, ConsentState.WITHDRAWN)

_c = consent.c
_ONE: ColumnElement[int] = literal_column("1", Integer)
_says = _c.state.in_(words(STANDING))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """An entry to be written. Instants are microseconds UTC."""

    recipient_id: int
    category: str
    state: ConsentState
    at_us: int
    recorded_us: int
    channel: str | None = None
    wording: str | None = None
    evidence: str | None = None
    source: str | None = None
    by: str | None = None
    inbox_id: str | None = None


_WRITTEN = NewConsent.__slots__
# An insertion of whole columns: their own names are those of the values.
_add = Prepared(insert(consent).values({name: bindparam(name) for name in _WRITTEN}).returning(_c.id))


def record(connection: Connection, entry: NewConsent) -> int:
    """Write an entry, with its event; returns its row. Whoever is about to write to that person is waited for."""
    recipients.lock(connection, entry.recipient_id)
    values = {name: getattr(entry, name) for name in _WRITTEN} | {"state": entry.state.value}
    row = _add.scalar(connection, **values)
    kind = f"consent.{entry.state}"
    events.record(
        connection,
        entry.recorded_us,
        kind,
        inbox_id=entry.inbox_id,
        detail=f"of {entry.category}",
        recipient_id=entry.recipient_id,
        facts={"consent": row},
    )
    return row


_add_many = Prepared(insert(consent).values({name: bindparam(name) for name in _WRITTEN}))
_last_rows = PreparedList(
    lambda values: (
        select(_c.recipient_id, func.max(_c.id).label("id"))
        .where(_c.recipient_id.in_(values))
        .group_by(_c.recipient_id)
    )
)


def record_all(connection: Connection, entries: Sequence[NewConsent]) -> None:
    """As `record`, one entry for each of several people, which all say the same at one time. Nobody else may write to
    the ledger about them meanwhile: they are locked already."""
    if not entries:
        return
    _add_many.write_many(
        connection,
        [{name: getattr(each, name) for name in _WRITTEN} | {"state": each.state.value} for each in entries],
    )
    rows = {row.recipient_id: row.id for row in _last_rows.rows(connection, [each.recipient_id for each in entries])}
    one = entries[0]
    events.record_people(
        connection,
        one.recorded_us,
        f"consent.{one.state}",
        [(each.recipient_id, f"of {each.category}", {"consent": rows[each.recipient_id]}) for each in entries],
    )


_latest_said = PreparedList(
    lambda values: (
        select(_c.recipient_id, _c.state, _c.at_us)
        .where(_c.recipient_id.in_(values), _c.category == bindparam("name"), _says)
        .order_by(_c.recipient_id, _c.at_us, _c.id)
    )
)


def said_last(connection: Connection, people: Sequence[int], category: str) -> dict[int, tuple[ConsentState, int]]:
    """What these people said last about this category, and when; who said nothing is not in it."""
    rows = _latest_said.rows(connection, people, name=category)
    return {row.recipient_id: (ConsentState(row.state), row.at_us) for row in rows}


def say_now(connection: Connection, entry: NewConsent) -> int:
    """As `record`, of what a person says at this moment: it stands, also where the clock was wrong when something later
    was written down."""
    latest = _latest.first(connection, person=entry.recipient_id, name=entry.category)
    after_us = entry.at_us if latest is None else max(entry.at_us, latest.at_us)
    return record(connection, replace(entry, at_us=after_us))


def state() -> ColumnElement[str]:
    """In a query over messages: what the person said last about the message's category, `given` or `withdrawn`; NULL
    where nothing was said."""
    said = select(_c.state).where(_c.recipient_id == message.c.recipient_id, _c.category == message.c.category, _says)
    latest = said.order_by(_c.at_us.desc(), _c.id.desc()).limit(_ONE)
    return latest.correlate(message).scalar_subquery()


_of_people = PreparedList(
    lambda values: (
        select(_c.recipient_id, _c.category, _c.state)
        .where(_c.recipient_id.in_(values), _says)
        .order_by(_c.recipient_id, _c.category, _c.at_us, _c.id)
    )
)


def standing(connection: Connection, people: Sequence[int]) -> dict[tuple[int, str], ConsentState]:
    """What these people said last, by person and category; what nobody said anything about is not in it."""
    rows = _of_people.rows(connection, people)
    return {(row.recipient_id, row.category): ConsentState(row.state) for row in rows}


_of_category = select(consent).where(_c.recipient_id == bindparam("person"), _c.category == bindparam("name"))
_in_order = (_c.at_us.desc(), _c.id.desc())
_latest = Prepared(_of_category.where(_says).order_by(*_in_order).limit(_ONE))
_last_question = Prepared(
    _of_category.where(_c.state.in_(words([ConsentState.ASKED]))).order_by(_c.id.desc()).limit(_ONE)
)
_all_of_person = Prepared(
    select(consent).where(_c.recipient_id == bindparam("person")).order_by(_c.category, _c.at_us, _c.id)
)


def state_of(connection: Connection, recipient_id: int, category: str) -> ConsentState | None:
    """What this person said last about this category."""
    latest = _latest.first(connection, person=recipient_id, name=category)
    return None if latest is None else ConsentState(latest.state)


def latest_of(connection: Connection, recipient_id: int) -> dict[str, AnyRow]:
    """The entry that stands in each category that this person said something about."""
    rows = _all_of_person.rows(connection, person=recipient_id)
    return {row.category: row for row in rows if row.state != ConsentState.ASKED}


def asked(connection: Connection, recipient_id: int) -> list[AnyRow]:
    """Every entry that asked this person."""
    rows = _all_of_person.rows(connection, person=recipient_id)
    return [row for row in rows if row.state == ConsentState.ASKED]


def last_question(connection: Connection, recipient_id: int, category: str) -> AnyRow | None:
    """The latest entry that asked this person about this category."""
    return _last_question.first(connection, person=recipient_id, name=category)


def unanswered(connection: Connection, recipient_id: int, since_us: int) -> list[AnyRow]:
    """The entries that asked this person since then and are not answered, the latest first; one for each category.
    Whether the question itself has left is told by `gateway.store.questions`.

    Written down later is answered later: a clock that was set back between question and answer changes nothing.
    """
    last: dict[str, AnyRow] = {}
    for row in sorted(_all_of_person.rows(connection, person=recipient_id), key=lambda row: row.id):
        last[row.category] = row
    waiting = [row for row in last.values() if row.state == ConsentState.ASKED and row.at_us >= since_us]
    return sorted(waiting, key=lambda row: row.id, reverse=True)


_listed = select(
    _c.id,
    recipient.c.number,
    _c.category,
    _c.state,
    _c.at_us,
    _c.recorded_us,
    _c.channel,
    _c.wording,
    _c.evidence,
    _c.source,
    _c.by,
).join(recipient, recipient.c.id == _c.recipient_id)
_get = Prepared(_listed.where(_c.id == bindparam("row", type_=Integer)))


def get(connection: Connection, row_id: int) -> Consent:
    """An entry that was written."""
    row = _get.first(connection, row=row_id)
    assert row is not None, "entries are never taken away"
    return _consent(row)


_many = PreparedList(lambda values: _listed.where(_c.id.in_(values)))


def many(connection: Connection, rows: Sequence[int]) -> dict[int, Consent]:
    """Those entries of these rows that are here."""
    return {row.id: _consent(row) for row in _many.rows(connection, rows)}


def page(
    connection: Connection,
    wanted: ConsentFilter,
    *,
    recipient_id: int | None,
    limit: int,
    before: int | None,
    people: Collection[str] | None = None,
) -> Page[Consent]:
    """Entries that fit, those written last first; with `people` only of these numbers. `recipient_id` stands for the
    filter's number."""
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.number, _c.recipient_id == recipient_id),
        (wanted.category, _c.category == wanted.category),
        (wanted.state, _c.state == wanted.state),
        (before, _c.id < (before or 0)),
        (people, recipient.c.number.in_(people or ())),
    ]
    query = _listed.where(*(condition for value, condition in given if value is not None))
    rows = connection.execute(query.order_by(_c.id.desc()).limit(limit + 1)).all()
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page([_consent(row) for row in rows[:limit]], following)


def _consent(row: AnyRow) -> Consent:
    return Consent(
        number=row.number or "",
        category=row.category,
        state=ConsentState(row.state),
        at_us=row.at_us,
        recorded_us=row.recorded_us,
        channel=row.channel,
        wording=row.wording,
        evidence=row.evidence,
        source=row.source,
        by=row.by,
    )
