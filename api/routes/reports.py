"""Reports: as JSON, as CSV for spreadsheets, as a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
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
from gateway.campaigns.report_html import PAGE_POLICY
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
    reports = call.services.reports
    report = await reports.campaign(call.principal, campaign_id)
    page = partial(reports.page, call.principal, report)
    return await _told(call, wanted.format, partial(campaign_report_out, report), campaign_table, page)


async def of_messages(call: Call, wanted: MessagesReportQuery) -> web.Response:
    """What came of messages, in groups."""
    reports = call.services.reports
    report = await reports.messages(call.principal, wanted.by, wanted.since, wanted.until)
    page = partial(reports.page_of, report)
    return await _told(call, wanted.format, partial(messages_report_out, report), messages_table, page)


async def of_hours(call: Call, wanted: TimingReportQuery) -> web.Response:
    """When messages began, by hour and day of the week, what came of them, and the best hour of each category."""
    reports = call.services.reports
    report = await reports.timing(call.principal, wanted.category, wanted.since, wanted.until)
    page = partial(reports.page_of, report)
    return await _told(call, wanted.format, partial(timing_report_out, report), timing_table, page)


async def of_month(call: Call, wanted: PressureReportQuery) -> web.Response:
    """How many people got how many messages in a month."""
    reports = call.services.reports
    report = await reports.pressure(call.principal, wanted.month)
    page = partial(reports.page_of, report)
    return await _told(call, wanted.format, partial(pressure_report_out, report), pressure_table, page)


async def _told(
    call: Call,
    wanted: str | None,
    document: Callable[[], dict[str, Any]],
    table: Callable[[Mapping[str, Any]], str],
    page: Callable[[], Awaitable[str]],
) -> web.Response:
    """As it is wanted, else as the request accepts it."""
    form = wanted or _accepted(call.request)
    if form == "html":
        # A page that is opened from here may show itself with its own style, and nothing more.
        policy = {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
        return _written(await page(), HTML, **policy)
    return _written(table(document()), CSV) if form == "csv" else answer(document())


def _written(text: str, media: str, **fields: str) -> web.Response:
    headers = {**COMMON_FIELDS, **fields, "Content-Type": f"{media}; charset=utf-8"}
    return web.Response(body=text.encode(errors="replace"), headers=headers)


def _accepted(request: web.Request) -> str:
    """By the first of the media types that are known; a browser names HTML before anything."""
    for part in request.headers.get("Accept", "")[:_ACCEPT_MOST].split(","):
        media = part.partition(";")[0].strip().lower()
        if media == CSV:
            return "csv"
        if media == HTML:
            return "html"
        if media == "application/json":
            break
    return "json"
