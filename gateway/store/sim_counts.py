"""What SIMs with limits were used for: counted in the transaction that marks a part, so that no limit is ever passed.

A row for each SIM holds the counts of the present minute, day and month. It is made from the attempts themselves, when
a SIM is first asked for or its months begin on another day, and kept from then on; a month of attempts is read once.
Where several hosts name one SIM, its row is locked, and one counts after the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from gateway.message import PartState, Status
from gateway.store.engines import insert
from gateway.store.prepared import Prepared, word, words
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow, attempt, message, part, sim_count, sim_person

_c = sim_count.c
_a = attempt.c
#: A try that the network or the modem said no to did not leave.
_DID_NOT_LEAVE = (PartState.PENDING, PartState.FAILED)
_SPANS = ("minute_us", "minute_parts", "day_us", "day_parts", "month_us", "month_parts", "people")


@dataclass(frozen=True, slots=True)
class Used:
    """The counts of a SIM, with the spans that they belong to. Instants are microseconds UTC."""

    minute_us: int
    minute_parts: int
    day_us: int
    day_parts: int
    month_us: int
    month_parts: int
    people: int
    held_until_us: int | None = None


def sim_of(modem: ModemFacts) -> str:
    """The SIM by its ICCID, or by node and modem where that is not known."""
    return modem.iccid or f"{modem.node}:{modem.name}"


_get = Prepared(select(sim_count).where(_c.sim == bindparam("name")).with_for_update())
# A SIM may have been in another modem this month. One that did not tell its number is known by its modem.
_of_sim = and_(
    _a.marked_us >= bindparam("month"),
    _a.state.not_in(words(_DID_NOT_LEAVE)),
    or_(
        _a.iccid == bindparam("sim_name"),
        and_(_a.iccid.is_(None), _a.modem == bindparam("modem"), _a.node == bindparam("host")),
    ),
)


def _since(instant: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((_a.marked_us >= bindparam(instant), 1), else_=0)), 0)


_count = Prepared(
    select(_since("minute").label("minute"), _since("day").label("day"), func.count().label("month")).where(_of_sim)
)
_people = Prepared(
    select(message.c.recipient_id, func.count().label("parts"))
    .join(message, message.c.id == _a.message_id)
    .where(_of_sim)
    .group_by(message.c.recipient_id)
)
_forget_people = Prepared(delete(sim_person).where(sim_person.c.sim == bindparam("name")))
_add_person = Prepared(
    insert(sim_person).values(
        sim=bindparam("name"), recipient_id=bindparam("person"), month_us=bindparam("month"), parts=bindparam("count")
    )
)
_add = Prepared(
    insert(sim_count)
    .values(
        sim=bindparam("name"),
        node=bindparam("host"),
        modem=bindparam("modem_name"),
        billing_day=bindparam("billing"),
        minute_us=0,
        minute_parts=0,
        day_us=0,
        day_parts=0,
        month_us=0,
        month_parts=0,
        people=0,
    )
    .on_conflict_do_nothing(index_elements=["sim"])
)
_set = Prepared(
    update(sim_count)
    .where(_c.sim == bindparam("name"))
    .values(
        node=bindparam("host"),
        modem=bindparam("modem_name"),
        billing_day=bindparam("billing"),
        **{column: bindparam(f"new_{column}") for column in _SPANS},
    )
)
_parts_of = Prepared(
    select(sim_person.c.parts).where(
        sim_person.c.sim == bindparam("name"),
        sim_person.c.recipient_id == bindparam("person"),
        sim_person.c.month_us >= bindparam("month"),
    )
)
_set_person = Prepared(
    insert(sim_person)
    .values(
        sim=bindparam("name"), recipient_id=bindparam("person"), month_us=bindparam("month"), parts=bindparam("count")
    )
    .on_conflict_do_update(
        index_elements=["sim", "recipient_id"],
        set_={"month_us": bindparam("month_again"), "parts": bindparam("count_again")},
    )
)
_begun_parts = Prepared(
    select(func.count())
    .select_from(message)
    .join(part, part.c.message_id == message.c.id)
    .where(
        message.c.status == word(Status.SENDING),
        message.c.modem == bindparam("modem_name"),
        message.c.node == bindparam("host"),
        part.c.state == word(PartState.PENDING),
    )
)
_hold = Prepared(
    update(sim_count)
    .where(_c.sim == bindparam("name"))
    .values(held_until_us=bindparam("until_us"), held_detail=bindparam("detail"))
)
_every = Prepared(select(sim_count))
_held = Prepared(select(_c.node, _c.modem, _c.held_until_us, _c.held_detail).where(_c.held_until_us.is_not(None)))
_marked = Prepared(
    select(_a.iccid, _a.node, _a.modem, _a.marked_us, message.c.recipient_id)
    .join(message, message.c.id == _a.message_id)
    .where(_a.id == bindparam("attempt_id"))
)
_take_back = Prepared(
    update(sim_count)
    .where(_c.sim == bindparam("name"))
    .values(
        minute_parts=_c.minute_parts - case((_c.minute_us <= bindparam("at_us"), 1), else_=0),
        day_parts=_c.day_parts - case((_c.day_us <= bindparam("at_us"), 1), else_=0),
        month_parts=_c.month_parts - case((_c.month_us <= bindparam("at_us"), 1), else_=0),
        people=_c.people - bindparam("fewer"),
    )
)
_forget = Prepared(delete(sim_count).where(_c.node == bindparam("host"), _c.modem == bindparam("modem_name")))
_counted_modems = Prepared(select(_c.modem).where(_c.node == bindparam("host")))


def used(
    connection: Connection, modem: ModemFacts, billing_day: int, *, minute_us: int, day_us: int, month_us: int
) -> Used:
    """What the SIM was used for in the spans that began at these instants; others wait until this transaction ends.

    A clock that was set back does not begin a span anew.
    """
    sim = sim_of(modem)
    row = _get.first(connection, name=sim)
    if row is None:
        _add.change(connection, name=sim, host=modem.node, modem_name=modem.name, billing=billing_day)
        row = _get.first(connection, name=sim)
        assert row is not None, "it was added, by us or by another"
    if row.month_us == 0 or row.billing_day != billing_day:
        return _from_attempts(connection, modem, billing_day, minute_us=minute_us, day_us=day_us, month_us=month_us)
    minute, day, month = row.minute_us < minute_us, row.day_us < day_us, row.month_us < month_us
    return Used(
        minute_us=max(row.minute_us, minute_us),
        minute_parts=0 if minute else row.minute_parts,
        day_us=max(row.day_us, day_us),
        day_parts=0 if day else row.day_parts,
        month_us=max(row.month_us, month_us),
        month_parts=0 if month else row.month_parts,
        people=0 if month else row.people,
        held_until_us=row.held_until_us,
    )


def _from_attempts(
    connection: Connection, modem: ModemFacts, billing_day: int, *, minute_us: int, day_us: int, month_us: int
) -> Used:
    """Count what the modem marked for this SIM since the month began, and write it down."""
    sim = sim_of(modem)
    which = {"modem": modem.name, "month": month_us, "sim_name": sim, "host": modem.node}
    counts = _count.first(connection, minute=minute_us, day=day_us, **which)
    assert counts is not None, "a count is one row"
    _forget_people.change(connection, name=sim)
    people = _people.rows(connection, **which)
    _add_person.change_many(
        connection,
        [{"name": sim, "person": each.recipient_id, "month": month_us, "count": each.parts} for each in people],
    )
    found = Used(minute_us, counts.minute, day_us, counts.day, month_us, counts.month, len(people))
    _write(connection, modem, billing_day, found)
    return found


def _write(connection: Connection, modem: ModemFacts, billing_day: int, now: Used) -> None:
    values = {f"new_{column}": getattr(now, column) for column in _SPANS}
    _set.write(connection, name=sim_of(modem), host=modem.node, modem_name=modem.name, billing=billing_day, **values)


def parts_to(connection: Connection, modem: ModemFacts, recipient_id: int, month_us: int) -> int:
    """How many parts went to this person this month."""
    found = _parts_of.scalar(connection, name=sim_of(modem), person=recipient_id, month=month_us)
    return found or 0


def begun_parts(connection: Connection, modem: ModemFacts) -> int:
    """Parts of begun messages that this modem has still to send: there is room for them already."""
    return _begun_parts.scalar(connection, modem_name=modem.name, host=modem.node)


def count(connection: Connection, modem: ModemFacts, billing_day: int, before: Used, recipient_id: int) -> None:
    """One more part, to this person; `before` is what `used` said in this transaction."""
    known = parts_to(connection, modem, recipient_id, before.month_us)
    now = Used(
        minute_us=before.minute_us,
        minute_parts=before.minute_parts + 1,
        day_us=before.day_us,
        day_parts=before.day_parts + 1,
        month_us=before.month_us,
        month_parts=before.month_parts + 1,
        people=before.people + (known == 0),
    )
    _write(connection, modem, billing_day, now)
    _write_person(connection, sim_of(modem), recipient_id, before.month_us, known + 1)


def _write_person(connection: Connection, sim: str, recipient_id: int, month_us: int, parts: int) -> None:
    _set_person.write(
        connection,
        name=sim,
        person=recipient_id,
        month=month_us,
        count=parts,
        month_again=month_us,
        count_again=parts,
    )


def take_back(connection: Connection, attempt_id: int) -> None:
    """A part that was marked did not leave."""
    row = _marked.first(connection, attempt_id=attempt_id)
    if row is None:
        return
    sim = row.iccid or f"{row.node}:{row.modem}"
    now = _get.first(connection, name=sim)
    if now is None:
        return
    known = _parts_of.scalar(connection, name=sim, person=row.recipient_id, month=now.month_us) or 0
    if known and row.marked_us >= now.month_us:
        _write_person(connection, sim, row.recipient_id, now.month_us, known - 1)
    fewer = int(known == 1 and row.marked_us >= now.month_us)
    _take_back.change(connection, name=sim, at_us=row.marked_us, fewer=fewer)


def hold(connection: Connection, modem: ModemFacts, until_us: int, detail: str) -> None:
    """Something waits for this SIM until then."""
    _hold.write(connection, name=sim_of(modem), until_us=until_us, detail=detail)


def held(connection: Connection) -> list[AnyRow]:
    """The modems whose SIM something waits for: node, modem, held_until_us, held_detail."""
    return _held.rows(connection)


def every(connection: Connection) -> dict[str, Used]:
    """The counts of all SIMs by their names (`sim_of`), each with the spans that it belongs to."""
    return {
        row.sim: Used(
            row.minute_us,
            row.minute_parts,
            row.day_us,
            row.day_parts,
            row.month_us,
            row.month_parts,
            row.people,
            row.held_until_us,
        )
        for row in _every.rows(connection)
    }


def forget_others(connection: Connection, node: str, limited: Collection[str]) -> None:
    """Drop the counts of this node's modems that have no limits any more: nobody goes on counting them."""
    for row in _counted_modems.rows(connection, host=node):
        if row.modem not in limited:
            _forget.change(connection, host=node, modem_name=row.modem)
