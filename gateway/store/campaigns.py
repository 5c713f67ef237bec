"""Campaigns: the row of each, its status and counts, and who works on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from gateway.store import events
from gateway.store.prepared import Prepared, word
from gateway.store.schema import AnyRow, campaign, campaign_member, campaign_stop, message

_c = campaign.c
_m = message.c
_WRITTEN: Final = (
    "id", "name", "status", "category", "audience", "wanted", "token_id", "parent_id", "created_us", "scheduled_us",
    "next_us",
)  # fmt: skip
_add = Prepared(insert(campaign).values(**{name: bindparam(name, type_=_c[name].type) for name in _WRITTEN}))
_get = Prepared(select(campaign).where(_c.id == bindparam("of_campaign")))
_locked = Prepared(select(campaign).where(_c.id == bindparam("of_campaign")).with_for_update())
_children = Prepared(
    select(campaign)
    .where(_c.parent_id == bindparam("of_parent", type_=String), _c.finished_us.is_(None))
    .order_by(_c.id)
)
_due = Prepared(
    select(_c.id, _c.next_us)
    .where(
        _c.next_us <= bindparam("now_us", type_=BigInteger),
        or_(_c.worker.is_(None), _c.lease_us <= bindparam("now_us"), _c.worker == bindparam("me", type_=String)),
    )
    .order_by(_c.next_us)
    .limit(bindparam("most", type_=Integer))
)
_next = Prepared(
    select(_c.next_us).where(_c.next_us > bindparam("now_us", type_=BigInteger)).order_by(_c.next_us).limit(1)
)
_claim = Prepared(
    update(campaign)
    .where(
        _c.id == bindparam("of_campaign"),
        or_(_c.worker.is_(None), _c.lease_us <= bindparam("now_us"), _c.worker == bindparam("me", type_=String)),
    )
    .values(worker=bindparam("me"), lease_us=bindparam("until_us", type_=BigInteger))
)
_release = Prepared(
    update(campaign)
    .where(_c.id == bindparam("of_campaign"), _c.worker == bindparam("me", type_=String))
    .values(worker=null(), lease_us=null())
)
_leave = Prepared(
    update(campaign)
    .where(_c.id == bindparam("of_campaign"), _c.worker == bindparam("me", type_=String))
    .values(
        worker=null(),
        lease_us=null(),
        next_us=case(
            (_c.next_us > bindparam("seen_us", type_=BigInteger), _c.next_us),
            # Whoever found nothing more to do found it paused, and somebody whose clock is behind has resumed it since.
            (_c.status == word("running"), func.coalesce(bindparam("then_us", type_=BigInteger), _c.next_us)),
            else_=bindparam("then_us", type_=BigInteger),
        ),
    )
)
_count = Prepared(
    update(campaign)
    .where(_c.id == bindparam("of_campaign"))
    .values(
        members=_c.members + bindparam("more_members", type_=Integer),
        queued=_c.queued + bindparam("more_queued", type_=Integer),
        left_out=_c.left_out + bindparam("more_left_out", type_=Integer),
    )
)
_waiting = and_(_m.campaign_id == bindparam("of_campaign"), _m.status.in_([word("held"), word("queued")]))
_some_waiting = Prepared(select(_m.id).where(_waiting).order_by(_m.id).limit(bindparam("most", type_=Integer)))
_some_of_variant = Prepared(
    select(_m.id)
    .where(_waiting, _m.variant == bindparam("which", type_=Integer))
    .order_by(_m.id)
    .limit(bindparam("most", type_=Integer))
)


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    """Insert one: `values` has all of id, name, status, category, audience, wanted, token_id, parent_id, created_us,
    scheduled_us, next_us."""
    _add.change(connection, **values)


def get(connection: Connection, campaign_id: str) -> AnyRow | None:
    """One campaign."""
    return _get.first(connection, of_campaign=campaign_id)


def locked(connection: Connection, campaign_id: str) -> AnyRow | None:
    """One campaign that nobody else changes until this transaction ends."""
    return _locked.first(connection, of_campaign=campaign_id)


def page(
    connection: Connection,
    *,
    statuses: Sequence[str],
    parent_id: str | None,
    token_id: int | None,
    limit: int,
    before: str | None,
) -> Sequence[AnyRow]:
    """Campaigns, newest first, one more than `limit` where there are more. `token_id`: only those of this token."""
    query = select(campaign).order_by(_c.id.desc()).limit(limit + 1)
    if statuses:
        query = query.where(_c.status.in_(statuses))
    if parent_id is not None:
        query = query.where(_c.parent_id == parent_id)
    if token_id is not None:
        query = query.where(_c.token_id == token_id)
    if before is not None:
        query = query.where(_c.id < before)
    return connection.execute(query).all()


def open_wanted(connection: Connection) -> Sequence[str]:
    """What was asked for of every campaign that is not over."""
    return connection.execute(select(_c.wanted).where(_c.finished_us.is_(None))).scalars().all()


def change(connection: Connection, campaign_id: str, **values: Any) -> None:
    """Write columns."""
    connection.execute(update(campaign).where(_c.id == campaign_id).values(**values))


def set_status(connection: Connection, row: AnyRow, status: str, now_us: int, **values: Any) -> None:
    """Write the status and other columns, and the event `campaign.STATUS`; where it has that status already, only the
    columns."""
    change(connection, row.id, status=status, **values)
    if row.status != status:
        record(connection, row, status, now_us, reason=values.get("reason"))


def record(connection: Connection, row: AnyRow, status: str, now_us: int, *, reason: str | None = None) -> None:
    """Append `campaign.STATUS`. The name of a campaign is its owner's, and names nobody else."""
    facts = {"id": row.id, "name": row.name, "status": status, "reason": reason, "parent": row.parent_id}
    events.record(connection, now_us, f"campaign.{status}", detail=reason, facts=facts)


