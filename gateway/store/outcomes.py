"""What became of a mark: the outcome of a submit, evidence that came later, and what a crash left open.

The message's status word is computed from its parts here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from gateway.message import FINAL, PartEvent, PartState, Status, next_state, status_of
from gateway.store import events, queue
from gateway.store.messages import ending
from gateway.store.schema import AnyRow, attempt, message, part

_m = message.c
_a = attempt.c


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


def settle(connection: Connection, outcome: Outcome, now_us: int) -> None:
    """Write the outcome of an open attempt. Twice the same is harmless: only an open one is settled."""
    row = connection.execute(select(attempt).where(_a.id == outcome.attempt_id)).one()
    if row.state != PartState.SUBMITTING:
        return
    current = queue.part_of(connection, row.message_id, row.sequence)
    state = next_state(PartState(current.state), outcome.event)
    uncounted = outcome.event is PartEvent.RELEASED and not outcome.counts
    queue.set_part(connection, row.message_id, row.sequence, state, current.copies - 1 if uncounted else current.copies)
    closed = update(attempt).where(_a.id == row.id)
    connection.execute(closed.values(state=state, settled_us=now_us, cause=outcome.code, tp_mr=outcome.tp_mr))
    _refresh(connection, row.message_id, now_us, outcome)


def _refresh(connection: Connection, message_id: str, now_us: int, outcome: Outcome) -> None:
    """Compute the message anew after one of its parts moved."""
    before = connection.execute(select(message).where(_m.id == message_id)).one()
    parts = connection.execute(select(part.c.state, part.c.copies).where(part.c.message_id == message_id)).all()
    states = [PartState(each.state) for each in parts]
    values: dict[str, Any] = {"attempts": max(each.copies for each in parts)}
    if outcome.event is PartEvent.RELEASED:
        values |= {"retry_us": outcome.next_try_us, "due_us": outcome.next_try_us or before.due_us}
    if set(states) == {PartState.PENDING} and outcome.event is PartEvent.RELEASED:
        # Nothing of it ever left: it waits again, for any modem, and can still be cancelled.
        values |= {"status": Status.QUEUED, "modem": None, "node": None}
    else:
        values |= _begun_columns(status_of(states), before, now_us, outcome)
    connection.execute(update(message).where(_m.id == message_id).values(**values))
    if values["status"] != before.status:
        events.record_status(connection, now_us, message_id, values["status"], outcome.sentence)


def _begun_columns(status: Status, before: AnyRow, now_us: int, outcome: Outcome) -> dict[str, Any]:
    columns: dict[str, Any] = {"status": status, "resend_us": None}
    bad = status in {Status.FAILED, Status.UNCERTAIN, Status.UNDELIVERED}
    if status in FINAL:
        columns = ending(status, outcome.code if bad else None, outcome.sentence if bad else None)
    if status in {Status.SENT, Status.DELIVERED, Status.UNDELIVERED} and before.sent_us is None:
        columns["sent_us"] = now_us
    if status is Status.DELIVERED and before.delivered_us is None:
        columns["delivered_us"] = now_us
    return columns


def plan_resend(connection: Connection, message_id: str, at_us: int) -> None:
    """Let policy `resend` spend its one more copy at `at_us`, if none was spent."""
    spent = connection.execute(
        select(func.max(part.c.copies)).where(part.c.message_id == message_id, part.c.state == PartState.UNCERTAIN)
    ).scalar()
    if spent == 1:
        row = update(message).where(_m.id == message_id, _m.status == Status.UNCERTAIN)
        connection.execute(row.values(resend_us=at_us))


def resend(connection: Connection, message_id: str, now_us: int) -> None:
    """Let the uncertain parts of a message be sent once more.

    The message is `sending` again and not `queued`: a copy may have left, so it can no longer be cancelled. Nothing of
    it is known to have left through a certain SIM unless another part was sent; then it stays with that modem, since
    a handset joins only parts of one sender.
    """
    rows = connection.execute(select(part).where(part.c.message_id == message_id)).all()
    for row in rows:
        if row.state == PartState.UNCERTAIN:
            state = next_state(PartState(row.state), PartEvent.RESEND)
            queue.set_part(connection, message_id, row.sequence, state)
    free = all(row.state in {PartState.UNCERTAIN, PartState.PENDING} for row in rows)
    values = ending(Status.SENDING, None, None) | {"due_us": now_us} | ({"modem": None, "node": None} if free else {})
    connection.execute(update(message).where(_m.id == message_id).values(**values))
    events.record_status(
        connection, now_us, message_id, Status.SENDING, "one more copy, since the outcome is uncertain"
    )


def by_report(connection: Connection, row: AnyRow, now_us: int, *, tp_st: int, event: PartEvent, sentence: str) -> None:
    """A status report says what became of an attempt (a row of `attempt`)."""
    current = queue.part_of(connection, row.message_id, row.sequence)
    state = next_state(PartState(current.state), event)
    queue.set_part(connection, row.message_id, row.sequence, state)
    told = update(attempt).where(_a.id == row.id)
    connection.execute(told.values(state=state, tp_st=tp_st, reported_us=now_us))
    outcome = Outcome(row.id, event, code=f"tp_st_{tp_st:02x}", sentence=sentence)
    _refresh(connection, row.message_id, now_us, outcome)


def message_of(connection: Connection, attempt_id: int) -> AnyRow:
    """The message an attempt belongs to."""
    query = select(message).join(attempt, _a.message_id == _m.id).where(_a.id == attempt_id)
    return connection.execute(query).one()


def open_attempts(connection: Connection, node: str) -> list[int]:
    """Marks of this node that have no result: what a crash left."""
    query = select(_a.id).where(_a.state == PartState.SUBMITTING, _a.node == node)
    return list(connection.execute(query.order_by(_a.id)).scalars())
