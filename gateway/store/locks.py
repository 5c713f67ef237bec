"""Locks between hosts that no row stands for: of PostgreSQL, for one transaction, gone with it however it ends.

A host that is stopped in the middle of a transaction loses it, with its locks, to the server's time limit for idle
transactions. One that is stopped while it sends is not idle for the server, and has no limit that each version of it
knows; so who needs what such a session holds ends it (`end_stuck`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, func, literal_column, select

from gateway.store.engine import number_of
from gateway.store.engines import is_shared
from gateway.store.prepared import Prepared

# "Tod": beside the names of nodes, which are "Toc" (`gateway.store.engines`).
_SPACE = 0x546F64
_NODES = 0x546F63
#: A transaction of ours takes milliseconds; one that is this old is stuck.
STUCK_S = 10
_END_STUCK = """
SELECT pg_terminate_backend(held.pid) FROM pg_locks AS held JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted AND held.pid <> pg_backend_pid()
  AND held.classid = %s::bigint::oid AND held.objid = %s::bigint::oid
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND session.xact_start < clock_timestamp() - make_interval(secs => %s::int)
"""


class Lock(IntEnum):
    """What is locked."""

    #: Gates hold it together, whoever pauses holds it alone.
    PAUSE = 1
    #: Whoever does what has become due.
    UPKEEP = 2
    #: Whoever looks after hosts that have fallen silent.
    HOSTS = 3
    #: Whoever gives up on long messages whose other parts did not come.
    FRAGMENTS = 4
    #: Whoever writes what has to be told, or what was: a subject's next delivery is found by looking at all of them.
    DELIVERIES = 5


def _call(function: Any, lock: Lock) -> Prepared:
    names: list[ColumnElement[int]] = [literal_column(str(number), Integer) for number in (_SPACE, int(lock))]
    return Prepared(select(function(*names)))


_TRY = {lock: _call(func.pg_try_advisory_xact_lock, lock) for lock in Lock}
_JOIN_PAUSE = _call(func.pg_advisory_xact_lock_shared, Lock.PAUSE)
_TAKE_PAUSE = _call(func.pg_advisory_xact_lock, Lock.PAUSE)
_TAKE_DELIVERIES = _call(func.pg_advisory_xact_lock, Lock.DELIVERIES)


# The names of nodes, and 0 for whoever opens the database.
_DAEMONS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 5533539 AND objid <> 0 AND granted
  AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def other_daemons(connection: Connection) -> int:
    """How many other daemons, and commands that write, have this database open."""
    return int(connection.exec_driver_sql(_DAEMONS).scalar_one()) if is_shared(connection) else 0


def end_stuck(connection: Connection, node: str) -> int:
    """End the session of a node's daemon if it has been in one transaction for long; how many there were."""
    return _end_stuck(connection, _NODES, number_of(node) & 0xFFFFFFFF)


def _end_stuck(connection: Connection, space: int, name: int) -> int:
    return len(connection.exec_driver_sql(_END_STUCK, (space, name, STUCK_S)).all())


def try_alone(connection: Connection, lock: Lock) -> bool:
    """Whether no other host is at it just now; then none will be until this transaction ends."""
    return not is_shared(connection) or bool(_TRY[lock].scalar(connection))


def join_gates(connection: Connection) -> None:
    """Before a gate reads what is paused: whoever pauses waits until this transaction has ended."""
    if is_shared(connection):
        _JOIN_PAUSE.write(connection)


def wait_for_gates(connection: Connection) -> None:
    """Before something is paused: gates that have read the old state end first, later ones read the new one."""
    if is_shared(connection):
        # A gate that is stopped in the middle is not waited for: should the lock not come in time this is run again.
        _end_stuck(connection, _SPACE, Lock.PAUSE)
        _TAKE_PAUSE.scalar(connection)


def wait_for_deliveries(connection: Connection) -> None:
    """Before deliveries are written: another host that is at it ends first."""
    if is_shared(connection):
        _TAKE_DELIVERIES.scalar(connection)
