"""The routes of reports."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, Reply, by_query
from api.models.report_shapes import CampaignReportOut, MessagesReportOut, PressureReportOut, TimingReportOut
from api.models.reports import CampaignReportQuery, MessagesReportQuery, PressureReportQuery, TimingReportQuery
from api.routes import reports

_AS_CSV: Final = Reply(200, "the same as a table, with `format=csv` or `Accept: text/csv`", reports.CSV)
_AS_HTML: Final = Reply(200, "the same as one page, with `format=html` or `Accept: text/html`", reports.HTML)

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query(
        "GET",
        "/v1/reports/campaign/{id}",
        "campaigns",
        CampaignReportQuery,
        reports.of_campaign,
        out=CampaignReportOut,
        codes=codes.CAMPAIGN,
        also=(_AS_CSV, _AS_HTML),
    ),
    by_query(
        "GET",
        "/v1/reports/messages",
        "read:all",
        MessagesReportQuery,
        reports.of_messages,
        out=MessagesReportOut,
        also=(_AS_CSV, _AS_HTML),
    ),
    by_query(
        "GET",
        "/v1/reports/timing",
        "read:all",
        TimingReportQuery,
        reports.of_hours,
        out=TimingReportOut,
        also=(_AS_CSV, _AS_HTML),
    ),
    by_query(
        "GET",
        "/v1/reports/pressure",
        "read:all",
        PressureReportQuery,
        reports.of_month,
        out=PressureReportOut,
        also=(_AS_CSV, _AS_HTML),
    ),
)
