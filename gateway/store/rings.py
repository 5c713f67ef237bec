"""The tables of rings and of their steps; those of their people are in `ring_members`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, String, bindparam, delete, func, or_, select, update

from gateway.ring import RingStatus
from gateway.store.engines import insert
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, event, inbox, message, ring, ring_member, ring_step

_r, _s, _w, _m, _i = ring.c, ring_step.c, ring_member.c, message.c, inbox.c

_add = Prepared(insert(ring).values({column.name: bindparam(column.name) for column in _r}))
_add_step = Prepared(
    insert(ring_step).values(ring_id=bindparam("of_ring"), step=bindparam("at"), due_us=bindparam("due"))
)
_get = Prepared(select(ring).where(_r.id == bindparam("of_ring")))
_lock = Prepared(select(_r.status).where(_r.id == bindparam("of_ring")).with_for_update())
_same = Prepared(
    select(_r.id, _r.created_us, _r.text)
    .where(_r.token_id.is_not_distinct_from(bindparam("holder", type_=BigInteger)), _r.id >= bindparam("first"))
    .order_by(_r.id.desc())
    .limit(bindparam("most", type_=Integer))
)


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new ring; every column that has no default."""
    _add.write(connection, **{column.name: row.get(column.name) for column in _r})


def add_steps(connection: Connection, ring_id: str, due: Sequence[int]) -> None:
    """When its escalations are due, in their order."""
    _add_step.write_many(connection, [{"of_ring": ring_id, "at": at, "due": each} for at, each in enumerate(due, 1)])


def get(connection: Connection, ring_id: str) -> AnyRow | None:
    """A ring, every column."""
    return _get.first(connection, of_ring=ring_id)


def lock(connection: Connection, ring_id: str) -> RingStatus | None:
    """How it stands; no other host changes that before this transaction ends."""
    status = _lock.scalar(connection, of_ring=ring_id)
    return None if status is None else RingStatus(status)


def lately(connection: Connection, token_id: int | None, first_id: str, most: int) -> Sequence[AnyRow]:
    """Rings of a token from this id on, the latest first: id, created_us, text."""
    return _same.rows(connection, holder=token_id, first=first_id, most=most)


def page(
    connection: Connection, *, token_id: int | None, test: bool, before: str | None, limit: int
) -> Sequence[AnyRow]:
    """Rings, newest first, with `people`: how many members each has; with `test` those of test tokens alone."""
    query: Select[Any] = select(ring).where(_r.status != RingStatus.FILLING)
    if token_id is not None:
        query = query.where(_r.token_id == token_id)
    if test:
        query = query.where(_r.test)
    if before is not None:
        query = query.where(_r.id < before)
    return connection.execute(query.order_by(_r.id.desc()).limit(limit)).all()


_tokens = PreparedList(lambda values: select(_r.id, _r.token_id, _r.test).where(_r.id.in_(values)))


def tokens_of(connection: Connection, ring_ids: Sequence[str]) -> dict[str, AnyRow]:
    """Whose rings these are: id, token_id, test."""
    return {row.id: row for row in _tokens.rows(connection, ring_ids)}


_steps = Prepared(select(ring_step).where(_s.ring_id == bindparam("of_ring")).order_by(_s.step))


def steps(connection: Connection, ring_id: str) -> Sequence[AnyRow]:
    """Its escalations in their order: step, due_us, done_us, outcome."""
    return _steps.rows(connection, of_ring=ring_id)


_due = Prepared(
    select(_r.id, _r.next_us)
    .where(_r.next_us.is_not(None), _r.next_us <= bindparam("now_us"))
    .order_by(_r.next_us)
    .limit(bindparam("most", type_=Integer))
)
_next = Prepared(select(func.min(_r.next_us)).where(_r.next_us.is_not(None)))
_open = Prepared(select(_r.id).where(_r.next_us.is_not(None), _r.status == word(RingStatus.RINGING)).order_by(_r.id))
_claim = Prepared(
    update(ring)
    .where(
        _r.id == bindparam("of_ring"),
        _r.next_us.is_not(None),
        or_(
            _r.claimed_by.is_(None),
            _r.claimed_by == bindparam("host"),
            _r.claimed_until_us <= bindparam("now_us", type_=BigInteger),
        ),
    )
    .values(claimed_by=bindparam("holder", type_=String), claimed_until_us=bindparam("until_us"))
)
_set = {
    name: Prepared(update(ring).where(_r.id == bindparam("of_ring")).values({name: bindparam("value")}))
    for name in ("next_us", "estimated_us")
}
_status = Prepared(
    update(ring)
    .where(_r.id == bindparam("of_ring"), _r.status == bindparam("before"))
    .values(status=bindparam("after"), next_us=bindparam("following"), ended_us=bindparam("ended"))
)
_tell = Prepared(
    update(ring)
    .where(_r.id == bindparam("of_ring"), _r.told_us.is_not_distinct_from(bindparam("before", type_=BigInteger)))
    .values(told=bindparam("words"), told_us=bindparam("now_us"))
)
_settle_step = Prepared(
    update(ring_step)
    .where(
        _s.ring_id == bindparam("of_ring"),
        _s.step == bindparam("at"),
        _s.outcome.is_not_distinct_from(bindparam("before", type_=String)),
    )
    .values(outcome=bindparam("after"), done_us=bindparam("now_us"))
)
_stop_steps = Prepared(
    update(ring_step)
    .where(_s.ring_id == bindparam("of_ring"), _s.done_us.is_(None))
    .values(outcome=bindparam("after"), done_us=bindparam("now_us"))
)

