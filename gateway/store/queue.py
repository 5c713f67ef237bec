"""The queue: which message a modem takes next, and the durable mark in front of it.

A message is *ready* when it is `queued` and due; it is *begun* when it is `sending` and has parts left. How it is
looked for stands in `lanes`; only a message being sent blocks the next one to the same person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)

from gateway.message import PartEvent, PartState, Status, next_state
from gateway.store import consents, events, optouts, pauses, recipients, reviews
from gateway.store.engines import is_shared
from gateway.store.prepared import Prepared, Question, word
from gateway.store.schema import AnyRow, attempt, message, part, recipient

#: How many candidates one query brings; most of the time the first is taken.
LOOK = 16
# Written into the text, as the state words are: a planner that does not see it expects a tenth of all rows.
LIMIT: ColumnElement[int] = literal_column(str(LOOK), Integer)
# There are as many as modems, and further copies that wait for one.
_MOST_BEGUN: ColumnElement[int] = literal_column("64", Integer)
ONE: ColumnElement[int] = literal_column("1", Integer)

_m = message.c
_p = part.c
_other = message.alias("other")


@dataclass(frozen=True, slots=True)
class ModemFacts:
    """What the queue must know of the modem that asks for work."""

    name: str
    node: str
    simulated: bool
    imei: str | None
    iccid: str | None
    #: A simulated modem beside real ones takes only messages of test tokens; a real one never takes those.
    takes_test: bool
    takes_live: bool
    #: Names the wire journal that this process keeps for the modem.
    journal: str | None = None


TO_SEND = select(
    _m.id,
    _m.status,
    _m.recipient_id,
    _m.reply_to_inbox_id,
    _m.category,
    _m.priority,
    _m.due_us,
    _m.stoppable,
    _m.text,
    _m.flash,
    _m.send_us,
    _m.expires_us,
    _m.timing,
    _m.shift,
    _m.led_us,
    _m.repeats,
    _m.modem,
    _m.lane,
    _m.parts,
    _m.test,
    recipient.c.number,
    recipient.c.timezone,
    recipient.c.country,
    # The text was fixed already, when an earlier try passed the gate.
    # Not as EXISTS: PostgreSQL would read every part there is into a hash table.
    select(_p.sequence).where(_p.message_id == _m.id).limit(ONE).scalar_subquery().label("has_parts"),
    optouts.stands().label("opted_out"),
    consents.state().label("consent"),
    reviews.open_of().label("under_review"),
    null().label("mark"),
).join(recipient, recipient.c.id == _m.recipient_id)
IN_FLIGHT = exists().where(
    _other.c.recipient_id == _m.recipient_id, _other.c.status == word(Status.SENDING), _other.c.id != _m.id
)
_begun = Prepared(
    TO_SEND.where(
        _m.status == word(Status.SENDING),
        _m.due_us <= bindparam("now_us"),
        or_(
            and_(_m.modem == bindparam("modem"), _m.node == bindparam("node")),
            # A further copy of an uncertain one; any modem that suits may take it.
            _m.modem.is_(None),
        ),
        exists().where(_p.message_id == _m.id, _p.state == word(PartState.PENDING)),
        # The kill switch holds further parts of a begun message too.
        ~pauses.paused(),
    )
    .order_by(_m.priority.desc(), _m.due_us, _m.id)
    .limit(_MOST_BEGUN)
)
# A mark is numbered ahead, so that it goes along with what follows it.
_mark_number = func.nextval(literal_column("'attempt_id_seq'")).label("mark")
_still_ready = Prepared(
    select(
        _m.id,
        optouts.stands().label("opted_out"),
        consents.state().label("consent"),
        reviews.open_of().label("under_review"),
        _mark_number,
    )
    .where(
        _m.id == bindparam("message_id"),
        _m.status == word(Status.QUEUED),
        # What was joined to it a moment ago changes its text, and for how long it may leave.
        _m.repeats == bindparam("asked_again", type_=Integer),
        ~IN_FLIGHT,
    )
    .with_for_update(skip_locked=True, of=message)
)
_is_begun = select(_m.id).where(_m.id == bindparam("message_id"), _m.status == word(Status.SENDING))
_still_begun = Prepared(_is_begun.with_for_update(skip_locked=True))
_still_free = Prepared(_is_begun.where(_m.modem.is_(None)).with_for_update(skip_locked=True))
_waiting_copy = Prepared(
    select(_m.id)
    .where(_m.status == word(Status.SENDING), _m.modem.is_(None), _m.due_us <= bindparam("now_us"))
    .limit(ONE)
)
_begin = Prepared(
    update(message)
    .where(_m.id == bindparam("message_id"))
    .values(
        status=word(Status.SENDING),
        modem=bindparam("name"),
        node=bindparam("host"),
        simulated=bindparam("is_simulated"),
        parts=func.coalesce(bindparam("count", type_=Integer), _m.parts),
        # Of a further copy it is still the first that counts.
        begun_us=func.coalesce(_m.begun_us, bindparam("now_us", type_=BigInteger)),
        retry_us=null(),
    )
)
_add_part = Prepared(
    insert(part).values(
        message_id=bindparam("message_id"),
        sequence=bindparam("number"),
        state=bindparam("word"),
        octets=bindparam("tpdu"),
        copies=bindparam("marks"),
    )
)
_next_part = Prepared(
    select(_p.message_id, _p.sequence, _p.state, _p.octets, _p.copies)
    .where(_p.message_id == bindparam("message_id"), _p.state == word(PartState.PENDING))
    .order_by(_p.sequence)
    .limit(ONE)
)
_set_part = Prepared(
    update(part)
    .where(_p.message_id == bindparam("of_message"), _p.sequence == bindparam("number"))
    .values(state=bindparam("word"), copies=bindparam("count"))
)
_new_mark = insert(attempt).values(
    message_id=bindparam("of_message"),
    sequence=bindparam("number"),
    node=bindparam("host"),
    modem=bindparam("name"),
    imei=bindparam("equipment"),
    iccid=bindparam("sim"),
    journal=bindparam("journal"),
    state=word(PartState.SUBMITTING),
    marked_us=bindparam("now_us"),
)
_mark = Prepared(_new_mark.returning(attempt.c.id))
_mark_as = Prepared(_new_mark.values(id=bindparam("mark")))
_states = Prepared(select(_p.state).where(_p.message_id == bindparam("message_id")))


def begun(connection: Connection, modem: ModemFacts, now_us: int) -> Sequence[AnyRow]:
    """Begun messages that have a part for this modem to send now, or for any that suits; best first."""
    return Prepared.together(connection, ask_begun(modem, now_us))[0]


def ask_begun(modem: ModemFacts, now_us: int) -> Question:
    """As `begun`, to be asked together with something else."""
    return _begun, {"modem": modem.name, "node": modem.node, "now_us": now_us}


def copy_waits(connection: Connection, now_us: int) -> bool:
    """Whether a further copy of an uncertain message waits for any modem."""
    return _waiting_copy.scalar(connection, now_us=now_us) is not None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A candidate that nobody else takes now.

    Of a ready one `row` tells anew whether its person has `opted_out` or is `under_review`, what they said of
    `consent`, and the number of its `mark` where that is given out. `answers` are the rows of each further question.
    """

    row: AnyRow
    answers: Sequence[Sequence[AnyRow]] = ()


