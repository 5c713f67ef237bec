"""What became of the messages of a campaign, by variant. Asked from time to time, never by what sends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from gateway.store.report_figures import DID
from gateway.store.schema import campaign_member, message

_m = message.c


def left(connection: Connection, campaign_id: str, *, tried_only: bool = False) -> dict[int, int]:
    """How many messages of each variant have begun to leave; of those on whom the variants are tried alone, if asked
    so."""
    return _by_variant(connection, _of(campaign_id, tried_only=tried_only))


def did(connection: Connection, campaign_id: str, metric: str, *, tried_only: bool = False) -> dict[int, int]:
    """How many of these did what `metric` (of `METRICS`) counts, as reports count it."""
    return _by_variant(connection, _of(campaign_id, tried_only=tried_only).where(DID[metric]))


def _of(campaign_id: str, *, tried_only: bool) -> Select[*tuple[Any, ...]]:
    query: Select[*tuple[Any, ...]] = select(_m.variant, func.count().label("people")).where(
        _m.campaign_id == campaign_id, _m.begun_us.is_not(None)
    )
    if tried_only:
        member = campaign_member.c
        is_tried = and_(member.campaign_id == _m.campaign_id, member.recipient_id == _m.recipient_id, member.in_test)
        query = query.join(campaign_member, is_tried)
    return query.group_by(_m.variant)


def _by_variant(connection: Connection, query: Select[*tuple[Any, ...]]) -> dict[int, int]:
    return {row.variant: row.people for row in connection.execute(query) if row.variant is not None}
