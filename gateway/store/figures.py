"""Figures for monitoring: how much waits, and what has happened since somebody last looked.

What waits is counted over the partial index of its state, and what happened over the events behind a cursor: neither
reads what is finished. Counting a million that wait takes seconds; who asks does not ask all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)

from gateway.message import Status
from gateway.store import events, lanes
from gateway.store.engines import is_shared
from gateway.store.events import Cursor
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, attempt, event, message

_m, _e = message.c, event.c
_count = func.count().label("messages")
_queued = Prepared(select(_m.lane, _count).where(_m.status == word(Status.QUEUED)).group_by(_m.lane))
_of_held = select(_m.category, _m.hold_rule, _count).where(_m.status == word(Status.HELD))
_held = Prepared(_of_held.group_by(_m.category, _m.hold_rule))
_sending = Prepared(select(_m.category, _count).where(_m.status == word(Status.SENDING)).group_by(_m.category))
_uncertain = Prepared(
    select(func.count(func.distinct(_m.id)).label("messages"))
    .select_from(attempt)
    .join(message, message.c.id == attempt.c.message_id)
    .where(attempt.c.state == word("uncertain"), _m.status == word(Status.UNCERTAIN))
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits: rows of lane, of category and rule, and of category, each with `messages`; how many are
    uncertain; and when the first of those that wait for their turn was due (microseconds UTC)."""

    queued: Sequence[AnyRow]
    held: Sequence[AnyRow]
    sending: Sequence[AnyRow]
    uncertain: int
    oldest_due_us: int | None


def waiting(connection: Connection, awaited: Callable[[str], bool]) -> Waiting:
    """What waits now; of lanes that are not `awaited` nobody is told how long."""
    due = [row.due_us for row in lanes.waiting(connection) if awaited(row.lane)]
    return Waiting(
        _queued.rows(connection),
        _held.rows(connection),
        _sending.rows(connection),
        int(_uncertain.scalar(connection)),
        min(due, default=None),
    )


#: Bounds in seconds of how long reports take.
REPORT_BOUNDS: Final = (1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86_400)

_STATUS_TYPES: list[ColumnElement[str]] = [literal_column(f"'message.{status}'", String) for status in sorted(Status)]
_of_one = and_(_e.id > bindparam("last"), _e.id <= bindparam("until"))
_of_several = and_(
    or_(_e.xact > bindparam("xact"), and_(_e.xact == bindparam("xact"), _e.id > bindparam("last"))),
    or_(_e.xact < bindparam("until_xact"), and_(_e.xact == bindparam("until_xact"), _e.id <= bindparam("until"))),
)
_ONE: ColumnElement[int] = literal_column("1000000", BigInteger)
_delay = _e.at_us - _m.sent_us
_reported = _e.type.in_(
    [literal_column("'message.delivered'", String), literal_column("'message.undelivered'", String)]
)


def _happened(behind: ColumnElement[bool]) -> Prepared:
    buckets = [
        func.sum(case((and_(_reported, _delay <= bound * _ONE), 1), else_=0)).label(f"within{at}")
        for at, bound in enumerate(REPORT_BOUNDS)
    ]
    total = func.sum(case((_reported, _delay), else_=0)).label("delay_us")
    counted = select(_e.type, _m.category, _count, total, *buckets).join(message, message.c.id == _e.message_id)
    return Prepared(counted.where(behind, _e.type.in_(_STATUS_TYPES)).group_by(_e.type, _m.category))


_happened_of_one, _happened_of_several = _happened(_of_one), _happened(_of_several)


def happened(connection: Connection, begun: Cursor, most: int) -> tuple[Sequence[AnyRow] | None, Cursor]:
    """What became of messages behind the cursor: type, category, messages, delay_us and within0… of `REPORT_BOUNDS`;
    and the cursor behind it. None where that were more than about `most` events."""
    end = events.newest(connection)
    if end.id - begun.id > most:
        return None, end
    if not is_shared(connection):
        return _happened_of_one.rows(connection, last=begun.id, until=end.id), end
    return (
        _happened_of_several.rows(connection, xact=begun.xact, last=begun.id, until_xact=end.xact, until=end.id),
        end,
    )
