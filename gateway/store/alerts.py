"""What people were told of alerts, by keyed hashes; written with the messages that tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from gateway.alert import AlertState
from gateway.clock import SECOND_US
from gateway.errors import Conflict
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema_alerts import alert

#: Of an alert that nobody told again for so long nothing is known any more.
KEPT_US = 60 * 24 * 3600 * SECOND_US
_BATCH = 2000

_a = alert.c
_known = PreparedList(
    lambda values: select(_a.lookup, _a.firing, _a.told_us, _a.starts_us, _a.since_us, _a.changes, _a.edition).where(
        _a.lookup.in_(values)
    )
)
_state: dict[str, BindParameter[Any]] = {
    name: bindparam(name) for name in ("firing", "told_us", "starts_us", "since_us", "changes")
}
_add = Prepared(insert(alert).values(lookup=bindparam("hash"), edition=1, **_state))
_change = Prepared(
    update(alert)
    .where(_a.lookup == bindparam("hash"), _a.edition == bindparam("seen"))
    .values(edition=bindparam("next"), **_state)
)
_old = select(_a.lookup).where(_a.told_us <= bindparam("until_us")).order_by(_a.told_us).limit(_BATCH)
_forget = Prepared(delete(alert).where(_a.lookup.in_(_old)))


def known(connection: Connection, lookups: Sequence[bytes]) -> dict[bytes, AlertState]:
    """What was told of these."""
    return {
        bytes(row.lookup): AlertState(
            bool(row.firing), row.told_us, row.starts_us, row.since_us, row.changes, row.edition
        )
        for row in _known.rows(connection, lookups)
    }


def keep(
    connection: Connection, seen: Mapping[bytes, AlertState], states: Mapping[bytes, AlertState], now_us: int
) -> None:
    """Remember what is told in this transaction; what is older than a while is forgotten on the way.

    `seen` is what was known when that was decided. Raises `Conflict` where it is not so any more.
    """
    found = known(connection, list(states))
    if any(found.get(lookup) != seen.get(lookup) for lookup in states):
        raise _raced()
    for lookup, state in states.items():
        values = {"hash": lookup} | {name: getattr(state, name) for name in _state}
        if lookup not in seen:
            # Of two hosts that add it at once, the second one meets the key and is run again.
            _add.change(connection, **values)
        elif not _change.change(connection, **values, seen=state.edition, next=state.edition + 1):
            raise _raced()
    _forget.change(connection, until_us=now_us - KEPT_US)


def _raced() -> Conflict:
    return Conflict("alert_raced", "somebody else told of this alert at this moment")
