"""Calls that modems turned away: who called is a person's datum, and stands nowhere else."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert

from gateway.store.prepared import Prepared
from gateway.store.schema import event, missed_call

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
