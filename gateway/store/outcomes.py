"""What became of a mark: the outcome of a submit, and evidence that came later.

The message's status word is computed from its parts here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, select, update

from gateway.message import (
    FINAL,
    MAY_HAVE_LEFT,
    PART_TRANSITIONS,
    PartEvent,
    PartState,
    Status,
    evidence_of,
    next_state,
    status_of,
)
from gateway.store import events, pauses, queue, signals, storms
from gateway.store.messages import ending
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, attempt, message, part, report
from gateway.store.signals import Topic

_m = message.c
_a = attempt.c
#: A report cannot be older than the submit it speaks of; this much is allowed for clocks that moved.
EARLY_REPORT_US = 600_000_000
_BY_HAND = "resolved"
_LATE = "message.answered_late"
_LATE_WORDS = {
    PartEvent.ACCEPTED: "the network had taken the part",
    PartEvent.REFUSED: "the part had been refused",
    PartEvent.RELEASED: "the part had not left",
}
_ONE_MORE = "one more copy, since the outcome is uncertain"

_close = Prepared(
    update(attempt)
    .where(_a.id == bindparam("attempt_id"))
    .values(state=bindparam("word"), settled_us=bindparam("now_us"), cause=bindparam("why"), tp_mr=bindparam("mr"))
)
# A mark that was given up already, with what its modem said of it after all.
_correct = Prepared(
    update(attempt)
    .where(_a.id == bindparam("attempt_id"), _a.state == word(PartState.UNCERTAIN))
    .values(state=bindparam("word"), cause=bindparam("why"), tp_mr=bindparam("mr"))
    .returning(_a.message_id, _a.sequence, _a.node, _a.modem)
)
# Every part of a message, each with what must be known of the message itself.
_parts = select(
    part.c.sequence,
    part.c.state,
    part.c.copies,
    _m.id,
    _m.category,
    _m.status,
    _m.attempts,
    _m.due_us,
    _m.sent_us,
    _m.delivered_us,
    _m.retry_us,
    _m.resend_us,
    _m.error_code,
    _m.error_message,
    _m.modem,
    _m.begun_us,
)
# A report may be heard by another host at this moment: one after the other, each upon what the other wrote.
_whole = Prepared(
    _parts.join(message, _m.id == part.c.message_id)
    .where(part.c.message_id == bindparam("message_id"))
    .order_by(part.c.sequence)
    .with_for_update()
)
# The same of the message that an open attempt is at, and whether a report was quicker than its answer.
_open = Prepared(
    _parts.add_columns(
        _a.sequence.label("marked"),
        exists()
        .where(
            report.c.attempt_id.is_(None),
            report.c.modem == bindparam("told_by"),
            report.c.tp_mr == bindparam("mr"),
            report.c.received_us >= bindparam("since_us"),
        )
        .label("reported"),
    )
    .select_from(attempt)
    .join(part, part.c.message_id == _a.message_id)
    .join(message, _m.id == _a.message_id)
    .where(_a.id == bindparam("attempt_id"), _a.state == word(PartState.SUBMITTING))
    .order_by(part.c.sequence)
    .with_for_update(of=(attempt, part, message))
)
_COLUMNS = (
    "status", "modem", "node", "attempts", "due_us", "sent_us", "delivered_us", "retry_us", "resend_us", "error_code",
    "error_message", "begun_us",
)  # fmt: skip
_told = Prepared(
    update(attempt)
    .where(_a.id == bindparam("attempt_id"))
    .values(state=bindparam("word"), tp_mr=bindparam("mr"), tp_st=bindparam("st"), reported_us=bindparam("now_us"))
)
_confirmed = Prepared(
    update(attempt).where(_a.id == bindparam("attempt_id")).values(state=word(PartState.SENT), tp_mr=bindparam("mr"))
)
# What became of the other copies of a part.
_siblings = Prepared(
    select(_a.state).where(
        _a.message_id == bindparam("message_id"), _a.sequence == bindparam("number"), _a.id != bindparam("attempt_id")
    )
)
# Equals no value: a column that was not read is written.
_NEW = object()
_REPORTED = {PartEvent.REPORT_DELIVERED: PartState.DELIVERED, PartEvent.REPORT_UNDELIVERED: PartState.UNDELIVERED}


def _update_of(columns: Sequence[str]) -> Prepared:
    values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
    return Prepared(update(message).where(_m.id == bindparam("message_id")).values(**values))


# By what changes when a part moves.
_UPDATES: dict[tuple[str, ...], Prepared] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the sender learnt of one attempt.

    `event` is ACCEPTED, REFUSED, RELEASED or OUTCOME_LOST; `code` and `sentence` say why it was not accepted;
    `next_try_us` when a released part is tried again; `counts` whether a released one used up a try.
    """

    attempt_id: int
    event: PartEvent
    tp_mr: int | None = None
    code: str | None = None
    sentence: str | None = None
    next_try_us: int | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What is known after an outcome: what the other copies of the part are that left, or may have (none as a rule),
    and whether a report with its reference waits, which came before the answer did."""

    others: frozenset[PartState]
    reported: bool


def settle(connection: Connection, outcome: Outcome, modem: str, now_us: int) -> Settled | None:
    """Write the outcome of an open attempt that `modem` made; None, and nothing written, when it is settled already."""
    # A marked part can only go where its mark can: the table says it once, for the attempt and for the part.
    state = next_state(PartState.SUBMITTING, outcome.event)
    attempt_id = outcome.attempt_id
    since_us = now_us - EARLY_REPORT_US
    rows = _open.rows(connection, attempt_id=attempt_id, told_by=modem, mr=outcome.tp_mr, since_us=since_us)
    if not rows:
        return None
    message_id, sequence = rows[0].id, rows[0].marked
    settled = Settled(_other_copies(connection, rows, sequence, attempt_id), bool(rows[0].reported))
    others = settled.others
    _close.write(connection, attempt_id=attempt_id, word=state.value, now_us=now_us, why=outcome.code, mr=outcome.tp_mr)
    uncounted = outcome.event is PartEvent.RELEASED and not outcome.counts
    known = evidence_of(outcome.event, others)
    if outcome.event is PartEvent.REFUSED and others:
        # What the network said of this copy does not take the other one back.
        outcome = replace(outcome, event=PartEvent.OUTCOME_LOST)
    _move(connection, rows, sequence, outcome, now_us, spent=-1 if uncounted else 0, left=bool(others))
    if known is not None:
        rows = _whole.rows(connection, message_id=message_id)
        _move(connection, rows, sequence, replace(outcome, event=known), now_us)
    return settled


def late(connection: Connection, outcome: Outcome, now_us: int) -> bool:
    """The modem's answer to an attempt that had been given up as uncertain; False when it says nothing new.

    It is evidence like a report. It closes an uncertain part and takes away a further copy that was not marked yet, and
    it is never the reason for a second copy: what an operator settled, or a further copy decides, stays as it is, and
    the answer is written down with its attempt. A proof that nothing left lets the part wait again, as it would have.
    """
    if outcome.event is PartEvent.OUTCOME_LOST:
        return False
    state = next_state(PartState.UNCERTAIN, outcome.event)
    row = _correct.first(
        connection, attempt_id=outcome.attempt_id, word=state.value, why=outcome.code, mr=outcome.tp_mr
    )
    if row is None:
        return False
    events.record(connection, now_us, _LATE, message_id=row.message_id, detail=_LATE_WORDS[outcome.event])
    rows = _whole.rows(connection, message_id=row.message_id)
    part_state = next(PartState(each.state) for each in rows if each.sequence == row.sequence)
    if outcome.event is not PartEvent.ACCEPTED and (
        part_state is not PartState.UNCERTAIN or _other_copies(connection, rows, row.sequence, outcome.attempt_id)
    ):
        # What became of this copy does not take another one back, be it under way or spent.
        return True
    if (part_state, outcome.event) in PART_TRANSITIONS and part_state is not PartState.SUBMITTING:
        uncounted = outcome.event is PartEvent.RELEASED and not outcome.counts
        _move(connection, rows, row.sequence, outcome, now_us, spent=-1 if uncounted else 0)
        if rows[0].modem is None and outcome.event is PartEvent.ACCEPTED:
            _write(connection, row.message_id, {"modem": row.modem, "node": row.node})
    return True


def _other_copies(
    connection: Connection, rows: Sequence[AnyRow], sequence: int, attempt_id: int
) -> frozenset[PartState]:
    """The states of the other copies of a part that left, or may have."""
    if all(row.copies <= 1 for row in rows if row.sequence == sequence):
        return frozenset()
    found = _siblings.rows(connection, message_id=rows[0].id, number=sequence, attempt_id=attempt_id)
    return frozenset(PartState(row.state) for row in found) & MAY_HAVE_LEFT


def _move(
    connection: Connection,
    rows: Sequence[AnyRow],
    sequence: int,
    outcome: Outcome,
    now_us: int,
    *,
    spent: int = 0,
    left: bool = False,
) -> None:
    """Let one part of a message (rows of `_whole`) take an event, and compute the message anew.

    `left` says that another copy of this part may have left.
    """
    states = {row.sequence: PartState(row.state) for row in rows}
    copies = {row.sequence: row.copies for row in rows}
    states[sequence] = next_state(states[sequence], outcome.event)
    copies[sequence] += spent
    before = rows[0]
    queue.set_part(connection, before.id, sequence, states[sequence], copies[sequence])
    values: dict[str, Any] = {"attempts": max(copies.values())}
    if outcome.event is PartEvent.RELEASED:
        values |= {"retry_us": outcome.next_try_us, "due_us": outcome.next_try_us or before.due_us}
    if set(states.values()) == {PartState.PENDING} and outcome.event is PartEvent.RELEASED:
        # For any modem again. If nothing of it ever left it waits, and can still be cancelled.
        values |= {"status": Status.SENDING if left else Status.QUEUED, "modem": None, "node": None, "resend_us": None}
        signals.send(connection, Topic.WORK)
    else:
        values |= _begun_columns(status_of(states.values()), before, now_us, outcome)
    values["begun_us"] = _begun_us(states.values(), before, now_us, left=left)
    _write(
        connection, before.id, {name: value for name, value in values.items() if value != getattr(before, name, _NEW)}
    )
    if values["status"] != before.status:
        status = values["status"]
        if status is Status.QUEUED:
            status = pauses.standing(connection).shown(status, before.category)
        facts = events.error_facts(values.get("error_code"))
        events.record_status(connection, now_us, before.id, status, outcome.sentence, facts=facts)
        if status is Status.FAILED and storms.let_go(connection, before.id, now_us):
            signals.send(connection, Topic.WORK)


def _begun_us(states: Collection[PartState], before: AnyRow, now_us: int, *, left: bool) -> int | None:
    """When caps count the message: not at all while nothing of it is, or may be, out."""
    if left or MAY_HAVE_LEFT & set(states):
        return before.begun_us or now_us
    return before.begun_us if PartState.SUBMITTING in states else None


def _begun_columns(status: Status, before: AnyRow, now_us: int, outcome: Outcome) -> dict[str, Any]:
    columns: dict[str, Any] = {"status": status, "resend_us": None}
    if status in {Status.FAILED, Status.UNCERTAIN, Status.UNDELIVERED}:
        # What another part said first stays, while the word is the same.
        kept = before.status == status and outcome.event in {PartEvent.ACCEPTED, PartEvent.REPORT_DELIVERED}
        columns["error_code"] = before.error_code if kept else outcome.code
        columns["error_message"] = before.error_message if kept else outcome.sentence
    else:
        columns |= {"error_code": None, "error_message": None}
    if status in FINAL:
        columns["retry_us"] = None
    if status in {Status.SENT, Status.DELIVERED, Status.UNDELIVERED} and before.sent_us is None:
        columns["sent_us"] = now_us
    if status is Status.DELIVERED and before.delivered_us is None:
        columns["delivered_us"] = now_us
    return columns


def _write(connection: Connection, message_id: str, values: dict[str, Any]) -> None:
    """Update the columns that `values` names, if any."""
    if not values:
        return
    columns = tuple(column for column in _COLUMNS if column in values)
    assert len(columns) == len(values), "every column that an outcome writes is listed"
    statement = _UPDATES.get(columns)
    if statement is None:
        statement = _UPDATES[columns] = _update_of(columns)
    statement.write(connection, message_id=message_id, **{f"new_{column}": values[column] for column in columns})


def plan_resend(connection: Connection, message_id: str, at_us: int) -> None:
    """Let policy `resend` spend its one more copy at `at_us`, if none was spent."""
    # Copies that the network refused are known not to be out; only doubtful ones count.
    doubtful = select(func.count().label("copies")).where(
        _a.message_id == message_id, _a.state == word(PartState.UNCERTAIN)
    )
    most = connection.execute(select(func.max(doubtful.group_by(_a.sequence).subquery().c.copies))).scalar()
    if most == 1:
        row = update(message).where(_m.id == message_id, _m.status == Status.UNCERTAIN)
        connection.execute(row.values(resend_us=at_us))


def settle_by_hand(connection: Connection, message_id: str, event: PartEvent, now_us: int, sentence: str) -> None:
    """An operator says what became of the uncertain parts of a message: ACCEPTED or REFUSED."""
    for row in _whole.rows(connection, message_id=message_id):
        if row.state == PartState.UNCERTAIN:
            rows = _whole.rows(connection, message_id=message_id)
            _move(connection, rows, row.sequence, Outcome(0, event, code=_BY_HAND, sentence=sentence), now_us)


def resend(connection: Connection, message_id: str, now_us: int, sentence: str = _ONE_MORE) -> None:
    """Let the uncertain parts of a message be sent once more.

    The message is `sending` again and not `queued`: a copy may have left, so it can no longer be cancelled. Nothing of
    it is known to have left through a certain SIM unless another part was sent; then it stays with that modem, since
    a handset joins only parts of one sender.
    """
    rows = _whole.rows(connection, message_id=message_id)
    doubtful = [row for row in rows if row.state == PartState.UNCERTAIN]
    if not doubtful:
        # What a report, or somebody at another host, has said meanwhile.
        return
    for row in doubtful:
        queue.set_part(
            connection, message_id, row.sequence, next_state(PartState.UNCERTAIN, PartEvent.RESEND), row.copies
        )
    free = all(row.state in {PartState.UNCERTAIN, PartState.PENDING} for row in rows)
    values = ending(Status.SENDING, None, None) | {"due_us": now_us} | ({"modem": None, "node": None} if free else {})
    connection.execute(update(message).where(_m.id == message_id).values(**values))
    events.record_status(connection, now_us, message_id, Status.SENDING, sentence)


def by_report(
    connection: Connection, row: AnyRow, now_us: int, *, tp_mr: int, tp_st: int, event: PartEvent, sentence: str
) -> None:
    """A status report says what became of an attempt (a row of `attempt`): `event` is what its part takes.

    ACCEPTED stands for a report that is not final: the service centre has the message. While a further copy is on its
    way the report is written down alone; the outcome of that copy looks for it.
    """
    state = _REPORTED.get(event)
    if state is None:
        _confirmed.write(connection, attempt_id=row.id, mr=tp_mr)
    else:
        _told.write(connection, attempt_id=row.id, word=state.value, mr=tp_mr, st=tp_st, now_us=now_us)
    outcome = Outcome(row.id, event, code=f"tp_st_{tp_st:02x}", sentence=sentence)
    rows = _whole.rows(connection, message_id=row.message_id)
    states = {each.sequence: PartState(each.state) for each in rows}
    # A failed message is not taken up again: what has not left of it stays, whatever became of the rest.
    torso = states[row.sequence] is PartState.FAILED and PartState.PENDING in states.values()
    if (states[row.sequence], event) in PART_TRANSITIONS and not torso:
        _move(connection, rows, row.sequence, outcome, now_us)
        if rows[0].modem is None:
            _write(connection, row.message_id, {"modem": row.modem, "node": row.node})


def uncertain_copies(connection: Connection, attempt_id: int) -> Sequence[int]:
    """The other attempts at the same part of which nobody knows what became."""
    this = select(_a.message_id, _a.sequence).where(_a.id == attempt_id).subquery()
    query = select(_a.id).join(this, and_(_a.message_id == this.c.message_id, _a.sequence == this.c.sequence))
    return connection.execute(query.where(_a.state == PartState.UNCERTAIN, _a.id != attempt_id)).scalars().all()
