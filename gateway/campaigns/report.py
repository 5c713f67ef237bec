"""Reports as values: what came of a campaign, of messages, of hours; how many people got how much.

Nowhere is a number, a name or a text of anybody. Instants are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.campaign import CampaignView, Decision
from gateway.campaigns.report_tally import Group, Tally
from gateway.rules.best_hour import BestHour

#: What messages are grouped by.
GROUPED_BY: Final = ("category", "kind", "campaign", "variant", "segment", "modem", "operator")
#: What hours are compared by, of the messages that began in them.
TIMED: Final = ("delivery", "click", "reply")
#: So many messages in the month: the least and the most of each class, None for no end.
PRESSURES: Final = ((0, 0), (1, 2), (3, 10), (11, None))

#: Remarks on what the figures do not say, by their codes.
REMARKS: Final[Mapping[str, str]] = {
    "no_open": "an SMS tells nobody that it was opened or read: no rate here says so. "
    "Delivery is what the network reported, response is a click, a reply or a conversion",
    "no_reports": "no delivery report has come: the network may give none, and then the delivery rate says nothing",
    "running": "the campaign is not over: these figures still grow",
    "stopped_early": "a look at unfinished figures finds differences that are not there more often than the level says",
    "segments_overlap": "a campaign or an alert that went to several segments is counted in each of them",
    "operator_now": "an operator is that of the modem now; the SIM may have been another one then",
    "hours_not_dealt": "nobody was dealt out to hours by chance: who was written to then may differ, too",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comparing the variants says. `status`: "pending" until it is decided at `at_us`, "decided", or "current":
    no test share waits for it, and this is what it says now."""

    status: str
    metric: str
    at_us: int | None
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class MessagesReport:
    """Messages that were accepted from `since_us` to before `until_us`, in groups."""

    since_us: int
    until_us: int
    by: str
    whole: Tally
    groups: Sequence[Group]
    remarks: Sequence[str]


@dataclass(slots=True)
class Cell:
    """An hour of a day of the week: messages that began in it, and how many of these came to what."""

    begun: int = 0
    delivery: int = 0
    click: int = 0
    reply: int = 0


@dataclass(frozen=True, slots=True)
class CategoryHours:
    """Of one category: cells by weekday (0 is Monday) and hour, in the recipients' own zones where they are known; and
    the best hour of the day by each of `TIMED`."""

    category: str
    cells: Mapping[tuple[int, int], Cell]
    best: Mapping[str, BestHour]


@dataclass(frozen=True, slots=True)
class TimingReport:
    """When messages began, and what came of them."""

    since_us: int
    until_us: int
    timezone: str
    categories: Sequence[CategoryHours]
    remarks: Sequence[str] = ("no_open", "hours_not_dealt")


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A campaign. `variants` are in their order; `modems` by what they took, of which each key has `node`, `modem` and
    `operator`; `hours` is None while nothing has begun."""

    campaign: CampaignView
    test: bool
    made_us: int
    whole: Tally
    variants: Sequence[Tally]
    verdict: Verdict | None
    remarks: Sequence[str]
    modems: Sequence[Group] = ()
    hours: CategoryHours | None = None


@dataclass(frozen=True, slots=True)
class PressureReport:
    """How many people got how many messages in a month of the gateway's zone, in the classes of `PRESSURES`."""

    month: str
    since_us: int
    until_us: int
    people: Sequence[int]
