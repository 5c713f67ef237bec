"""The kill switch. It stands in the store and is asked in the transaction that marks a part, at every part.

So after the commit that pauses no further part is marked, by whichever gateway works on this store, and a restart
changes nothing. Where several hosts mark, whoever pauses waits for marks that are being made. Messages are not written
to; `gateway.message.Pause` says how they are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, insert, or_, select

from gateway.message import NO_PAUSE, Pause
from gateway.store import events, locks, signals
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, message, pause
from gateway.store.signals import Topic

_EVERYTHING = ""
#: What is paused; `of_rows` says what its rows mean.
STANDING = Prepared(select(pause.c.category, pause.c.since_us).order_by(pause.c.since_us, pause.c.category))
_add = Prepared(insert(pause).values(category=bindparam("name"), since_us=bindparam("now_us")))
_lift = Prepared(delete(pause))


def standing(connection: Connection) -> Pause:
    """What is paused now."""
    return of_rows(STANDING.rows(connection))


def of_rows(rows: Sequence[AnyRow]) -> Pause:
    """From rows of `STANDING`."""
    if not rows:
        return NO_PAUSE
    names = [row.category for row in rows]
    return Pause(_EVERYTHING in names, tuple(sorted(name for name in names if name)), rows[0].since_us)


def add(connection: Connection, categories: Collection[str], now_us: int, *, by: str) -> Pause:
    """Pause these categories, or everything when there are none; what is paused already stays so."""
    locks.wait_for_gates(connection)
    known = {row.category for row in STANDING.rows(connection)}
    fresh = [name for name in sorted(set(categories or (_EVERYTHING,))) if name not in known]
    for name in fresh:
        _add.change(connection, name=name, now_us=now_us)
    if fresh:
        what = ", ".join(fresh) if categories else "everything"
        facts = {"categories": fresh if categories else None, "by": by}
        events.record(connection, now_us, "queue.paused", detail=f"{what}, by {by}", facts=facts)
    return standing(connection)


def lift(connection: Connection, now_us: int, *, by: str) -> Pause:
    """Let everything leave again."""
    before = standing(connection)
    if _lift.change(connection):
        facts = {"categories": None if before.everything else list(before.categories), "by": by}
        events.record(connection, now_us, "queue.resumed", detail=f"by {by}", facts=facts)
        signals.send(connection, Topic.WORK)
    return NO_PAUSE


def paused() -> ColumnElement[bool]:
    """In a query over messages: that nothing of the message's category may leave."""
    stands = or_(pause.c.category == _EVERYTHING, pause.c.category == message.c.category)
    return exists(select(pause.c.category).where(stands)).correlate(message)