def claim(connection: Connection, row: AnyRow, *asked: Question) -> Claimed | None:
    """What holds of this candidate (of `lanes.ready`, or of `begun`) now that nobody else takes it; None when it is
    gone. `asked` are further questions about the person of a ready one, answered as of the same moment.

    Where several hosts take from one queue the person is locked first and the message looked at again afterwards, so
    that what other hosts committed meanwhile is seen: that it went elsewhere, that another is on its way to the same
    person, that it was cancelled. Nobody waits: what another host decides about just now is left to it.
    """
    if not is_shared(connection):
        return Claimed(row, Prepared.together(connection, *asked) if asked else ())
    if row.status == Status.SENDING:
        still = _still_free if row.modem is None else _still_begun
        found = still.first(connection, message_id=row.id)
        return None if found is None else Claimed(found)
    # In one trip; each statement sees what was committed before the first had the lock.
    ready = _still_ready, {"message_id": row.id, "asked_again": row.repeats}
    locked, again, *answers = Prepared.together(connection, recipients.ask_try_lock(row.recipient_id), ready, *asked)
    return Claimed(again[0], answers) if locked and again else None


def begin(
    connection: Connection, message_id: str, modem: ModemFacts, now_us: int, octets: Sequence[bytes] | None = None
) -> None:
    """The message leaves through this modem; `octets` are its parts, fixed now unless they already were.

    The first of them is written as one that is marked: `mark` it in the same transaction.
    """
    marked = next_state(PartState.PENDING, PartEvent.MARK)
    for sequence, tpdu in enumerate(octets or (), 1):
        state, marks = (marked, 1) if sequence == 1 else (PartState.PENDING, 0)
        _add_part.write(connection, message_id=message_id, number=sequence, word=state.value, tpdu=tpdu, marks=marks)
    _begin.write(
        connection,
        message_id=message_id,
        name=modem.name,
        host=modem.node,
        is_simulated=modem.simulated,
        count=len(octets) if octets else None,
        now_us=now_us,
    )
    events.record_status(connection, now_us, message_id, Status.SENDING, f"through {modem.name}")


def next_part(connection: Connection, message_id: str) -> AnyRow | None:
    """The first part that is still to be sent."""
    return _next_part.first(connection, message_id=message_id)


def mark_part(connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int) -> int:
    """`mark` a part that waits (a row of `part`): it becomes a marked one."""
    state = next_state(PartState(row.state), PartEvent.MARK)
    set_part(connection, row.message_id, row.sequence, state, row.copies + 1)
    return mark(connection, row.message_id, row.sequence, modem, now_us)


def mark(
    connection: Connection, message_id: str, sequence: int, modem: ModemFacts, now_us: int, *, number: int | None = None
) -> int:
    """The durable mark of one part: from the flush on it may have left. Returns the attempt's id.

    `number` is that id where it was given out before.
    """
    values: dict[str, Any] = {
        "of_message": message_id,
        "number": sequence,
        "host": modem.node,
        "name": modem.name,
        "equipment": modem.imei,
        "sim": modem.iccid,
        "journal": modem.journal,
        "now_us": now_us,
    }
    if number is None:
        return _mark.scalar(connection, **values)
    _mark_as.write(connection, mark=number, **values)
    return number


def set_part(connection: Connection, message_id: str, sequence: int, state: PartState, copies: int) -> None:
    """Write a part's state, which the table of transitions gave, and how many copies of it may have left."""
    _set_part.write(connection, of_message=message_id, number=sequence, word=state.value, count=copies)


def part_states(connection: Connection, message_id: str) -> list[PartState]:
    """The states of all parts of one message."""
    return [PartState(row.state) for row in _states.rows(connection, message_id=message_id)]
