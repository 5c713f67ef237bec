"""Locks between hosts that no row stands for: of PostgreSQL, for one transaction, gone with it however it ends.

A host that is stopped in the middle of a transaction loses it, with its locks, to the server's time limit for idle
transactions; nobody waits for it longer than that.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, func, literal_column, select

from gateway.store.engines import is_shared
from gateway.store.prepared import Prepared

# "Tod": beside the names of nodes, which are "Toc" (`gateway.store.engines`).
_SPACE = 0x546F64


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


def _call(function: Any, lock: Lock) -> Prepared:
    names: list[ColumnElement[int]] = [literal_column(str(number), Integer) for number in (_SPACE, int(lock))]
    return Prepared(select(function(*names)))


_TRY = {lock: _call(func.pg_try_advisory_xact_lock, lock) for lock in Lock}
_JOIN_PAUSE = _call(func.pg_advisory_xact_lock_shared, Lock.PAUSE)
_TAKE_PAUSE = _call(func.pg_advisory_xact_lock, Lock.PAUSE)


# The names of nodes, and 0 for whoever opens the database.
_DAEMONS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 5533539 AND objid <> 0 AND granted
  AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def other_daemons(connection: Connection) -> int:
    """How many other daemons, and commands that write, have this database open."""
    return int(connection.exec_driver_sql(_DAEMONS).scalar_one()) if is_shared(connection) else 0


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
        # One that is stopped in the middle is ended by the server after 15 s; a pause waits for it all the same.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '20s'")
        _TAKE_PAUSE.scalar(connection)
