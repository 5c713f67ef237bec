"""Reports: what came of campaigns and messages, at which hours, and how much people get. No numbers, no names."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gateway.campaigns.report import CampaignReport, MessagesReport, PressureReport, TimingReport
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_page import page_of_report
from gateway.campaigns.report_pages import page_of_hours, page_of_messages, page_of_month
from gateway.campaigns.reporting import Operators, Reporter
from gateway.clock import Clock, from_datetime, to_datetime
from gateway.config.settings import Settings
from gateway.errors import InvalidRequest
from gateway.ids import first_id
from gateway.requests import Principal
from gateway.services.campaigns import Campaigns
from gateway.services.modems import Modems
from gateway.store import tokens
from gateway.store.database import Store
from gateway.store.report_figures import Span

_DAY_US: Final = 86_400_000_000
#: How far back messages, and hours, are looked at where nobody says.
_MESSAGES_US: Final = 30 * _DAY_US
_TIMING_US: Final = 180 * _DAY_US
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 2000, 9990


class Reports:
    """Makes reports. A token that only tests is told of what only tests, others of all else."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, *, campaigns: Campaigns, modems: Modems) -> None:
        self._store = store
        self._clock = clock
        self._zone = ZoneInfo(settings.gateway.timezone)
        #: The language of pages.
        self.language = settings.gateway.language
        self._campaigns = campaigns
        self._modems = modems
        self._reporter = Reporter(store, clock, settings.gateway.timezone)

    async def campaign(self, principal: Principal, campaign_id: str) -> CampaignReport:
        """What came of a campaign."""
        found = await self._campaigns.get(principal, campaign_id)
        token_id = found.token_id
        test = principal.test
        if not test and token_id is not None:
            test = await self._store.read(lambda connection: tokens.only_tests(connection, token_id))
        return await self._reporter.campaign(found, test=test, operators=await self._operators(principal))

    async def page(self, principal: Principal, report: CampaignReport) -> str:
        """The report of a campaign as one page of HTML, in the gateway's language; with what people got in the month in
        which it began."""
        began_us = report.campaign.started_us
        began = to_datetime(report.made_us if began_us is None else began_us).astimezone(self._zone)
        month = await self.pressure(principal, f"{began.year:04}-{began.month:02}")
        return await asyncio.to_thread(page_of_report, report, month, self._paper())

    async def page_of(self, report: MessagesReport | TimingReport | PressureReport) -> str:
        """Another report as a page."""
        if isinstance(report, MessagesReport):
            return await asyncio.to_thread(page_of_messages, report, self._paper())
        if isinstance(report, TimingReport):
            return await asyncio.to_thread(page_of_hours, report, self._paper())
        return page_of_month(report, self._paper())

    def _paper(self) -> Paper:
        return Paper(self.language, self._zone)

    async def _operators(self, principal: Principal) -> Operators:
        views = await self._modems.list(principal)
        return {(view.node, view.status.name): view.status.operator for view in views}

    async def messages(
        self, principal: Principal, by: str, since_us: int | None = None, until_us: int | None = None
    ) -> MessagesReport:
        """What came of messages that were accepted in a time, the last 30 days where nothing is said."""
        since_us, until_us = self._time(since_us, until_us, _MESSAGES_US)
        operators: Operators = await self._operators(principal) if by == "operator" else {}
        span = Span(first=first_id(since_us), end=first_id(until_us), test=principal.test)
        return await self._reporter.messages(span, since_us, until_us, by, operators)

    async def timing(
        self,
        principal: Principal,
        category: str | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
    ) -> TimingReport:
        """At which hours messages began, and what came of them; of those accepted in the last 180 days where nothing is
        said."""
        since_us, until_us = self._time(since_us, until_us, _TIMING_US)
        span = Span(first=first_id(since_us), end=first_id(until_us), test=principal.test)
        return await self._reporter.timing(span, since_us, until_us, category)

    async def pressure(self, principal: Principal, month: str | None = None) -> PressureReport:
        """How many people got how many messages in a month ("2026-03") of the gateway's zone; this one where nothing is
        said."""
        now = to_datetime(self._clock.now_us()).astimezone(self._zone)
        written = month or f"{now.year:04}-{now.month:02}"
        match = _MONTH.fullmatch(written)
        if match is None or not _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR:
            raise InvalidRequest.field("invalid_request", "month", "must be a month such as 2026-03")
        year, number = int(match[1]), int(match[2])
        begins = datetime(year, number, 1, tzinfo=self._zone)
        ends = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=self._zone)
        return await self._reporter.pressure(written, from_datetime(begins), from_datetime(ends), test=principal.test)

    def _time(self, since_us: int | None, until_us: int | None, usual_us: int) -> tuple[int, int]:
        until_us = self._clock.now_us() + 1000 if until_us is None else until_us
        since_us = max(0, until_us - usual_us) if since_us is None else since_us
        if since_us > until_us:
            raise InvalidRequest.field("invalid_request", "since", "is after until")
        return since_us, until_us
