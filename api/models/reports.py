"""Reports: the queries that ask for them, and how they are put into the shapes of `report_shapes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from api.models.fields import Incoming, Name, Time
from api.models.messages import time_out
from gateway.campaigns.report import (
    PRESSURES,
    REMARKS,
    TIMED,
    CampaignReport,
    CategoryHours,
    MessagesReport,
    PressureReport,
    TimingReport,
    Verdict,
)
from gateway.campaigns.report_tally import RatedShare, Tally
from gateway.message import Status
from gateway.rules.best_hour import BestHour
from gateway.rules.proportions import Share

_Format: TypeAlias = Annotated[
    Literal["json", "csv", "html"] | None, Field(description="default: as Accept says, else JSON")
]
_STATUSES: Final = tuple(status.value for status in Status)
_DIGITS: Final = 6


class CampaignReportQuery(Incoming):
    """Query of `GET /v1/reports/campaign/{id}`."""

    format: _Format = None


class MessagesReportQuery(Incoming):
    """Query of `GET /v1/reports/messages`."""

    since: Annotated[Time | None, Field(description="accepted then or later; default: 30 days before `until`")] = None
    until: Annotated[Time | None, Field(description="accepted before; default: now")] = None
    by: Literal["category", "kind", "campaign", "variant", "segment", "modem", "operator"] = "category"
    format: _Format = None


class TimingReportQuery(Incoming):
    """Query of `GET /v1/reports/timing`."""

    category: Annotated[Name | None, Field(description="default: each")] = None
    since: Annotated[Time | None, Field(description="accepted then or later; default: 180 days before `until`")] = None
    until: Annotated[Time | None, Field(description="accepted before; default: now")] = None
    format: _Format = None


class PressureReportQuery(Incoming):
    """Query of `GET /v1/reports/pressure`."""

    month: Annotated[Name | None, Field(description="such as 2026-03, in the gateway's zone; default: this one")] = None
    format: _Format = None


def campaign_report_out(report: CampaignReport) -> dict[str, Any]:
    """As it is shown."""
    campaign = report.campaign
    variants = [
        {"name": each.name, "stopped": campaign.stopped.get(at), **_people_out(report.variants[at])}
        for at, each in enumerate(campaign.wanted.variants)
    ]
    return {
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status.value,
        "category": campaign.category,
        "test": report.test,
        "made_at": time_out(report.made_us),
        "started_at": time_out(campaign.started_us),
        "finished_at": time_out(campaign.finished_us),
        "figures": _people_out(report.whole),
        "variants": variants,
        "verdict": _verdict_out(report, report.verdict),
        "modems": [{"key": dict(each.key), "figures": _figures_out(each.tally)} for each in report.modems],
        "hours": None if report.hours is None else _hours_out(report.hours),
        "remarks": _remarks_out(report.remarks),
    }


def messages_report_out(report: MessagesReport) -> dict[str, Any]:
    """As it is shown."""
    return {
        "since": time_out(report.since_us),
        "until": time_out(report.until_us),
        "by": report.by,
        "figures": _figures_out(report.whole),
        "groups": [{"key": dict(each.key), "figures": _figures_out(each.tally)} for each in report.groups],
        "remarks": _remarks_out(report.remarks),
    }


def timing_report_out(report: TimingReport) -> dict[str, Any]:
    """As it is shown."""
    return {
        "since": time_out(report.since_us),
        "until": time_out(report.until_us),
        "timezone": report.timezone,
        "categories": [_hours_out(each) for each in report.categories],
        "remarks": _remarks_out(report.remarks),
    }


def pressure_report_out(report: PressureReport) -> dict[str, Any]:
    """As it is shown."""
    return {
        "month": report.month,
        "since": time_out(report.since_us),
        "until": time_out(report.until_us),
        "classes": [
            {"least": least, "most": most, "people": people}
            for (least, most), people in zip(PRESSURES, report.people, strict=True)
        ],
    }


def _people_out(tally: Tally) -> dict[str, Any]:
    people = {"members": tally.members, "waiting": tally.waiting, "left_out": _sorted(tally.left_out)}
    return {**_figures_out(tally), **people}


def _figures_out(tally: Tally) -> dict[str, Any]:
    time = tally.response_time()
    told = None
    if time is not None:
        told = {"replies": time.replies, "median_s": round(time.median_s, 3), "p90_s": round(time.p90_s, 3)}
    names = ("accepted", "begun", "clicked", "visited_by_bots", "replied", "converted", "responded", "conversions")
    return {
        **{name: getattr(tally, name) for name in names},
        "conversions_value": tally.value,
        "unsubscribed": tally.unsubscribed,
        "statuses": {word: tally.statuses[word] for word in _STATUSES},
        "failures": _sorted(tally.failures),
        "response_time": told,
        "rates": [_rate_out(each) for each in tally.rates()],
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _rate_out(rated: RatedShare) -> dict[str, Any]:
    share, (low, high) = rated.share, rated.interval
    known = share.people > 0
    return {
        "name": rated.name,
        "counts": rated.counts,
        "of": rated.of,
        "hits": share.hits,
        "people": share.people,
        "rate": round(share.rate, _DIGITS) if known else None,
        "low": round(low, _DIGITS) if known else None,
        "high": round(high, _DIGITS) if known else None,
    }


def _verdict_out(report: CampaignReport, verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    names, decision = [each.name for each in report.campaign.wanted.variants], verdict.decision
    winner = None if decision is None or decision.winner is None else names[decision.winner]
    counts = () if decision is None else decision.counts
    return {
        "status": verdict.status,
        "metric": verdict.metric,
        "at": time_out(verdict.at_us),
        "winner": winner,
        "reason": None if decision is None else decision.reason,
        "counts": [
            {"variant": name, "tried": tried, "did": did} for name, (tried, did) in zip(names, counts, strict=False)
        ],
        "facts": {} if decision is None else dict(decision.facts),
    }


def _remarks_out(codes: Sequence[str]) -> list[dict[str, str]]:
    return [{"code": code, "message": REMARKS[code]} for code in codes]


def _hours_out(hours: CategoryHours) -> dict[str, Any]:
    return {
        "category": hours.category,
        "cells": [
            {
                "weekday": weekday + 1,
                "hour": hour,
                "begun": cell.begun,
                "delivered": cell.delivery,
                "clicked": cell.click,
                "replied": cell.reply,
            }
            for (weekday, hour), cell in sorted(hours.cells.items())
        ],
        "best": {name: _best_out(hours.best[name]) for name in TIMED},
    }


def _best_out(best: BestHour) -> dict[str, Any]:
    return {
        "hour": best.hour,
        "reason": best.reason,
        "rate": _rate(best.share),
        "low": None if best.share is None else round(best.share.interval()[0], _DIGITS),
        "rest": _rate(best.rest),
        "p": best.p,
        "level": best.level,
    }


def _rate(share: Share | None) -> float | None:
    return None if share is None else round(share.rate, _DIGITS)
