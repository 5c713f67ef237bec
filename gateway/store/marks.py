"""Marks that stand: what they belong to, and what a crash left open or others gave up meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, select, update

from gateway.message import PartState, Status
from gateway.store.engines import is_shared
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, attempt, message, part

_m = message.c
_a = attempt.c
#: Why a mark was given up whose host did not come back in time.
HOST_LOST = "host_lost"
_of_attempt = Prepared(
    select(_m.id, _m.category, _m.on_uncertain)
    .join(attempt, _a.message_id == _m.id)
    .where(_a.id == bindparam("attempt_id"))
)
_facts = Prepared(
    select(part.c.copies, _m.expires_us)
    .join(attempt, and_(_a.message_id == part.c.message_id, _a.sequence == part.c.sequence))
    .join(message, _m.id == part.c.message_id)
    .where(_a.id == bindparam("attempt_id"))
)


def facts_of(connection: Connection, attempt_id: int) -> AnyRow | None:
    """What a refusal of an attempt is judged by: copies of its part, expires_us; None when there is no such attempt."""
    return _facts.first(connection, attempt_id=attempt_id)


def message_of(connection: Connection, attempt_id: int) -> AnyRow:
    """The message an attempt belongs to: id, category, on_uncertain."""
    found = _of_attempt.first(connection, attempt_id=attempt_id)
    assert found is not None, "an attempt has a message"
    return found


def adopt(connection: Connection, node: str) -> None:
    """Take over what another name of this host left: its open marks, and its messages that have parts left.

    Not where other hosts may be alive: what stands under their names is theirs.
    """
    if is_shared(connection):
        return
    marks = update(attempt).where(_a.state == word(PartState.SUBMITTING), _a.node != node)
    connection.execute(marks.values(node=node))
    begun = update(message).where(_m.status == word(Status.SENDING), _m.node.is_not(None), _m.node != node)
    connection.execute(begun.values(node=node))


def open_marks(connection: Connection, node: str) -> Sequence[AnyRow]:
    """Marks of this node that have no result, which is what a crash leaves: id, modem, journal, marked_us,
    octets, copies, expires_us."""
    return connection.execute(_marks(node).where(_a.state == word(PartState.SUBMITTING))).all()


def given_up(connection: Connection, node: str) -> Sequence[AnyRow]:
    """Marks of this node that another host gave up while this one was away: as `open_marks`."""
    lost = _marks(node).where(_a.state == word(PartState.UNCERTAIN), _a.cause == HOST_LOST)
    return connection.execute(lost).all()


def _marks(node: str) -> Select[*tuple[Any, ...]]:
    return (
        select(_a.id, _a.modem, _a.journal, _a.marked_us, part.c.octets, part.c.copies, _m.expires_us)
        .join(part, and_(part.c.message_id == _a.message_id, part.c.sequence == _a.sequence))
        .join(message, _m.id == _a.message_id)
        .where(_a.node == node)
        .order_by(_a.id)
    )
