"""Reports: as JSON, as CSV for spreadsheets, of a campaign as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from api.answers import COMMON_FIELDS, answer
from api.endpoint import Call
from api.models.report_tables import campaign_table, messages_table, pressure_table, timing_table
from api.models.reports import (
    CampaignReportQuery,
    MessagesReportQuery,
    PressureReportQuery,
    TimingReportQuery,
    campaign_report_out,
    messages_report_out,
    pressure_report_out,
    timing_report_out,
)
from gateway.campaigns.report_page import PAGE_POLICY
from gateway.errors import NotFound
from gateway.ids import is_id

CSV: Final = "text/csv"
HTML: Final = "text/html"
_ACCEPT_MOST: Final = 1024


async def of_campaign(call: Call, wanted: CampaignReportQuery) -> web.Response:
    """What came of a campaign and of each variant, and which is better; with `text/html` as one page."""
    campaign_id = call.segment("id")
    if not is_id(campaign_id):
        raise NotFound("campaign_not_found", "there is no such campaign")
    report = await call.services.reports.campaign(call.principal, campaign_id)
    form = wanted.format or _accepted(call.request, html=True)
    if form == "html":
        # A page that is opened from here may show itself with its own style, and nothing more.
        policy = {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
        return _written(call.services.reports.page(report), HTML, **policy)
    return _told(campaign_report_out(report), form, campaign_table)


async def of_messages(call: Call, wanted: MessagesReportQuery) -> web.Response:
    """What came of messages, in groups."""
    report = await call.services.reports.messages(call.principal, wanted.by, wanted.since, wanted.until)
    return _told(messages_report_out(report), wanted.format or _accepted(call.request), messages_table)


async def of_hours(call: Call, wanted: TimingReportQuery) -> web.Response:
    """When messages began, by hour and day of the week, what came of them, and the best hour of each category."""
    report = await call.services.reports.timing(call.principal, wanted.category, wanted.since, wanted.until)
    return _told(timing_report_out(report), wanted.format or _accepted(call.request), timing_table)


async def of_month(call: Call, wanted: PressureReportQuery) -> web.Response:
    """How many people got how many messages in a month."""
    report = await call.services.reports.pressure(call.principal, wanted.month)
    return _told(pressure_report_out(report), wanted.format or _accepted(call.request), pressure_table)


def _told(document: dict[str, Any], form: str, table: Callable[[Mapping[str, Any]], str]) -> web.Response:
    return _written(table(document), CSV) if form == "csv" else answer(document)


def _written(text: str, media: str, **fields: str) -> web.Response:
    headers = {**COMMON_FIELDS, **fields, "Content-Type": f"{media}; charset=utf-8"}
    return web.Response(body=text.encode(errors="replace"), headers=headers)


def _accepted(request: web.Request, *, html: bool = False) -> str:
    """By the first of the media types that are known; a browser names HTML before anything."""
    for part in request.headers.get("Accept", "")[:_ACCEPT_MOST].split(","):
        media = part.partition(";")[0].strip().lower()
        if media == CSV:
            return "csv"
        if media == HTML and html:
            return "html"
        if media == "application/json":
            break
    return "json"
