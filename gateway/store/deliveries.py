"""What has to be told to whom. A row is there until it was told; of what was told nothing stays.

Of one target and subject only the first that waits has an instant (`due_us`): what comes behind it is not looked at
until that one was told or given up. So looking for what is due costs what is due, and a message's events never overtake
each other. Whoever adds, settles or brings back takes the lock first, or two hosts could each leave the other's row
without an instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, bindparam, case, delete, func, insert, select, update
from sqlalchemy.sql import text

from gateway.requests import DeliveryView
from gateway.store.locks import wait_for_deliveries
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import delivery, event, message

#: Bounds how long one transaction keeps others waiting.
GROUP = 500
_d = delivery.c
_waits = _d.dead_us.is_(None)
# The same of one row that is found by its id. As it stands above, a plan that PostgreSQL makes while the table is empty
# and keeps may walk one of the indexes of all that waits instead.
_still_waits = func.coalesce(_d.dead_us, 0) == 0
_has_no_instant = func.coalesce(_d.due_us, -1) == -1


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An event for a target."""

    target: str
    event_id: int
    subject: str


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be tried."""

    id: int
    event_id: int
    subject: str
    tries: int
    made_us: int
    #: Until when no other host finds it, where several look.
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a try: told where neither `due_us` nor `dead` is given, else when it is tried again, or given up."""

    id: int
    target: str
    subject: str
    due_us: int | None = None
    dead: bool = False
    tries: int = 0
    outcome: str | None = None


# --- adding

_ahead = delivery.alias("ahead")
_first_there = (
    select(_ahead.c.id)
    .where(
        _ahead.c.dead_us.is_(None),
        _ahead.c.target == bindparam("whom", type_=_d.target.type),
        _ahead.c.subject == bindparam("what", type_=_d.subject.type),
    )
    .limit(1)
    .scalar_subquery()
)
_add = Prepared(
    insert(delivery).values(
        target=bindparam("whom", type_=_d.target.type),
        event_id=bindparam("which", type_=BigInteger),
        subject=bindparam("what", type_=_d.subject.type),
        due_us=case((_first_there.is_(None), bindparam("now", type_=BigInteger)), else_=None),
        made_us=bindparam("now", type_=BigInteger),
    )
)
_callbacks = PreparedList(
    lambda values: select(message.c.id, message.c.token_id, message.c.callback).where(
        message.c.id.in_(values), message.c.callback.is_not(None)
    )
)


def add(connection: Connection, new: Sequence[NewDelivery], now_us: int) -> None:
    """Leave them to be told, in this order."""
    wait_for_deliveries(connection)
    _add.change_many(
        connection, [{"whom": each.target, "which": each.event_id, "what": each.subject, "now": now_us} for each in new]
    )


def callbacks_of(connection: Connection, message_ids: Sequence[str]) -> list[Any]:
    """Of these messages those with a callback: id, token_id, callback."""
    return _callbacks.rows(connection, message_ids) if message_ids else []


# --- looking

# Targets that have something to be tried, each found by a step in the index however much it has.
_TARGETS = """
WITH RECURSIVE walked(target, place) AS (
  SELECT min(target), 1 FROM delivery WHERE due_us IS NOT NULL AND target > :behind
  UNION ALL
  SELECT (SELECT min(target) FROM delivery WHERE due_us IS NOT NULL AND target > walked.target), place + 1
  FROM walked WHERE walked.target < :until AND place < :most
)
SELECT target, (SELECT min(due_us) FROM delivery WHERE due_us IS NOT NULL AND target = walked.target) AS due_us
FROM walked WHERE target < :until
"""
_targets = Prepared(
    text(_TARGETS).bindparams(
        bindparam("behind", type_=_d.target.type),
        bindparam("until", type_=_d.target.type),
        bindparam("most", type_=Integer),
    )
)
_due = Prepared(
    select(_d.id, _d.event_id, _d.subject, _d.tries, _d.made_us)
    .where(_d.due_us.is_not(None), _d.target == bindparam("whom"), _d.due_us <= bindparam("now"))
    .order_by(_d.due_us, _d.id)
    .limit(bindparam("most", type_=Integer))
)


def targets(connection: Connection, behind: str, until: str, most: int) -> list[tuple[str, int]]:
    """Whom there is something to tell, and when the first of it is due: the first so many targets between the two, in
    their order."""
    rows = _targets.rows(connection, behind=behind, until=until, most=most)
    return [(row.target, row.due_us) for row in rows]


