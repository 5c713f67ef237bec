"""Rows of campaigns as values."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from gateway.campaign import CampaignStatus, CampaignView
from gateway.campaigns.stored import decision_of_json, wanted_of_json
from gateway.store import campaigns
from gateway.store.schema import AnyRow


def view_of(row: AnyRow) -> CampaignView:
    """A row as front ends see it."""
    return CampaignView(
        id=row.id,
        name=row.name,
        status=CampaignStatus(row.status),
        category=row.category,
        audience=row.audience,
        wanted=wanted_of_json(row.wanted),
        token_id=row.token_id,
        parent_id=row.parent_id,
        created_us=row.created_us,
        scheduled_us=row.scheduled_us,
        started_us=row.started_us,
        finished_us=row.finished_us,
        reason=row.reason,
        winner=row.winner,
        decided_us=row.decided_us,
        decision=decision_of_json(row.decision),
        members=row.members,
        queued=row.queued,
        left_out=row.left_out,
        next_us=row.next_us,
        worker=row.worker,
        lease_us=row.lease_us,
        stopped={int(variant): why for variant, why in json.loads(row.stopped).items()},
    )


def find(connection: Connection, campaign_id: str) -> CampaignView | None:
    """One campaign."""
    row = campaigns.get(connection, campaign_id)
    return None if row is None else view_of(row)
