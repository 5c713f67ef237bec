"""The queue: which message a modem takes next, and the durable mark in front of it.

A message is *ready* when it is `queued` and due; it is *begun* when it is `sending` and has parts left. Higher priority
first, then due time, then id; only a message being sent blocks the next one to the same person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, insert, select, true, update

from gateway.message import PartEvent, PartState, Status, next_state
from gateway.store import events
from gateway.store.schema import AnyRow, attempt, message, part, recipient

_m = message.c
_other = message.alias("other")


@dataclass(frozen=True, slots=True)
class ModemFacts:
    """What the queue must know of the modem that asks for work."""

    name: str
    node: str
    simulated: bool
    imei: str | None
    iccid: str | None
    #: A simulated modem beside real ones takes only messages of test tokens; a real one never takes those.
    takes_test: bool
    takes_live: bool


def ready(connection: Connection, modem: ModemFacts, now_us: int, *, above: int, limit: int) -> Sequence[AnyRow]:
    """Messages this modem may begin, best first, of at least priority `above`."""
    in_flight = exists().where(
        _other.c.recipient_id == _m.recipient_id, _other.c.status == Status.SENDING, _other.c.id != _m.id
    )
    query = select(message, recipient.c.number).join(recipient, recipient.c.id == _m.recipient_id)
    query = query.where(
        # Written out, so that the partial index is recognised.
        _m.status == Status.QUEUED,
        _m.due_us <= now_us,
        _m.priority >= above,
        _suits(modem),
        ~in_flight,
    )
    return connection.execute(query.order_by(_m.priority.desc(), _m.due_us, _m.id).limit(limit)).all()


def _suits(modem: ModemFacts) -> ColumnElement[bool]:
    wanted = _m.wanted_modem.is_(None) | (_m.wanted_modem == modem.name)
    if modem.takes_test and modem.takes_live:
        return wanted
    return wanted & (_m.test == (true() if modem.takes_test else ~true()))


def begun(connection: Connection, modem: ModemFacts, now_us: int) -> AnyRow | None:
    """The best begun message that has a part for this modem to send now.

    One without a modem is a further copy of an uncertain one; any modem may take it.
    """
    here = (_m.modem == modem.name) & (_m.node == modem.node) | _m.modem.is_(None) & _suits(modem)
    waiting = exists().where(part.c.message_id == _m.id, part.c.state == PartState.PENDING)
    query = select(message, recipient.c.number).join(recipient, recipient.c.id == _m.recipient_id)
    query = query.where(_m.status == Status.SENDING, _m.due_us <= now_us, here, waiting)
    return connection.execute(query.order_by(_m.priority.desc(), _m.due_us, _m.id).limit(1)).first()


def begin(connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int, octets: Sequence[bytes] | None) -> None:
    """The message leaves through this modem; `octets` are its parts, fixed now unless they already were."""
    if octets is not None:
        rows = [
            {"message_id": row.id, "sequence": sequence, "state": PartState.PENDING, "octets": each}
            for sequence, each in enumerate(octets, 1)
        ]
        connection.execute(insert(part), rows)
    values: dict[str, object] = {"status": Status.SENDING, "modem": modem.name, "node": modem.node}
    values |= {"simulated": modem.simulated, "retry_us": None}
    if octets is not None:
        values["parts"] = len(octets)
    connection.execute(update(message).where(_m.id == row.id).values(**values))
    events.record_status(connection, now_us, row.id, Status.SENDING, f"through {modem.name}")


def next_part(connection: Connection, message_id: str) -> AnyRow | None:
    """The first part that is still to be sent."""
    query = select(part).where(part.c.message_id == message_id, part.c.state == PartState.PENDING)
    return connection.execute(query.order_by(part.c.sequence).limit(1)).first()


def has_parts(connection: Connection, message_id: str) -> bool:
    """Whether the text was fixed already."""
    return (
        connection.execute(select(part.c.sequence).where(part.c.message_id == message_id).limit(1)).first() is not None
    )


def mark(connection: Connection, row: AnyRow, modem: ModemFacts, now_us: int) -> int:
    """The durable mark of one part (a row of `part`): from the flush on it may have left. Returns the attempt's id."""
    set_part(connection, row.message_id, row.sequence, next_state(PartState(row.state), PartEvent.MARK), row.copies + 1)
    opened = insert(attempt).values(
        message_id=row.message_id,
        sequence=row.sequence,
        node=modem.node,
        modem=modem.name,
        imei=modem.imei,
        iccid=modem.iccid,
        state=PartState.SUBMITTING,
        marked_us=now_us,
    )
    return connection.execute(opened.returning(attempt.c.id)).scalar_one()


def set_part(
    connection: Connection, message_id: str, sequence: int, state: PartState, copies: int | None = None
) -> None:
    """Write a part's state, which the table of transitions gave, and how many copies of it may have left."""
    values: dict[str, object] = {"state": state} if copies is None else {"state": state, "copies": copies}
    row = update(part).where(part.c.message_id == message_id, part.c.sequence == sequence)
    connection.execute(row.values(**values))


def part_of(connection: Connection, message_id: str, sequence: int) -> AnyRow:
    """One part."""
    query = select(part).where(part.c.message_id == message_id, part.c.sequence == sequence)
    return connection.execute(query).one()


def part_states(connection: Connection, message_id: str) -> list[PartState]:
    """The states of all parts of one message."""
    states = connection.execute(select(part.c.state).where(part.c.message_id == message_id)).scalars()
    return [PartState(state) for state in states]
