"""A campaign as a value: what was asked for, its life as a table, and how front ends see it. Values only.

Instants are microseconds UTC (`_us`), so are durations. A variant is named by its place, 0-based.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class CampaignStatus(StrEnum):
    """The status words of campaigns (contract, section 6)."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELED = "canceled"


class CampaignAct(StrEnum):
    """What can be done to a campaign; `finish` only it itself does."""

    SCHEDULE = "schedule"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISH = "finish"


_S, _A = CampaignStatus, CampaignAct

#: What becomes of a campaign by an act; where there is no line the act is refused. An act that was done already leads
#: where it is, so that who asks twice is told the same.
CAMPAIGN_TRANSITIONS: Final[Mapping[tuple[CampaignStatus, CampaignAct], CampaignStatus]] = {
    (_S.DRAFT, _A.SCHEDULE): _S.SCHEDULED,
    (_S.DRAFT, _A.START): _S.RUNNING,
    (_S.DRAFT, _A.CANCEL): _S.CANCELED,
    # Another moment.
    (_S.SCHEDULED, _A.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _A.START): _S.RUNNING,
    (_S.SCHEDULED, _A.CANCEL): _S.CANCELED,
    (_S.RUNNING, _A.START): _S.RUNNING,
    (_S.RUNNING, _A.PAUSE): _S.PAUSED,
    (_S.RUNNING, _A.RESUME): _S.RUNNING,
    (_S.RUNNING, _A.CANCEL): _S.CANCELED,
    (_S.RUNNING, _A.FINISH): _S.FINISHED,
    (_S.PAUSED, _A.PAUSE): _S.PAUSED,
    (_S.PAUSED, _A.RESUME): _S.RUNNING,
    (_S.PAUSED, _A.CANCEL): _S.CANCELED,
    (_S.CANCELED, _A.CANCEL): _S.CANCELED,
}

#: What the variants of a campaign are compared by.
METRICS: Final = ("delivery", "click", "reply", "conversion", "opt_out")
#: Who a campaign goes to: who is in it when it starts, or whoever is while it runs.
FROZEN, LIVE = "frozen", "live"
#: What the others get when no variant is better: the first one, or all of them by their weights.
FIRST, SPLIT = "first", "split"


class MemberState(StrEnum):
    """How far it is with somebody who is in a campaign."""

    WAITING = "waiting"
    QUEUED = "queued"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say it: `texts` are Liquid by language ("" is any), or `template` names what has them."""

    name: str
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str | None = None
    send_us: int | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Guard:
    """Stops a variant of which more than this share of at least so many messages was answered by an opt-out, beyond
    what chance makes of that share."""

    opt_out_rate: float
    least: int = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asked for."""

    to: tuple[str, ...]
    variants: tuple[Variant, ...]
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: The share of people on whom the variants are tried; 1: everybody gets one by weights, and nobody waits.
    test_share: float = 1.0
    metric: str = "delivery"
    decide_after_us: int | None = None
    decide_us: int | None = None
    otherwise: str = FIRST
    seed: int = 0
    guard: Guard | None = None
    #: At most so many a minute, and only within these spans (as `windows` of a category); None and none: no limit.
    per_minute: int | None = None
    windows: tuple[str, ...] = ()
    #: Of a live one: how often it looks for whoever came since, and until when.
    look_every_us: int = 900_000_000
    until_us: int | None = None
    #: "1d", "2w", or days and a time of day such as "mon-fri 09:00": each time a campaign of its own begins.
    every: str | None = None
    expect: tuple[str, ...] = ()
    expires_after_us: int | None = None
    proof_to: str | None = None
    #: The pool that `code` in the texts comes from.
    codes: str | None = None

    @property
    def tests(self) -> bool:
        """Whether some people get the variants first, and the others wait for what comes of it."""
        return len(self.variants) > 1 and self.test_share < 1


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a test: the better variant, or None where none is; `reason` says so in a sentence. `counts` are
    how many of each variant were tried, and how many of these did what the metric counts; `facts` what else is told of
    it: which test was used, what it assumes."""

    winner: int | None
    reason: str
    counts: Sequence[tuple[int, int]] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as front ends see it. `stopped` are variants that were stopped, and why."""

    id: str
    name: str
    status: CampaignStatus
    category: str
    audience: str
    wanted: Wanted
    token_id: int | None
    parent_id: str | None
    created_us: int
    scheduled_us: int | None
    started_us: int | None
    finished_us: int | None
    reason: str | None
    winner: int | None
    decided_us: int | None
    decision: Decision | None
    members: int
    queued: int
    left_out: int
    next_us: int | None
    worker: str | None = None
    lease_us: int | None = None
    stopped: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """What of a draft is to be another: None leaves it as it is; `fields` are those of `Wanted`."""

    name: str | None = None
    category: str | None = None
    audience: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class MemberView:
    """Somebody who is in a campaign; `number` is None once it was erased."""

    number: str | None
    variant: int | None
    state: MemberState
    reason: str | None
    message_id: str | None
    in_test: bool


@dataclass(frozen=True, slots=True)
class CampaignEstimate:
    """How long a campaign takes: so many people get so many parts over so many modems. `seconds` and `done_us` are
    None where no modem can send."""

    recipients: int
    parts: int
    modems: int
    seconds: float | None
    done_us: int | None
