"""The people of rings: who is to be rung, who was, what became of their messages, and what they said.

A member is marked as rung in the transaction that accepts the message: so everybody is rung once, whatever breaks in
between, and by whichever host."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, bindparam, func, or_, select, update

from gateway.message import WAITING, PartState, Status
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, word, words
from gateway.store.schema import AnyRow, inbox, message, part, recipient, ring_member

_w, _m, _i = ring_member.c, message.c, inbox.c

_add_member = Prepared(
    insert(ring_member)
    .values(
        ring_id=bindparam("of_ring"),
        recipient_id=bindparam("person"),
        step=bindparam("at"),
        place=bindparam("number"),
        wanted=1,
        rung=0,
    )
    .on_conflict_do_nothing(index_elements=["ring_id", "recipient_id"])
)


def add_members(connection: Connection, ring_id: str, people: Sequence[int], step: int, first: int) -> None:
    """People who are to be rung, in this order, of which the first has that place; who is one already stays what he
    is."""
    _add_member.change_many(
        connection,
        [
            {"of_ring": ring_id, "person": person, "at": step, "number": place}
            for place, person in enumerate(people, first)
        ],
    )


_counted = PreparedList(
    lambda values: select(_w.ring_id, func.count().label("people")).where(_w.ring_id.in_(values)).group_by(_w.ring_id)
)


def people_in(connection: Connection, ring_ids: Sequence[str]) -> dict[str, int]:
    """How many members each ring has."""
    return {row.ring_id: row.people for row in _counted.rows(connection, ring_ids)}


_members = Prepared(
    select(_w.recipient_id, _w.step, _w.wanted, _w.rung, _w.rung_us, _w.refused, recipient.c.number)
    .join(recipient, recipient.c.id == _w.recipient_id)
    .where(_w.ring_id == bindparam("of_ring"))
    .order_by(_w.step, _w.place)
)
_messages = Prepared(
    select(
        _m.id,
        _m.recipient_id,
        _m.status,
        _m.category,
        _m.lane,
        _m.error_code,
        _m.sent_us,
        _m.parts,
        _m.hold_until_us,
    )
    .where(_m.ring_id == bindparam("of_ring"), _m.ring_id.is_not(None))
    .order_by(_m.id)
)


def members(connection: Connection, ring_id: str) -> Sequence[AnyRow]:
    """Its people by the step that brought them: recipient_id, step, wanted, rung, rung_us, refused, number."""
    return _members.rows(connection, of_ring=ring_id)


def messages_of(connection: Connection, ring_id: str) -> Sequence[AnyRow]:
    """Its messages in the order of acceptance: id, recipient_id, status, category, lane, error_code, sent_us, parts,
    hold_until_us."""
    return _messages.rows(connection, of_ring=ring_id)


_replies = Prepared(
    select(_i.id, _i.recipient_id, _i.received_us, _i.text, _i.answer, _m.id.label("replied"), _m.ring_id)
    .select_from(ring_member)
    .join(inbox, _i.recipient_id == _w.recipient_id)
    .outerjoin(message, _m.id == _i.in_reply_to)
    .where(_w.ring_id == bindparam("of_ring"), _i.id >= bindparam("first"))
    .order_by(_i.id)
)


def replies_to(connection: Connection, ring_id: str, first_id: str) -> Sequence[AnyRow]:
    """What its people have said since this id, in the order in which it came: id, recipient_id, received_us, text,
    answer, and of the message that it answers `replied` (the id) and ring_id."""
    return _replies.rows(connection, of_ring=ring_id, first=first_id)


_waiting = Prepared(
    select(_w.recipient_id, _w.rung, recipient.c.number)
    .join(recipient, recipient.c.id == _w.recipient_id)
    .where(_w.ring_id == bindparam("of_ring"), _w.rung < _w.wanted)
    .order_by(_w.step, _w.place)
    .limit(bindparam("most", type_=Integer))
)
_ring_once = Prepared(
    update(ring_member)
    .where(_w.ring_id == bindparam("of_ring"), _w.recipient_id == bindparam("person"), _w.rung == bindparam("before"))
    .values(rung=bindparam("after"), rung_us=bindparam("now_us"), refused=bindparam("code"))
)
_ask_again = Prepared(
    update(ring_member)
    .where(
        _w.ring_id == bindparam("of_ring"),
        _w.recipient_id == bindparam("person"),
        _w.rung == bindparam("before"),
        _w.wanted == bindparam("known"),
    )
    .values(wanted=bindparam("after"))
)
_give_up = Prepared(
    update(ring_member).where(_w.ring_id == bindparam("of_ring"), _w.rung < _w.wanted).values(wanted=_w.rung)
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody who is to be rung, and how often that was done before."""

    person: int
    number: str | None
    before: int