_drop = tuple(
    Prepared(delete(table).where(column == bindparam("of_ring")))
    for table, column in ((ring_member, _w.ring_id), (ring_step, _s.ring_id), (ring, _r.id))
)


def due(connection: Connection, now_us: int, most: int) -> list[str]:
    """Rings that are to be looked at by now."""
    return [row.id for row in _due.rows(connection, now_us=now_us, most=most)]


def next_due_us(connection: Connection) -> int | None:
    """When the next one is to be looked at."""
    return _next.scalar(connection)


def followed(connection: Connection) -> list[str]:
    """Rings of which something may change that is told."""
    return [row.id for row in _open.rows(connection)]


_rung_in = Prepared(
    select(_m.ring_id)
    .select_from(event)
    .join(message, _m.id == event.c.message_id)
    .where(event.c.id > bindparam("last"), _m.ring_id.is_not(None))
    .distinct()
)
_said_in = Prepared(
    select(_w.ring_id)
    .select_from(event)
    .join(inbox, _i.id == event.c.inbox_id)
    .join(ring_member, _w.recipient_id == _i.recipient_id)
    .where(event.c.id > bindparam("last"))
    .distinct()
)
_newest = Prepared(select(func.max(event.c.id)))


def newest_event(connection: Connection) -> int:
    """The id of the last event; 0 before there is any."""
    return _newest.scalar(connection) or 0


def touched(connection: Connection, last: int) -> tuple[set[str], int]:
    """Rings of whose people something was recorded behind the event of this id; and the id of the last event."""
    newest = newest_event(connection)
    rows = [*_rung_in.rows(connection, last=last), *_said_in.rows(connection, last=last)]
    return {row.ring_id for row in rows}, newest


def claim(connection: Connection, ring_id: str, host: str, now_us: int, until_us: int) -> bool:
    """Whether this host looks after it from now on, until then."""
    return _claim.change(connection, of_ring=ring_id, host=host, holder=host, now_us=now_us, until_us=until_us) == 1


def look_at(connection: Connection, ring_id: str, at_us: int | None) -> None:
    """Look at it next at this instant, or never again."""
    _set["next_us"].write(connection, of_ring=ring_id, value=at_us)


def keep_estimate(connection: Connection, ring_id: str, done_us: int | None) -> None:
    """When all would have left, as it was told at once to whoever rang."""
    _set["estimated_us"].write(connection, of_ring=ring_id, value=done_us)


def change_status(
    connection: Connection,
    ring_id: str,
    before: RingStatus,
    after: RingStatus,
    *,
    next_us: int | None = None,
    ended_us: int | None = None,
) -> bool:
    """From one status to another; False where it was not the first any more."""
    changed = _status.change(
        connection, of_ring=ring_id, before=before.value, after=after.value, following=next_us, ended=ended_us
    )
    return changed == 1


def tell(connection: Connection, ring_id: str, words: str, now_us: int, *, before_us: int | None) -> bool:
    """What is told of it from now on; False when another host has told something since `before_us`."""
    return _tell.change(connection, of_ring=ring_id, words=words, now_us=now_us, before=before_us) == 1


def settle_step(
    connection: Connection, ring_id: str, step: int, now_us: int | None, *, before: str | None, after: str
) -> bool:
    """An escalation comes to something; False when it has meanwhile. Without an instant it is not done yet."""
    changed = _settle_step.change(connection, of_ring=ring_id, at=step, before=before, after=after, now_us=now_us)
    return changed == 1


def stop_steps(connection: Connection, ring_id: str, now_us: int, outcome: str) -> int:
    """No further escalation; how many there were."""
    return _stop_steps.change(connection, of_ring=ring_id, after=outcome, now_us=now_us)


def drop(connection: Connection, ring_id: str) -> None:
    """A ring that nobody was promised; no message is of it."""
    for statement in _drop:
        statement.change(connection, of_ring=ring_id)
