"""Modems that an operator has paused. It stands in the store, so that a restart changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, String, bindparam, cast, delete, null, select, union_all

from gateway.message import Pause
from gateway.store import pauses
from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, modem_pause, pause

_c = modem_pause.c
_all = Prepared(select(_c.node, _c.modem, _c.since_us).order_by(_c.node, _c.modem))
_nothing = cast(null(), String)
# One statement for both: whoever accepts a message needs both, and most of the time there is neither.
_with_kill_switch = Prepared(
    union_all(
        select(pause.c.category, pause.c.since_us, _nothing.label("node"), _nothing.label("modem")),
        select(_nothing, _c.since_us, _c.node, _c.modem),
    ).order_by("since_us", "category", "node", "modem")
)
_add = Prepared(
    insert(modem_pause)
    .values(node=bindparam("its_node"), modem=bindparam("its_name"), since_us=bindparam("now_us", type_=BigInteger))
    .on_conflict_do_nothing(index_elements=["node", "modem"])
)
_lift = Prepared(delete(modem_pause).where(_c.node == bindparam("its_node"), _c.modem == bindparam("its_name")))


def standing(connection: Connection) -> Sequence[AnyRow]:
    """Every paused modem: node, modem, since_us."""
    return _all.rows(connection)


def standing_with_kill_switch(connection: Connection) -> tuple[Pause, Sequence[AnyRow]]:
    """What the kill switch holds, and `standing`."""
    rows = _with_kill_switch.rows(connection)
    return pauses.of_rows([row for row in rows if row.node is None]), [row for row in rows if row.node is not None]


def add(connection: Connection, node: str, modem: str, now_us: int) -> None:
    """Pause a modem; one that is paused stays so, since when it was."""
    _add.write(connection, its_node=node, its_name=modem, now_us=now_us)


def lift(connection: Connection, node: str, modem: str) -> None:
    """Let it send again."""
    _lift.change(connection, its_node=node, its_name=modem)
