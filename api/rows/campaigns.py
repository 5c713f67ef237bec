"""The routes of campaigns."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, by_body, by_body_if_any, by_query
from api.models.batch import BatchOut
from api.models.campaigns import (
    CampaignEdit,
    CampaignIn,
    CampaignOut,
    CampaignsPage,
    CampaignsQuery,
    LaunchOut,
    MembersPage,
    MembersQuery,
    ProofIn,
    ScheduleIn,
    StartIn,
)
from api.models.fields import NoFields, NoQuery
from api.routes import campaigns

_SCOPE: Final = "campaigns"
_ONE: Final = "/v1/campaigns/{id}"

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query("GET", "/v1/campaigns", _SCOPE, CampaignsQuery, campaigns.list_all, out=CampaignsPage, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/campaigns",
        _SCOPE,
        CampaignIn,
        campaigns.create,
        out=LaunchOut,
        status=201,
        codes=(*codes.NEW_CAMPAIGN, *codes.START_CAMPAIGN),
    ),
    by_query("GET", _ONE, _SCOPE, NoQuery, campaigns.read, out=CampaignOut, codes=codes.CAMPAIGN),
    by_body("PATCH", _ONE, _SCOPE, CampaignEdit, campaigns.change, out=CampaignOut, codes=codes.CHANGED_CAMPAIGN),
    by_query("DELETE", _ONE, _SCOPE, NoQuery, campaigns.remove, out=CampaignOut, codes=codes.ACT_OF_CAMPAIGN),
    by_query(
        "GET",
        f"{_ONE}/members",
        _SCOPE,
        MembersQuery,
        campaigns.members,
        out=MembersPage,
        codes=(*codes.CAMPAIGN, *codes.LISTED),
    ),
    by_body_if_any(
        "POST",
        f"{_ONE}/proof",
        _SCOPE,
        ProofIn,
        campaigns.proof,
        out=BatchOut,
        status=202,
        codes=codes.PROOF,
    ),
    by_body(
        "POST", f"{_ONE}/schedule", _SCOPE, ScheduleIn, campaigns.schedule, out=LaunchOut, codes=codes.START_CAMPAIGN
    ),
    by_body_if_any(
        "POST", f"{_ONE}/start", _SCOPE, StartIn, campaigns.start, out=LaunchOut, codes=codes.START_CAMPAIGN
    ),
    by_body_if_any(
        "POST", f"{_ONE}/pause", _SCOPE, NoFields, campaigns.pause, out=CampaignOut, codes=codes.ACT_OF_CAMPAIGN
    ),
    by_body_if_any(
        "POST", f"{_ONE}/resume", _SCOPE, NoFields, campaigns.resume, out=CampaignOut, codes=codes.ACT_OF_CAMPAIGN
    ),
    by_body_if_any(
        "POST", f"{_ONE}/cancel", _SCOPE, NoFields, campaigns.cancel, out=CampaignOut, codes=codes.ACT_OF_CAMPAIGN
    ),
)
