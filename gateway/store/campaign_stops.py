"""Campaigns, and variants of them, that are stopped: asked for in the transaction that marks a part.

So after the commit that stops one no message of it begins, on any host. Messages are not written to: their lanes name
the campaign, and a lane is passed over as a whole, however many stand in it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import BigInteger, Connection, Integer, bindparam, delete, select

from gateway.store import locks
from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import campaign_stop

#: Every variant.
EVERY = -1

_c = campaign_stop.c
_all = Prepared(select(_c.campaign_id, _c.variant))
_new = insert(campaign_stop).values(
    campaign_id=bindparam("of_campaign"),
    variant=bindparam("which", type_=Integer),
    why=bindparam("word"),
    since_us=bindparam("now_us", type_=BigInteger),
)
_add = Prepared(_new.on_conflict_do_update(index_elements=["campaign_id", "variant"], set_={"why": _new.excluded.why}))
_lift = Prepared(
    delete(campaign_stop).where(
        _c.campaign_id == bindparam("of_campaign"), _c.variant == bindparam("which", type_=Integer)
    )
)
_of_campaign = Prepared(select(_c.variant, _c.why).where(_c.campaign_id == bindparam("of_campaign")))


def standing(connection: Connection) -> Collection[tuple[str, int | None]]:
    """All that is stopped: the id of a campaign, and the variant, None for every variant."""
    return [(row.campaign_id, None if row.variant == EVERY else row.variant) for row in _all.rows(connection)]


def of_campaign(connection: Connection, campaign_id: str) -> dict[int, str]:
    """Which variants of it are stopped, and why; `EVERY` stands for all."""
    return {row.variant: row.why for row in _of_campaign.rows(connection, of_campaign=campaign_id)}


def add(connection: Connection, campaign_id: str, why: str, now_us: int, *, variant: int = EVERY) -> None:
    """Stop it. From the commit on none of it begins; what is being marked at this moment is waited for."""
    locks.wait_for_gates(connection)
    _add.write(connection, of_campaign=campaign_id, which=variant, word=why, now_us=now_us)


def lift(connection: Connection, campaign_id: str, *, variant: int = EVERY) -> None:
    """It may leave again, or nothing of it waits any more."""
    _lift.write(connection, of_campaign=campaign_id, which=variant)
