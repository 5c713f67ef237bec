"""The lanes that messages wait in, and what is ready in each.

A lane is a text of `gateway.rules.routing` that is compared as a whole. From one lane to the next it is one step in the
index, whatever stands between them: what no modem may take now is not walked over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, cast, func, or_, select

from gateway.message import Pause, Status
from gateway.store import locks, pauses, queue
from gateway.store.prepared import Prepared, word
from gateway.store.queue import ModemFacts
from gateway.store.schema import AnyRow, message, recipient

_m = message.c
_is_queued = _m.status == word(Status.QUEUED)
_lanes = select(func.min(_m.lane).label("lane")).where(_is_queued).cte("lanes", recursive=True)
_lanes = _lanes.union_all(
    select(
        select(func.min(_m.lane)).where(_is_queued, _m.lane > _lanes.c.lane).correlate(_lanes).scalar_subquery()
    ).where(_lanes.c.lane.is_not(None))
)
# Not "=": for that SQLite, where it knows of one lane alone, makes an index of its own of everything that waits.
_head = (
    select(_m.due_us)
    .where(_is_queued, _m.lane >= _lanes.c.lane, _m.lane <= _lanes.c.lane)
    .order_by(_m.lane, _m.due_us, _m.id)
    .limit(queue.ONE)
    .correlate(_lanes)
    .scalar_subquery()
)
_waiting = Prepared(select(_lanes.c.lane, _head.label("due_us")).where(_lanes.c.lane.is_not(None)))


def waiting(connection: Connection) -> Sequence[AnyRow]:
    """Every lane in which something is queued, with the instant at which the first of it is due: lane, due_us."""
    return _waiting.rows(connection)


def look(connection: Connection, modem: ModemFacts, now_us: int) -> tuple[Pause, Sequence[AnyRow], Sequence[AnyRow]]:
    """In one go: what is paused, what is begun (`queue.begun`), and what is `waiting`.

    For whoever is about to mark: a pause that comes now waits until this transaction has ended.
    """
    locks.join_gates(connection)
    paused, begun, found = Prepared.together(
        connection, (pauses.STANDING, {}), queue.ask_begun(modem, now_us), (_waiting, {})
    )
    return pauses.of_rows(paused), begun, found


@cache
def _ready(prefixes: int, most: ColumnElement[int] = queue.LIMIT) -> Prepared:
    """The query for so many prefixes of numbers, of which one must fit; 0 for all numbers."""
    of_lane = queue.TO_SEND.where(
        _is_queued, _m.lane == bindparam("lane"), _m.due_us <= bindparam("now_us"), ~queue.IN_FLIGHT
    )
    starts = [
        func.substr(recipient.c.number, 1, cast(bindparam(f"length{at}"), Integer)) == bindparam(f"prefix{at}")
        for at in range(prefixes)
    ]
    return Prepared((of_lane.where(or_(*starts)) if starts else of_lane).order_by(_m.due_us, _m.id).limit(most))


def first(connection: Connection, lane: str, now_us: int, prefixes: Sequence[str] = ()) -> Sequence[AnyRow]:
    """As `ready`, the first alone: most of the time it is taken."""
    return _ready(len(prefixes), queue.ONE).rows(connection, **_values(lane, now_us, prefixes))


def ready(connection: Connection, lane: str, now_us: int, prefixes: Sequence[str] = ()) -> Sequence[AnyRow]:
    """The first messages of a lane that are due and whose recipient is not being written to; at most `queue.LOOK`.

    With `prefixes` only those to numbers that begin with one of them: a lane that is coarser than that is walked over.
    """
    return _ready(len(prefixes)).rows(connection, **_values(lane, now_us, prefixes))


def _values(lane: str, now_us: int, prefixes: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {"lane": lane, "now_us": now_us}
    for at, prefix in enumerate(prefixes):
        values |= {f"prefix{at}": prefix, f"length{at}": len(prefix)}
    return values
