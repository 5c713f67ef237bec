"""The hosts that work on one PostgreSQL database: who is alive, by the database's clock, and what the silent left.

A host has a row, a *session* that names its present incarnation, and a lease that it renews. Who finds a lease that has
passed ends its session under a lock on the row. Every mark is made under a lock on the same row, with the session that
holds it (`fence`): so a mark is either committed before the session ended, and everybody sees it, or it never is. What
another host may do then is to watch, never to send: messages that had not begun to leave are set free, and marks
become `uncertain` when no submit can be under way any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from gateway.message import PartState, Status
from gateway.store import events, locks
from gateway.store.engines import insert
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, attempt, host, host_modem, message, part

#: How a session ended.
STOPPED = "stopped"
SILENT = "silent"

_h = host.c
_m = message.c
_NOW: ColumnElement[int] = literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)
_alive = and_(_h.session.is_not(None), _h.lease_us > _NOW)


@dataclass(frozen=True, slots=True)
class Host:
    """What a host says of itself."""

    node: str
    session: str
    version: str
    revision: str
    rules: str


_told: dict[str, Any] = {name: bindparam(f"its_{name}") for name in ("session", "version", "revision", "rules")}
_until: ColumnElement[int] = _NOW + bindparam("lease", type_=BigInteger)
_register = Prepared(
    insert(host)
    .values(node=bindparam("its_node"), lease_us=_until, **_told)
    .on_conflict_do_update(index_elements=["node"], set_={**_told, "ended": None, "lease_us": _until})
)
_renew = Prepared(
    update(host)
    .where(_h.node == bindparam("its_node"), _h.session == bindparam("its_session"))
    .values(lease_us=_until, url=bindparam("its_url"))
)
_end = Prepared(
    update(host)
    .where(_h.node == bindparam("its_node"), _h.session == bindparam("its_session"))
    .values(session=None, ended=STOPPED, lease_us=_NOW)
)
_fence = Prepared(select(func.tocsin_fence(bindparam("its_node"), bindparam("its_session"))))
_standing = Prepared(
    select(
        _h.node,
        _h.session,
        _h.ended,
        _h.version,
        _h.rules,
        _h.url,
        _h.lease_us,
        _alive.label("alive"),
        (_NOW - _h.lease_us).label("silent_us"),
    ).order_by(_h.node)
)
# Whoever is about to mark holds the row; the next look finds it free again.
_silent = Prepared(
    select(_h.node).where(_h.session.is_not(None), _h.lease_us <= _NOW).with_for_update(skip_locked=True)
)
_end_silent = Prepared(update(host).where(_h.node == bindparam("its_node")).values(session=None, ended=SILENT))
_is_open = attempt.c.state == word(PartState.SUBMITTING)
_is_gone = and_(_h.session.is_(None), _h.lease_us + bindparam("patience", type_=BigInteger) <= _NOW)
_orphaned = Prepared(
    select(attempt.c.node, _is_gone.label("overdue"), _h.node.is_(None).label("unknown"))
    .select_from(attempt)
    .outerjoin(host, _h.node == attempt.c.node)
    .where(_is_open, or_(_h.node.is_(None), _h.session.is_(None)))
    .distinct()
)
_add_unknown = Prepared(
    insert(host)
    .values(node=bindparam("its_node"), ended=SILENT, lease_us=_NOW)
    .on_conflict_do_nothing(index_elements=["node"])
)
_lock_gone = Prepared(
    select(_h.node).where(_h.node == bindparam("its_node"), _is_gone).with_for_update(skip_locked=True)
)
_open_marks = Prepared(
    select(attempt.c.id, attempt.c.modem)
    .where(_is_open, attempt.c.node == bindparam("its_node"))
    .order_by(attempt.c.id)
)
# No part of it is with the network, and none may be.
_untouched = ~exists(select(part.c.sequence).where(part.c.message_id == _m.id, part.c.state != word(PartState.PENDING)))
_in_doubt = exists(
    select(attempt.c.id).where(attempt.c.message_id == _m.id, attempt.c.state == word(PartState.UNCERTAIN))
)
_unbegun = Prepared(
    select(_m.id, _in_doubt.label("in_doubt"))
    .where(_m.status == word(Status.SENDING), _m.node == bindparam("its_node"), _untouched)
    .with_for_update(skip_locked=True)
)
_set_free = Prepared(
    update(message).where(_m.id == bindparam("message_id")).values(status=bindparam("word"), modem=None, node=None)
)
_forgotten = and_(
    _h.session.is_(None),
    _h.lease_us + bindparam("after", type_=BigInteger) <= _NOW,
    ~exists(select(attempt.c.id).where(_is_open, attempt.c.node == _h.node)),
)
_forget = Prepared(delete(host).where(_forgotten))
_forget_modems = Prepared(delete(host_modem).where(~exists(select(_h.node).where(_h.node == host_modem.c.node))))
_modem = insert(host_modem).values(
    node=bindparam("its_node"),
    name=bindparam("its_name"),
    state=bindparam("word"),
    simulated=bindparam("is_simulated"),
    status=bindparam("document"),
)
_publish = Prepared(
    _modem.on_conflict_do_update(
        index_elements=["node", "name"],
        set_={name: _modem.excluded[name] for name in ("state", "simulated", "status")},
    )
)
_withdraw = Prepared(
    delete(host_modem).where(host_modem.c.node == bindparam("its_node"), host_modem.c.name == bindparam("its_name"))
)
_names = Prepared(select(host_modem.c.name).where(host_modem.c.node == bindparam("its_node")))
_others = Prepared(
    select(host_modem.c.node, host_modem.c.name, host_modem.c.simulated).where(
        host_modem.c.node != bindparam("its_node")
    )
)
_modems = Prepared(
    select(
        host_modem.c.node,
        host_modem.c.name,
        host_modem.c.state,
        host_modem.c.simulated,
        host_modem.c.status,
        _h.ended,
        _h.lease_us,
        _alive.label("alive"),
    )
    .join(host, _h.node == host_modem.c.node)
    .order_by(host_modem.c.node, host_modem.c.name)
)


def register(connection: Connection, it: Host, lease_us: int) -> None:
    """Take the host's place, with a lease of so many microseconds; whatever held it before has no session any more."""
    _register.write(
        connection,
        its_node=it.node,
        its_session=it.session,
        its_version=it.version,
        its_revision=it.revision,
        its_rules=it.rules,
        lease=lease_us,
    )