def remove(connection: Connection, campaign_id: str) -> None:
    """Forget a draft. Its members were forgotten before."""
    connection.execute(delete(campaign_stop).where(campaign_stop.c.campaign_id == campaign_id))
    connection.execute(delete(campaign_member).where(campaign_member.c.campaign_id == campaign_id))
    connection.execute(delete(campaign).where(_c.id == campaign_id))


def children(connection: Connection, campaign_id: str) -> Sequence[AnyRow]:
    """Those that a recurring one began, and that are not over."""
    return _children.rows(connection, of_parent=campaign_id)


def due(connection: Connection, now_us: int, me: str, most: int) -> Sequence[AnyRow]:
    """Those that are to be looked at, and on which nobody else works: id, next_us."""
    return _due.rows(connection, now_us=now_us, me=me, most=most)


def next_us_behind(connection: Connection, now_us: int) -> int | None:
    """When the next that is not due yet is to be looked at."""
    return _next.scalar(connection, now_us=now_us)


def claim(connection: Connection, campaign_id: str, me: str, now_us: int, until_us: int) -> bool:
    """Work on it alone until then; False where somebody else does."""
    return bool(_claim.change(connection, of_campaign=campaign_id, me=me, now_us=now_us, until_us=until_us))


def free(connection: Connection, node: str | None) -> None:
    """What a process of this node works on, which is gone; None: any process."""
    held = update(campaign).where(_c.worker.is_not(None)).values(worker=None, lease_us=None)
    connection.execute(held if node is None else held.where(_c.worker.startswith(node, autoescape=True)))


def release(connection: Connection, campaign_id: str, me: str) -> None:
    """Others may work on it."""
    _release.write(connection, of_campaign=campaign_id, me=me)


def leave(connection: Connection, campaign_id: str, me: str, next_us: int | None, seen_us: int) -> None:
    """Others may work on it, and it is to be looked at then; a look that somebody asked for since `seen_us` stands."""
    _leave.write(connection, of_campaign=campaign_id, me=me, then_us=next_us, seen_us=seen_us)


def count(connection: Connection, campaign_id: str, *, members: int = 0, queued: int = 0, left_out: int = 0) -> None:
    """So many more were written down, were queued, were left out."""
    _count.write(connection, of_campaign=campaign_id, more_members=members, more_queued=queued, more_left_out=left_out)


def waiting_messages(
    connection: Connection, campaign_id: str, most: int, *, variant: int | None = None
) -> Sequence[str]:
    """Ids of messages of it, or of one variant, that are held or queued; at most so many."""
    if variant is None:
        rows = _some_waiting.rows(connection, of_campaign=campaign_id, most=most)
    else:
        rows = _some_of_variant.rows(connection, of_campaign=campaign_id, which=variant, most=most)
    return [row.id for row in rows]