def due(connection: Connection, target: str, now_us: int, most: int) -> list[Due]:
    """What may be tried, the oldest first."""
    rows = _due.rows(connection, whom=target, now=now_us, most=most)
    return [Due(row.id, row.event_id, row.subject, row.tries, row.made_us) for row in rows]


def claim(connection: Connection, target: str, now_us: int, most: int, until_us: int) -> list[Due]:
    """As `due`, where several hosts look: nobody else finds them until then."""
    wait_for_deliveries(connection)
    found = due(connection, target, now_us, most)
    connection.execute(update(delivery).where(_d.id.in_([each.id for each in found])).values(due_us=until_us))
    return [replace(each, until_us=until_us) for each in found]


_give_back = Prepared(
    update(delivery)
    .where(_d.id == bindparam("one"), func.coalesce(_d.due_us, -1) == bindparam("until"))
    .values(due_us=bindparam("now", type_=BigInteger))
)


def give_back(connection: Connection, claimed: Sequence[Due], now_us: int) -> None:
    """What was claimed and not tried is found by everybody again, unless somebody has claimed it since."""
    wait_for_deliveries(connection)
    _give_back.change_many(connection, [{"one": each.id, "until": each.until_us, "now": now_us} for each in claimed])


# --- settling

_done = Prepared(delete(delivery).where(_d.id == bindparam("one")))
_again = Prepared(
    update(delivery)
    .where(_d.id == bindparam("one"), _still_waits)
    .values(due_us=bindparam("due"), tries=bindparam("count"), outcome=bindparam("what_came"))
)
_give_up = Prepared(
    update(delivery)
    .where(_d.id == bindparam("one"), _still_waits)
    .values(due_us=None, dead_us=bindparam("now"), tries=bindparam("count"), outcome=bindparam("what_came"))
)
_behind = delivery.alias("behind")
_head = (
    select(func.min(_behind.c.id))
    .where(
        _behind.c.dead_us.is_(None),
        _behind.c.target == bindparam("whom", type_=_d.target.type),
        _behind.c.subject == bindparam("what", type_=_d.subject.type),
    )
    .scalar_subquery()
)
_next = Prepared(update(delivery).where(_d.id == _head, _has_no_instant, _still_waits).values(due_us=bindparam("now")))


def settle(connection: Connection, settled: Sequence[Settled], now_us: int) -> None:
    """Write down what came of some tries; what waited behind those that have ended is due."""
    wait_for_deliveries(connection)
    ended = [each for each in settled if each.due_us is None]
    _done.change_many(connection, [{"one": each.id} for each in ended if not each.dead])
    dead = [each for each in ended if each.dead]
    _give_up.change_many(
        connection, [{"one": each.id, "now": now_us, "count": each.tries, "what_came": each.outcome} for each in dead]
    )
    _again.change_many(
        connection,
        [
            {"one": each.id, "due": each.due_us, "count": each.tries, "what_came": each.outcome}
            for each in settled
            if each.due_us is not None
        ],
    )
    _next.change_many(connection, [{"whom": each.target, "what": each.subject, "now": now_us} for each in ended])


def hasten(connection: Connection, target: str, later_than_us: int) -> int:
    """Let what is to be tried later than that be tried now, in the order of events: whoever did not answer is there
    again. What is due before comes by itself, or another host has it in hand.

    Returns how many; at most `GROUP` at a time.
    """
    found = later(target, later_than_us)
    return connection.execute(update(delivery).where(_d.id.in_(found)).values(due_us=0)).rowcount


def later(target: str, than_us: int) -> Select[int]:
    """The ids of `hasten`."""
    return select(_d.id).where(_d.due_us.is_not(None), _d.target == target, _d.due_us > than_us).limit(GROUP)


# --- what nobody is told any more


def drop(connection: Connection, target: str) -> int:
    """Forget what is left of a target that is no more; how many, at most `GROUP`."""
    some = select(_d.id).where(_d.target == target).limit(GROUP)
    return connection.execute(delete(delivery).where(_d.id.in_(some))).rowcount


def give_up_old(connection: Connection, made_before_us: int, now_us: int) -> int:
    """Give up what could not be told for so long, tried or not; how many, at most `GROUP`."""
    old = outdated(made_before_us)
    ended = connection.execute(select(_d.id, _d.target, _d.subject, _d.tries).where(_d.id.in_(old))).all()
    settled = [Settled(row.id, row.target, row.subject, dead=True, tries=row.tries, outcome="too_old") for row in ended]
    if settled:
        settle(connection, settled, now_us)
    return len(settled)


