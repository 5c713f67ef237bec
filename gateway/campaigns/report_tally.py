"""What became of messages, added up: how many, which shares of which whole, how long answers took. Values only.

A rate is always of the messages that began to leave (`begun`): what nobody was sent nobody can have answered, and who
counts only what was delivered compares unlike groups where one network reports and another does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, fsum
from statistics import median
from typing import Any, Final

from gateway.message import Status
from gateway.rules.proportions import Share

#: Of the interval that is told with each rate.
CONFIDENCE: Final = 0.95
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RatedShare:
    """A rate: how many did what `counts` says, of how many that `of` names."""

    name: str
    counts: str
    of: str
    share: Share

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return self.share.interval(CONFIDENCE)


@dataclass(slots=True)
class Tally:
    """Figures of one group of messages. `members`, `waiting` and `left_out` are people of a campaign."""

    members: int = 0
    waiting: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])
    accepted: int = 0
    begun: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])
    clicked: int = 0
    #: With a visit by a program, whether or not a person came too.
    visited_by_bots: int = 0
    replied: int = 0
    converted: int = 0
    #: With any of the three.
    responded: int = 0
    unsubscribed: int = 0
    conversions: int = 0
    values: list[float] = field(default_factory=list[float])
    delays_us: list[int] = field(default_factory=list[int])

    def add(self, row: Any) -> None:
        """A row of `report_figures.Counted.rows`."""
        count: int = row.messages
        self.accepted += count
        self.begun += count if row.begun else 0
        self.statuses[row.status] += count
        if row.status in (Status.FAILED, Status.UNDELIVERED):
            self.failures[row.error_code or row.status] += count
        self.clicked += count if row.click else 0
        self.visited_by_bots += count if row.bot else 0
        self.replied += count if row.reply else 0
        self.converted += count if row.conversion else 0
        self.responded += count if row.click or row.reply or row.conversion else 0
        self.unsubscribed += count if row.opt_out else 0

    def join(self, other: Tally) -> None:
        """Add another group to this one."""
        self.left_out.update(other.left_out)
        self.statuses.update(other.statuses)
        self.failures.update(other.failures)
        self.values += other.values
        self.delays_us += other.delays_us
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def value(self) -> float:
        """Of all conversions together."""
        return round(fsum(self.values), 6)

    def rates(self) -> Sequence[RatedShare]:
        """Every rate, with what it counts."""
        counted = {
            "delivery": ("delivered", self.statuses[Status.DELIVERED]),
            "response": ("responded", self.responded),
            "click": ("clicked", self.clicked),
            "reply": ("replied", self.replied),
            "conversion": ("converted", self.converted),
            "opt_out": ("unsubscribed", self.unsubscribed),
        }
        return [
            RatedShare(name, word, "begun", Share(min(hits, self.begun), self.begun))
            for name, (word, hits) in counted.items()
        ]

    def response_time(self) -> ResponseTime | None:
        """How long answers took; None where there are none."""
        if not self.delays_us:
            return None
        ordered = sorted(self.delays_us)
        tenth = ordered[ceil(0.9 * len(ordered)) - 1]
        return ResponseTime(len(ordered), median(ordered) / _SECOND_US, tenth / _SECOND_US)


_COUNTS: Final = (
    "members", "waiting", "accepted", "begun", "clicked", "visited_by_bots", "replied", "converted", "responded",
    "unsubscribed", "conversions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """From delivery, or from sending where no report came, to the first reply: of so many, in seconds. `p90_s` is the
    time within which nine in ten came."""

    replies: int
    median_s: float
    p90_s: float


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a report: what its messages have in common, and their figures."""

    key: Mapping[str, str | int | None]
    tally: Tally