def renew(connection: Connection, node: str, session: str, lease_us: int, url: str | None) -> bool:
    """Hold the lease for longer; False when the session was ended, and there is none to hold."""
    return bool(_renew.change(connection, its_node=node, its_session=session, its_url=url, lease=lease_us))


def end(connection: Connection, node: str, session: str) -> None:
    """The host stops; it leaves no mark open."""
    _end.write(connection, its_node=node, its_session=session)


def fence(connection: Connection, node: str, session: str) -> None:
    """Before a mark: this session holds its lease, and nobody ends it before the mark is committed.

    If it does not, the work fails as `lease_lost`, at the latest with its next statement that is needed.
    """
    _fence.write(connection, its_node=node, its_session=session)


def standing(connection: Connection) -> Sequence[AnyRow]:
    """Every host by name: node, session, ended, version, rules, url, lease_us, alive, silent_us."""
    return _standing.rows(connection)


def orphaned(connection: Connection, patience_us: int) -> Sequence[AnyRow]:
    """Nodes without a session that have open marks: node, overdue, unknown (it has no row)."""
    return _orphaned.rows(connection, patience=patience_us)


def add_unknown(connection: Connection, node: str) -> None:
    """A node that left marks before hosts had rows; from now on its time counts."""
    _add_unknown.write(connection, its_node=node)


def end_silent(connection: Connection) -> list[str]:
    """End the sessions whose lease has passed; their nodes. One that is marking at this moment is left for later."""
    nodes = [row.node for row in _silent.rows(connection)]
    for node in nodes:
        _end_silent.change(connection, its_node=node)
    return nodes


def end_stuck(connection: Connection) -> list[str]:
    """End the sessions of hosts whose lease has passed and that hold their row all the same; their nodes."""
    rows = [row for row in _standing.rows(connection) if row.session is not None and not row.alive]
    return [row.node for row in rows if locks.end_stuck(connection, row.node)]


def set_free(connection: Connection, node: str, now_us: int) -> int:
    """Messages of a host without session that were bound to a modem of it and of which nothing left; how many."""
    rows = _unbegun.rows(connection, its_node=node)
    for row in rows:
        # One of which a copy may have left cannot be cancelled, so it does not become `queued` again.
        status = Status.SENDING if row.in_doubt else Status.QUEUED
        _set_free.change(connection, message_id=row.id, word=status.value)
        if status is Status.QUEUED:
            events.record_status(connection, now_us, row.id, status, f"host {node} fell silent")
    return len(rows)


def overdue_marks(connection: Connection, node: str, patience_us: int) -> Sequence[AnyRow]:
    """Open marks of a host that ended so long ago that no submit of it is under way: id, modem.

    The host cannot come back before this transaction ends.
    """
    if _lock_gone.first(connection, its_node=node, patience=patience_us) is None:
        return []
    return _open_marks.rows(connection, its_node=node)


def forget(connection: Connection, after_us: int) -> int:
    """Drop hosts that ended so long ago, with their modems; how many."""
    dropped = _forget.change(connection, after=after_us)
    if dropped:
        _forget_modems.change(connection)
    return dropped


def publish(connection: Connection, node: str, statuses: Mapping[str, tuple[str, bool, Mapping[str, Any]]]) -> None:
    """Tell how modems of this host are: for each name its state, whether it is simulated, and all that is known."""
    for name, (state, simulated, document) in sorted(statuses.items()):
        _publish.write(
            connection,
            its_node=node,
            its_name=name,
            word=state,
            is_simulated=simulated,
            document=json.dumps(document),
        )


def withdraw_others(connection: Connection, node: str, names: Sequence[str]) -> None:
    """Modems that this host had once and has no more."""
    for row in _names.rows(connection, its_node=node):
        if row.name not in names:
            _withdraw.change(connection, its_node=node, its_name=row.name)


def others(connection: Connection, node: str) -> Sequence[AnyRow]:
    """The modems of all hosts but one: node, name, simulated."""
    return _others.rows(connection, its_node=node)


def modems(connection: Connection) -> Sequence[AnyRow]:
    """Every host's modems: node, name, state, simulated, status (JSON), ended, lease_us, alive."""
    return _modems.rows(connection)
