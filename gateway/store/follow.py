"""How far a reader of events has come: kept in the transaction that does what it read of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, bindparam, func, literal_column, select, update

from gateway.store.engines import insert, is_shared
from gateway.store.events import Cursor
from gateway.store.prepared import Prepared
from gateway.store.schema import event, follower

#: The reader that writes deliveries.
WEBHOOKS = "webhooks"
#: The one that finds what channels have to carry.
CHANNELS = "channels"

_f = follower.c
_standing = Prepared(select(_f.xact, _f.event_id).where(_f.name == bindparam("reader")))
_last = Prepared(select(func.max(event.c.id).label("id")))
_oldest = Prepared(select(literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)))
_move = Prepared(
    update(follower)
    .where(_f.name == bindparam("reader"), _f.xact == bindparam("old_xact"), _f.event_id == bindparam("old_id"))
    .values(xact=bindparam("new_xact"), event_id=bindparam("new_id"))
)
_MOST_ID = 2**62


def standing(connection: Connection, reader: str) -> Cursor:
    """Where the reader stands; before everything where it never stood."""
    row = _standing.first(connection, reader=reader)
    return Cursor() if row is None else Cursor(row.xact, row.event_id)


def move(connection: Connection, reader: str, old: Cursor, new: Cursor) -> bool:
    """Go on from `old`; False if somebody else has gone on from there meanwhile, and nothing was done."""
    if _standing.first(connection, reader=reader) is None:
        _begin(connection, reader)
    return bool(
        _move.change(connection, reader=reader, old_xact=old.xact, old_id=old.id, new_xact=new.xact, new_id=new.id)
    )


def pass_over(connection: Connection, reader: str) -> None:
    """Go behind all that is committed, and read none of it."""
    _begin(connection, reader)
    end = end_of_all(connection)
    connection.execute(update(follower).where(_f.name == reader).values(xact=end.xact, event_id=end.id))


def end_of_all(connection: Connection) -> Cursor:
    """Where a reader stands who has read all that is committed; whatever is running still comes behind it."""
    if is_shared(connection):
        return Cursor(_oldest.scalar(connection) - 1, _MOST_ID)
    return Cursor(0, _last.scalar(connection) or 0)


def has_begun(connection: Connection, reader: str) -> bool:
    """Whether the reader ever stood anywhere."""
    return _standing.first(connection, reader=reader) is not None


def _begin(connection: Connection, reader: str) -> None:
    row = insert(follower).values(name=reader, xact=0, event_id=0)
    connection.execute(row.on_conflict_do_nothing())
