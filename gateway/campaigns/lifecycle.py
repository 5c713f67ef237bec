"""What can be done to a campaign, inside a transaction that is handed in: by the table, and with what follows from it.

A campaign that was begun by a recurring one shares its fate: who pauses or cancels that one means these as well.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gateway.campaign import CAMPAIGN_TRANSITIONS, CampaignAct, CampaignStatus
from gateway.errors import Conflict
from gateway.store import campaign_stops, campaigns, signals
from gateway.store.schema import AnyRow
from gateway.store.signals import Topic

_PAUSED, _CANCELED = "paused", "canceled"


def status_after(status: str, act: CampaignAct) -> CampaignStatus:
    """The status that an act leads to; `Conflict` where it is not one for this status."""
    after = CAMPAIGN_TRANSITIONS.get((CampaignStatus(status), act))
    if after is None:
        raise Conflict("campaign_state", f"the campaign is {status}: {act} is not possible now")
    return after


def start(connection: Connection, row: AnyRow, now_us: int, **values: Any) -> None:
    """It runs; `values` are columns that are written with it, `next_us` among them where that is not now."""
    if status_after(row.status, CampaignAct.START) == row.status:
        return
    columns: dict[str, Any] = {"started_us": now_us, "next_us": now_us, "reason": None, **values}
    campaigns.set_status(connection, row, CampaignStatus.RUNNING, now_us, **columns)


def pause(connection: Connection, row: AnyRow, now_us: int, *, reason: str | None = None) -> None:
    """No further message of it begins, on any host, from the commit on."""
    if status_after(row.status, CampaignAct.PAUSE) == row.status:
        return
    campaign_stops.add(connection, row.id, _PAUSED, now_us)
    campaigns.set_status(connection, row, CampaignStatus.PAUSED, now_us, next_us=None, reason=reason)
    for child in campaigns.children(connection, row.id):
        if child.status == CampaignStatus.RUNNING:
            pause(connection, child, now_us, reason=reason)


def resume(connection: Connection, row: AnyRow, now_us: int) -> None:
    """It goes on."""
    if status_after(row.status, CampaignAct.RESUME) == row.status:
        return
    campaign_stops.lift(connection, row.id)
    campaigns.set_status(connection, row, CampaignStatus.RUNNING, now_us, next_us=now_us, reason=None)
    signals.send(connection, Topic.WORK)
    for child in campaigns.children(connection, row.id):
        if child.status == CampaignStatus.PAUSED:
            resume(connection, child, now_us)


def cancel(connection: Connection, row: AnyRow, now_us: int, *, reason: str | None = None) -> None:
    """No further message of it begins, from the commit on; what waits of it is ended after that, bit by bit."""
    if status_after(row.status, CampaignAct.CANCEL) == row.status:
        return
    campaign_stops.add(connection, row.id, _CANCELED, now_us)
    values: dict[str, Any] = {"finished_us": now_us, "next_us": now_us, "reason": reason}
    campaigns.set_status(connection, row, CampaignStatus.CANCELED, now_us, **values)
    for child in campaigns.children(connection, row.id):
        cancel(connection, child, now_us, reason=reason)


def finish(connection: Connection, row: AnyRow, now_us: int, *, reason: str | None = None) -> None:
    """Nothing of it is left to be done."""
    status_after(row.status, CampaignAct.FINISH)
    campaigns.set_status(
        connection, row, CampaignStatus.FINISHED, now_us, finished_us=now_us, next_us=None, reason=reason
    )
