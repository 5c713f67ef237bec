"""What becomes due by itself: held messages, expiry, retries, further copies of uncertain ones. In batches."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Integer, and_, bindparam, func, literal_column, select, update

from gateway.message import PAUSED, WAITING, PartEvent, PartState, Pause, Rule, Status, next_state
from gateway.store import events, idempotency, messages, pauses, queue
from gateway.store.prepared import Prepared, word, words
from gateway.store.schema import AnyRow, attempt, message, part

_m = message.c
#: Bounds how long one transaction keeps others waiting.
BATCH = 500


# Words in the text, not bound: with values bound to IN, SQLite passes over the partial index and reads every message.
_ENDS = tuple(
    Prepared(query)
    for query in (
        select(func.min(_m.expires_us)).where(_m.status.in_(words(WAITING))),
        select(func.min(_m.expires_us)).where(_m.status == word(Status.SENDING)),
    )
)
_NEXT = tuple(
    Prepared(query)
    for query in (
        select(func.min(_m.due_us)).where(_m.status == word(Status.HELD)),
        select(func.min(_m.retry_us)).where(_m.retry_us.is_not(None)),
        select(func.min(_m.resend_us)).where(_m.status == word(Status.UNCERTAIN), _m.resend_us.is_not(None)),
    )
)


def next_due_us(connection: Connection, *, ends: bool = True) -> int | None:
    """The next instant at which something becomes due by itself; without `ends` what expires or is forgotten is left
    out."""
    instants = [query.scalar(connection) for query in _NEXT]
    if ends:
        instants += [query.scalar(connection) for query in _ENDS]
        instants.append(idempotency.next_forget_us(connection))
    return min((instant for instant in instants if instant is not None), default=None)


def expire(connection: Connection, now_us: int) -> int:
    """End what waits and is too late; returns how many."""
    late = select(_m.id).where(_m.status.in_(words(WAITING)), _m.expires_us <= now_us)
    ids = connection.execute(late.order_by(_m.expires_us).limit(BATCH)).scalars().all()
    sentence = "its time to be sent passed before it could leave"
    return sum(
        messages.end_waiting(connection, each, Status.EXPIRED, now_us, code=Rule.EXPIRED, sentence=sentence)
        for each in ids
    )


def release_held(connection: Connection, now_us: int) -> int:
    """Queue what was held and is due; returns how many."""
    query = select(_m.id, _m.category).where(_m.status == Status.HELD, _m.due_us <= now_us)
    rows = connection.execute(query.order_by(_m.due_us).limit(BATCH)).all()
    pause = pauses.standing(connection)
    return sum(_release(connection, row, pause, now_us) for row in rows)


def _release(
    connection: Connection, row: AnyRow, pause: Pause, now_us: int, detail: str | None = None, **values: int
) -> bool:
    """Queue a held one; `row` has its id and category. False if somebody at another host took it back a moment ago."""
    free = {"status": Status.QUEUED, "hold_rule": None, "hold_until_us": None, "hold_detail": None}
    held = update(message).where(_m.id == row.id, _m.status == Status.HELD)
    if not connection.execute(held.values(**free, **values)).rowcount:
        return False
    status = pause.shown(Status.QUEUED, row.category)
    events.record_status(connection, now_us, row.id, status, PAUSED.detail if status is Status.HELD else detail)
    return True


# Those that wait for the last allowed minute before the time that they were asked for. With the words of its index.
_waits_early = and_(
    _m.status == word(Status.HELD),
    _m.shift == word("earlier"),
    _m.led_us.is_(None),
    _m.due_us < _m.send_us,
    _m.hold_rule.in_(words((Rule.QUIET_HOURS, Rule.WINDOW, Rule.HOLIDAY, Rule.COUNTRY_PROFILE))),
)
_first_early = (
    select(_m.due_us, _m.parts)
    .where(_waits_early)
    .order_by(_m.due_us)
    .limit(bindparam("most", type_=Integer))
    .subquery()
)
_early = Prepared(
    select(_first_early.c.due_us, func.sum(_first_early.c.parts).label("parts"))
    .group_by(_first_early.c.due_us)
    .order_by(_first_early.c.due_us)
)


def waiting_early(connection: Connection, most: int) -> list[tuple[int, int]]:
    """Until when so many parts wait that are to leave earlier rather than later, in the order of time; of the first
    `most` messages."""
    return [(row.due_us, int(row.parts)) for row in _early.rows(connection, most=most)]


def release_early(connection: Connection, until_us: int, now_us: int) -> int:
    """Queue those of `waiting_early` that wait until then or less long, before their time; returns how many."""
    query = select(_m.id, _m.category).where(_waits_early, _m.due_us <= until_us)
    rows = connection.execute(query.order_by(_m.due_us, _m.id).limit(BATCH)).all()
    pause, sentence = pauses.standing(connection), "many wait for the same minute, so it leaves before that"
    # What has to leave first stands first.
    return sum(
        _release(connection, row, pause, now_us, sentence, due_us=now_us - behind, led_us=now_us)
        for behind, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True)
    )


def release_retries(connection: Connection, now_us: int) -> int:
    """Forget the retry instants that have come; returns how many messages may be tried again."""
    come = select(_m.id).where(_m.retry_us.is_not(None), _m.retry_us <= now_us).order_by(_m.retry_us).limit(BATCH)
    return connection.execute(update(message).where(_m.id.in_(come)).values(retry_us=None)).rowcount


def due_resends(connection: Connection, now_us: int) -> Sequence[AnyRow]:
    """Uncertain messages whose further copy is due: id, recipient_id, category, stoppable, expires_us."""
    columns = select(_m.id, _m.recipient_id, _m.category, _m.stoppable, _m.expires_us)
    query = columns.where(_m.status == Status.UNCERTAIN, _m.resend_us.is_not(None), _m.resend_us <= now_us)
    return connection.execute(query.order_by(_m.resend_us).limit(BATCH)).all()


def drop_resend(connection: Connection, message_id: str) -> None:
    """No further copy of this one: it stays uncertain."""
    connection.execute(update(message).where(_m.id == message_id).values(resend_us=None))


def fail_torsos(connection: Connection, now_us: int) -> int:
    """End begun messages whose remaining parts can no longer leave in time; returns how many.

    Their modem went away and did not come back. Parts through another SIM would not be joined by the handset.
    """
    query = select(_m.id).where(_m.status == Status.SENDING, _m.expires_us <= now_us).limit(BATCH)
    ids = connection.execute(query).scalars().all()
    return sum(_fail_torso(connection, each, now_us) for each in ids)


def _fail_torso(connection: Connection, message_id: str, now_us: int) -> bool:
    # Not while a host marks a part of it, or writes what became of one.
    mine = select(_m.id).where(_m.id == message_id, _m.status == Status.SENDING).with_for_update(skip_locked=True)
    if connection.execute(mine).first() is None:
        return False
    states = queue.part_states(connection, message_id)
    if PartState.SUBMITTING in states or PartState.PENDING not in states:
        return False
    # Only of parts that wait: what an operator settled is no doubt any more.
    waits = attempt.c.sequence.in_(
        select(part.c.sequence).where(part.c.message_id == message_id, part.c.state == PartState.PENDING)
    )
    lost = select(attempt.c.id).where(attempt.c.message_id == message_id, attempt.c.state == PartState.UNCERTAIN, waits)
    uncertain = connection.execute(lost.limit(1)).first() is not None
    # A further copy that did not leave changes nothing about the first, which may have.
    event, status = (PartEvent.OUTCOME_LOST, Status.UNCERTAIN) if uncertain else (PartEvent.REFUSED, Status.FAILED)
    sentence = "not all of its parts left before its time had passed"
    values = messages.ending(status, Rule.EXPIRED, sentence)
    connection.execute(update(message).where(_m.id == message_id).values(**values))
    state = next_state(next_state(PartState.PENDING, PartEvent.MARK), event)
    pending = update(part).where(part.c.message_id == message_id, part.c.state == PartState.PENDING)
    connection.execute(pending.values(state=state))
    events.record_status(connection, now_us, message_id, status, sentence, facts=events.error_facts(Rule.EXPIRED))
    return True


_place = Prepared(
    select(attempt.c.id, attempt.c.marked_us)
    .where(attempt.c.id >= bindparam("least"))
    .order_by(attempt.c.id)
    .limit(literal_column("1", Integer))
)
_ends = Prepared(select(func.min(attempt.c.id).label("first"), func.max(attempt.c.id).label("last")))


def sent_since(connection: Connection, since_us: int) -> dict[tuple[str, str], int]:
    """Parts that each modem, by node and name, handed to the network since an instant."""
    taken = (PartState.SENT, PartState.DELIVERED, PartState.UNDELIVERED)
    query = select(attempt.c.node, attempt.c.modem, func.count().label("parts")).where(
        attempt.c.id >= _first_since(connection, since_us), attempt.c.marked_us >= since_us, attempt.c.state.in_(taken)
    )
    rows = connection.execute(query.group_by(attempt.c.node, attempt.c.modem))
    return {(row.node, row.modem): row.parts for row in rows}


def _first_since(connection: Connection, since_us: int) -> int:
    """The first mark since an instant. Marks are numbered in the order of time, so it is found by halving.

    An index for it would cost a page for each part that is sent, and this is asked for by people.
    """
    ends = _ends.first(connection)
    if ends is None or ends.first is None:
        return 0
    first, behind = ends.first, ends.last + 1
    while first < behind:
        middle = (first + behind) // 2
        found = _place.first(connection, least=middle)
        if found is not None and found.marked_us < since_us:
            first = found.id + 1
        else:
            behind = middle
    return first
