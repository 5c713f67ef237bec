"""Calls that modems turned away: who called is a person's datum, and stands nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, select

from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, event, missed_call, recipient

MISSED = "call.missed"

_event = Prepared(
    insert(event)
    .values(at_us=bindparam("now_us"), type=bindparam("kind"), detail=bindparam("sentence"))
    .returning(event.c.id)
)
_add = Prepared(
    insert(missed_call).values(
        event_id=bindparam("of_event"),
        recipient_id=bindparam("person"),
        modem=bindparam("name"),
        node=bindparam("host"),
        iccid=bindparam("sim"),
        at_us=bindparam("now_us"),
    )
)


def add(connection: Connection, person: int | None, now_us: int, *, modem: str, node: str, iccid: str | None) -> None:
    """Keep a call, with its event; `person` is None where the number was withheld."""
    told = _event.scalar(connection, now_us=now_us, kind=MISSED, sentence=f"through {modem}")
    _add.write(connection, of_event=told, person=person, name=modem, host=node, sim=iccid, now_us=now_us)


_c = missed_call.c
_of_events = PreparedList(
    lambda values: (
        select(_c.event_id, _c.modem, _c.node, _c.at_us, recipient.c.number)
        .outerjoin(recipient, recipient.c.id == _c.recipient_id)
        .where(_c.event_id.in_(values))
    )
)


def of_events(connection: Connection, ids: Sequence[int]) -> dict[int, AnyRow]:
    """The calls that these events tell of: modem, node, at_us, number; the number is None where it was withheld or the
    person was erased."""
    return {row.event_id: row for row in _of_events.rows(connection, ids)}
