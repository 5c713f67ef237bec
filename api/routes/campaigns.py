"""Campaigns: made, changed, started, stopped and looked at."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.campaigns import (
    CampaignEdit,
    CampaignIn,
    CampaignsQuery,
    MembersQuery,
    ProofIn,
    ScheduleIn,
    StartIn,
    campaign_out,
    launch_out,
    member_out,
)
from api.models.fields import NoFields, NoQuery
from api.models.lists import list_out
from gateway.errors import GatewayError, InvalidRequest, NotFound
from gateway.ids import is_id
from gateway.services.campaign_starts import Launch

_CREATED: Final = 201
_ACCEPTED: Final = 202


async def list_all(call: Call, wanted: CampaignsQuery) -> web.Response:
    """Campaigns, newest first."""
    page = await call.services.campaigns.list(
        call.principal, statuses=wanted.status or (), parent_id=wanted.parent, limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, campaign_out))


async def create(call: Call, wanted: CampaignIn) -> web.Response:
    """Make a draft; with `start` it starts at once, and where that is refused nothing is kept."""
    try:
        return answer(launch_out(await _made(call, wanted)), _CREATED)
    except InvalidRequest as error:
        raise wanted.as_written(error) from None


async def _made(call: Call, wanted: CampaignIn) -> Launch:
    made = await call.services.campaigns.create(call.principal, wanted.value())
    if not wanted.start:
        return Launch(made)
    try:
        return await call.services.campaign_starts.start(call.principal, made.id, force=wanted.force)
    except GatewayError:
        await call.services.campaigns.remove(call.principal, made.id)
        raise


async def read(call: Call, _: NoQuery) -> web.Response:
    """One campaign."""
    return answer(campaign_out(await call.services.campaigns.get(call.principal, _id(call))))


async def change(call: Call, wanted: CampaignEdit) -> web.Response:
    """Change a draft."""
    try:
        return answer(campaign_out(await call.services.campaigns.change(call.principal, _id(call), wanted.value())))
    except InvalidRequest as error:
        raise wanted.as_written(error) from None


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget a draft; answers with what it was."""
    return answer(campaign_out(await call.services.campaigns.remove(call.principal, _id(call))))


async def members(call: Call, wanted: MembersQuery) -> web.Response:
    """Who is in it, with what became of each."""
    campaign = await call.services.campaigns.get(call.principal, _id(call))
    page = await call.services.campaigns.members(
        call.principal, campaign.id, state=wanted.state, limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, lambda member: member_out(campaign, member)))


async def proof(call: Call, wanted: ProofIn) -> web.Response:
    """Send every variant to one person, as ordinary messages."""
    sent = await call.services.campaign_starts.proof(call.principal, _id(call), wanted.to, wanted.variables)
    return answer({"items": [{"id": each.id, "status": each.status.value} for each in sent]}, _ACCEPTED)


async def schedule(call: Call, wanted: ScheduleIn) -> web.Response:
    """Let a campaign start at a moment."""
    started = await call.services.campaign_starts.schedule(call.principal, _id(call), wanted.at, force=wanted.force)
    return answer(launch_out(started))


async def start(call: Call, wanted: StartIn) -> web.Response:
    """Start a campaign now. Everything is looked at first: what is refused leaves the draft as it was."""
    started = await call.services.campaign_starts.start(call.principal, _id(call), force=wanted.force)
    return answer(launch_out(started))


async def pause(call: Call, _: NoFields) -> web.Response:
    """Let nothing more of a campaign begin."""
    return answer(campaign_out(await call.services.campaigns.pause(call.principal, _id(call))))


async def resume(call: Call, _: NoFields) -> web.Response:
    """Let a paused campaign go on."""
    return answer(campaign_out(await call.services.campaigns.resume(call.principal, _id(call))))


async def cancel(call: Call, _: NoFields) -> web.Response:
    """Let nothing more of a campaign begin, for good; its messages that wait are canceled."""
    return answer(campaign_out(await call.services.campaigns.cancel(call.principal, _id(call))))


def _id(call: Call) -> str:
    """The id of the path; what has not the form of one is no campaign."""
    campaign_id = call.segment("id")
    if not is_id(campaign_id):
        raise NotFound("campaign_not_found", "there is no such campaign")
    return campaign_id