def waiting(connection: Connection, ring_id: str, most: int) -> list[Turn]:
    """Who is to be rung next."""
    rows = _waiting.rows(connection, of_ring=ring_id, most=most)
    return [Turn(row.recipient_id, row.number, row.rung) for row in rows]


def mark_rung(connection: Connection, ring_id: str, turn: Turn, now_us: int, refused: str | None) -> bool:
    """This turn was taken, or refused with that code; False when somebody else took it meanwhile."""
    changed = _ring_once.change(
        connection,
        of_ring=ring_id,
        person=turn.person,
        before=turn.before,
        after=turn.before + 1,
        now_us=now_us,
        code=refused,
    )
    return changed == 1


def want_again(connection: Connection, ring_id: str, people: Collection[int], rung: Mapping[int, int]) -> int:
    """Let people be rung once more who were rung so often, and do not wait for it already; how many."""
    return sum(
        _ask_again.change(
            connection, of_ring=ring_id, person=each, before=rung[each], known=rung[each], after=rung[each] + 1
        )
        for each in sorted(people)
    )


def give_up(connection: Connection, ring_id: str) -> int:
    """Nobody who still waits is rung any more; how many."""
    return _give_up.change(connection, of_ring=ring_id)


_in_lane = Prepared(
    select(_m.parts, func.count().label("messages"))
    .where(
        _m.status == word(Status.QUEUED),
        _m.lane == bindparam("lane"),
        or_(_m.ring_id.is_(None), _m.ring_id != bindparam("of_ring")),
        _m.id < bindparam("before"),
    )
    .group_by(_m.parts)
)
_unsent = Prepared(
    select(_m.lane, func.count().label("parts"))
    .join(part, part.c.message_id == _m.id)
    .where(
        _m.ring_id == bindparam("of_ring"),
        _m.ring_id.is_not(None),
        _m.status.in_(words((Status.SENDING, Status.UNCERTAIN))),
        part.c.state.in_(words((PartState.PENDING, PartState.SUBMITTING))),
    )
    .group_by(_m.lane)
)
_cancelable = Prepared(
    select(_m.id)
    .where(_m.ring_id == bindparam("of_ring"), _m.ring_id.is_not(None), _m.status.in_(words(WAITING)))
    .order_by(_m.id)
    .limit(bindparam("most", type_=Integer))
)


def in_lane(connection: Connection, ring_id: str, lane: str, before_id: str) -> Sequence[AnyRow]:
    """What is queued in a lane and was accepted before this id, apart from a ring: parts, messages."""
    return _in_lane.rows(connection, of_ring=ring_id, lane=lane, before=before_id)


def unsent_parts(connection: Connection, ring_id: str) -> Sequence[AnyRow]:
    """Parts of its begun messages that have still to leave: lane, parts."""
    return _unsent.rows(connection, of_ring=ring_id)


def cancelable(connection: Connection, ring_id: str, most: int) -> list[str]:
    """Messages of it that have not begun to leave."""
    return [row.id for row in _cancelable.rows(connection, of_ring=ring_id, most=most)]
