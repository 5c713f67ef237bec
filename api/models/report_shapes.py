"""The shapes of reports as they are answered. Times are in seconds, rates from 0 to 1."""

from __future__ import annotations

from typing import Any, Literal

from api.models.fields import Id, Outgoing, TimeOut


class RateOut(Outgoing):
    """A rate: `hits` of `people` did what `counts` names; `of` names the whole. `low` to `high` is its interval at
    95 % (Wilson); `rate` is null where there is nobody."""

    name: str
    counts: str
    of: str
    hits: int
    people: int
    rate: float | None
    low: float | None
    high: float | None


class ResponseTimeOut(Outgoing):
    """From delivery, or from sending where no report came, to the first reply."""

    replies: int
    median_s: float
    p90_s: float


class FiguresOut(Outgoing):
    """What became of a group of messages. `begun`: their sending began, whatever came of it. `clicked`, `replied`,
    `converted`, `responded` (any of these) and `unsubscribed` are people, each once."""

    accepted: int
    begun: int
    statuses: dict[str, int]
    failures: dict[str, int]
    clicked: int
    visited_by_bots: int
    replied: int
    converted: int
    responded: int
    conversions: int
    conversions_value: float
    unsubscribed: int
    response_time: ResponseTimeOut | None
    rates: list[RateOut]


class CampaignFiguresOut(FiguresOut):
    """And how it is with the people of a campaign: `waiting` have no message yet, `left_out` get none, by reason."""

    members: int
    waiting: int
    left_out: dict[str, int]


class VariantFiguresOut(CampaignFiguresOut):
    """Of one variant; `stopped` says why it was."""

    name: str
    stopped: str | None


class TriedVariantOut(Outgoing):
    """On how many people a variant was tried, and how many of these did what the metric counts."""

    variant: str
    tried: int
    did: int


class VerdictOut(Outgoing):
    """Which variant is better. `pending`: it is decided at `at`; `decided`: it was; `current`: this is what it says
    now, and nothing waits for it."""

    status: Literal["pending", "decided", "current"]
    metric: str
    at: TimeOut | None
    winner: str | None
    reason: str | None
    counts: list[TriedVariantOut]
    facts: dict[str, Any]


class RemarkOut(Outgoing):
    """What the figures do not say."""

    code: str
    message: str


class ReportGroupOut(Outgoing):
    """What the messages of a group have in common, and their figures."""

    key: dict[str, str | None]
    figures: FiguresOut


class MessagesReportOut(Outgoing):
    """The report of messages."""

    since: TimeOut
    until: TimeOut
    by: str
    figures: FiguresOut
    groups: list[ReportGroupOut]
    remarks: list[RemarkOut]


class CellOut(Outgoing):
    """An hour (0–23) of a day of the week (1 is Monday)."""

    weekday: int
    hour: int
    begun: int
    delivered: int
    clicked: int
    replied: int


class BestHourOut(Outgoing):
    """The hour of the day that stands out, or null and why: `not_enough_data`, `no_difference`. `low` is the lower end
    of the interval of its rate at 95 % (Wilson), `p` that of Fisher's exact test against all other hours, `level` what
    it has to be below."""

    hour: int | None
    reason: str | None
    rate: float | None
    low: float | None
    rest: float | None
    p: float | None
    level: float | None


class CategoryHoursOut(Outgoing):
    """When messages of a category began."""

    category: str
    cells: list[CellOut]
    best: dict[str, BestHourOut]


class CampaignReportOut(Outgoing):
    """The report of a campaign. Keys of `modems` are `node`, `modem` and `operator`; `hours` are null while nothing has
    begun."""

    id: Id
    name: str
    status: str
    category: str
    test: bool
    made_at: TimeOut
    started_at: TimeOut | None
    finished_at: TimeOut | None
    figures: CampaignFiguresOut
    variants: list[VariantFiguresOut]
    verdict: VerdictOut | None
    modems: list[ReportGroupOut]
    hours: CategoryHoursOut | None
    remarks: list[RemarkOut]


class TimingReportOut(Outgoing):
    """The report of hours. They are those of a recipient's contact, else of `timezone`."""

    since: TimeOut
    until: TimeOut
    timezone: str
    categories: list[CategoryHoursOut]
    remarks: list[RemarkOut]


class PressureOut(Outgoing):
    """So many people got from `least` to `most` messages."""

    least: int
    most: int | None
    people: int


class PressureReportOut(Outgoing):
    """How many people got how much in a month. Of those who got nothing, contacts are counted."""

    month: str
    since: TimeOut
    until: TimeOut
    classes: list[PressureOut]