def outdated(made_before_us: int) -> Select[int]:
    """The ids of `give_up_old`."""
    return select(_d.id).where(_d.made_us < made_before_us, _waits).order_by(_d.made_us).limit(GROUP)


def forget_dead(connection: Connection, made_before_us: int) -> int:
    """Forget what was given up and nobody asked for; how many, at most `GROUP`."""
    return connection.execute(delete(delivery).where(_d.id.in_(forgettable(made_before_us)))).rowcount


def forgettable(made_before_us: int) -> Select[int]:
    """The ids of `forget_dead`."""
    return select(_d.id).where(_d.made_us < made_before_us, _d.dead_us.is_not(None)).order_by(_d.made_us).limit(GROUP)


# --- for people


def newest_of(target: str, *, dead: bool, before: int | None, limit: int) -> Select[*tuple[Any, ...]]:
    """The rows of `page`."""
    query = select(delivery, event.c.type, event.c.at_us).outerjoin(event, event.c.id == _d.event_id)
    query = query.where(_d.target == target, _d.dead_us.is_not(None) if dead else _waits)
    if before is not None:
        query = query.where(_d.id < before)
    return query.order_by(_d.id.desc()).limit(limit)


def page(
    connection: Connection, target: str, *, dead: bool, before: int | None, limit: int
) -> tuple[list[DeliveryView], bool]:
    """What waits for a target, or was given up, newest first; and whether there is more."""
    rows = connection.execute(newest_of(target, dead=dead, before=before, limit=limit + 1)).all()
    shown = [
        DeliveryView(
            id=row.id,
            event_id=row.event_id,
            type=row.type,
            at_us=row.at_us,
            state="waiting" if row.dead_us is None else "dead",
            tries=row.tries,
            due_us=row.due_us,
            dead_us=row.dead_us,
            outcome=row.outcome,
        )
        for row in rows[:limit]
    ]
    return shown, len(rows) > limit


_given_up = Prepared(
    select(_d.id, event.c.at_us)
    .outerjoin(event, event.c.id == _d.event_id)
    .where(_d.target == bindparam("whom"), _d.dead_us.is_not(None), _d.id > bindparam("behind", type_=BigInteger))
    .order_by(_d.id)
    .limit(bindparam("most", type_=Integer))
)
_make_way = Prepared(
    update(delivery)
    .where(_d.id == _head, _d.id > bindparam("first", type_=BigInteger), _still_waits)
    .values(due_us=None)
)
_revive = Prepared(
    update(delivery)
    .where(_d.id == bindparam("one"), ~_still_waits)
    .values(dead_us=None, due_us=None, tries=0, outcome=None, made_us=bindparam("now", type_=BigInteger))
)


def given_up(connection: Connection, target: str, behind: int) -> list[Any]:
    """What was given up of a target, in the order of ids: id, and at_us of its event or None; at most `GROUP`."""
    return _given_up.rows(connection, whom=target, behind=behind, most=GROUP)


def revive(connection: Connection, target: str, ids: Sequence[int], now_us: int) -> int:
    """Let these be tried anew from their first try, as far as they were given up; how many. Each costs a few steps in
    an index, however much else waits."""
    if not ids:
        return 0
    wait_for_deliveries(connection)
    mine = select(_d.id, _d.subject).where(_d.target == target, _d.dead_us.is_not(None), _d.id.in_(ids))
    rows = connection.execute(mine.order_by(_d.id.desc())).all()
    # Of each subject the first that waits has an instant, and no other.
    first = {row.subject: row.id for row in rows}
    named = [{"whom": target, "what": subject, "first": first_id} for subject, first_id in first.items()]
    _make_way.change_many(connection, named)
    _revive.change_many(connection, [{"one": row.id, "now": now_us} for row in rows])
    _next.change_many(connection, [{"whom": target, "what": subject, "now": now_us} for subject in first])
    return len(rows)


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries wait, and how many were given up: `waiting` and `dead`. Counted in an index each."""
    states = {"waiting": _waits, "dead": _d.dead_us.is_not(None)}
    return {
        state: connection.execute(select(func.count()).select_from(delivery).where(holds)).scalar_one()
        for state, holds in states.items()
    }
