"""Campaigns: the bodies that make, change and start them, and the objects that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from api.models.campaign_values import CampaignFields, VariantOut, variant_out, written_duration
from api.models.fields import Id, Incoming, Name, Outgoing, PageQuery, Time, TimeOut, wrong
from api.models.lists import PageOut
from api.models.messages import time_out
from gateway.campaign import CampaignChange, CampaignStatus, CampaignView, MemberState, MemberView, Wanted
from gateway.clock import rfc3339
from gateway.services.campaign_starts import CampaignFinding, Launch
from gateway.services.campaigns import NewCampaign

_Status: TypeAlias = Literal["draft", "scheduled", "running", "paused", "finished", "canceled"]
_STATUSES: Final = tuple(status.value for status in CampaignStatus)


class CampaignIn(CampaignFields):
    """Body of `POST /v1/campaigns`. One text, by language or not, or a template; or several `variants` of it."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"name": "Check-up in spring", "to": ["+33639980101"], "text": "It is time for your check-up."},
        {
            "name": "Two ways to say it",
            "to": ["+33639980101", "+33639980102"],
            "variants": [{"name": "short", "text": "Open on Sunday!"}, {"name": "polite", "text": "We are open."}],
            "test_share": 0.2,
            "metric": "reply",
            "decide_after": "4h",
        },
    )

    name: Name
    to: Annotated[list[Name], Field(description="numbers, and names of segments", max_length=1000)]
    category: Annotated[Name | None, Field(description="default: the token's, else transactional")] = None
    audience: Annotated[
        Literal["frozen", "live"], Field(description="who is in it when it starts, or whoever is while it runs")
    ] = "frozen"
    start: Annotated[bool, Field(description="start it at once; it is forgotten if that is refused")] = False
    force: Annotated[bool, Field(description="start it in spite of what a proof-reader finds")] = False

    def value(self) -> NewCampaign:
        """What the services take."""
        fields = self.wanted_fields(self.to)
        fields.setdefault("variants", ())
        return NewCampaign(self.name, Wanted(**fields), self.category, self.audience)


class CampaignEdit(CampaignFields):
    """Body of `PATCH /v1/campaigns/{id}`: what is not there stays as it is."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "Check-up in summer"},)

    name: Name | None = None
    to: Annotated[list[Name], Field(max_length=1000)] | None = None
    category: Name | None = None
    audience: Literal["frozen", "live"] | None = None

    def value(self) -> CampaignChange:
        """What the services take."""
        return CampaignChange(self.name, self.category, self.audience, self.wanted_fields(self.to))


class StartIn(Incoming):
    """Body of `POST /v1/campaigns/{id}/start`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"force": True},)

    force: Annotated[bool, Field(description="in spite of what a proof-reader finds")] = False


class ScheduleIn(StartIn):
    """Body of `POST /v1/campaigns/{id}/schedule`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"at": "2030-01-06T09:00:00+01:00"},)

    at: Time


class ProofIn(Incoming):
    """Body of `POST /v1/campaigns/{id}/proof`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"to": "+33639980101"},)

    to: Annotated[Name | None, Field(description="default: `proof_to` of the campaign")] = None
    variables: Annotated[dict[str, Any], Field(description="in place of what a contact would have")] = Field(
        default_factory=dict
    )


def _statuses(value: Any) -> tuple[str, ...]:
    words = tuple(value.split(",")) if isinstance(value, str) else ()
    if not words or any(word not in _STATUSES for word in words):
        raise wrong(f"must be one of {', '.join(_STATUSES)}, or several joined by commas")
    return words


class CampaignsQuery(PageQuery):
    """Query of `GET /v1/campaigns`."""

    REPEATABLE: ClassVar[frozenset[str]] = frozenset({"status"})

    status: (
        Annotated[
            tuple[str, ...],
            PlainValidator(_statuses),
            WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(_STATUSES)}}),
        ]
        | None
    ) = None
    parent: Annotated[Id | None, Field(description="the runs of a recurring campaign")] = None


class MembersQuery(PageQuery):
    """Query of `GET /v1/campaigns/{id}/members`."""

    state: Literal["waiting", "queued", "left_out"] | None = None


class GuardOut(Outgoing):
    """What stops a variant."""

    opt_out_rate: float
    least: int


class PaceOut(Outgoing):
    """How fast it goes at most."""

    per_minute: int


class TriedOut(Outgoing):
    """On how many people a variant was tried, and how many of these did what the metric counts."""

    variant: str
    tried: int
    did: int


class DecisionOut(Outgoing):
    """What came of comparing the variants."""

    winner: str | None
    reason: str
    counts: list[TriedOut]
    facts: dict[str, Any]


class CampaignCountsOut(Outgoing):
    """How many people are in it, and how far it is with them."""

    members: int
    queued: int
    left_out: int
    waiting: int


class CampaignOut(Outgoing):
    """A campaign."""

    id: Id
    name: str
    status: _Status
    category: str
    audience: Literal["frozen", "live"]
    to: list[str]
    variants: list[VariantOut]
    variables: dict[str, Any]
    test_share: float
    metric: Literal["delivery", "click", "reply", "conversion", "opt_out"]
    decide_after: str | None
    decide_at: TimeOut | None
    otherwise: Literal["first", "split"]
    seed: int
    guard: GuardOut | None
    pace: PaceOut | None
    windows: list[str]
    look_every: str
    until: TimeOut | None
    every: str | None
    expect: list[str]
    expires_after: str | None
    proof_to: str | None
    codes: str | None
    parent: Id | None
    created_at: TimeOut
    scheduled_at: TimeOut | None
    started_at: TimeOut | None
    finished_at: TimeOut | None
    next_at: TimeOut | None
    reason: str | None
    winner: str | None
    decided_at: TimeOut | None
    decision: DecisionOut | None
    counts: CampaignCountsOut


class CampaignsPage(PageOut[CampaignOut]):
    """A page of campaigns."""


class EstimateOut(Outgoing):
    """How long it is expected to take; null where no modem can send."""

    recipients: int
    parts: int
    modems: int
    seconds: float | None
    done_at: TimeOut | None


class FindingOut(Outgoing):
    """What a proof-reader found in a variant."""

    variant: str
    code: str
    message: str
    error: bool


class LaunchOut(CampaignOut):
    """A campaign that was started or scheduled."""

    estimate: EstimateOut | None
    findings: list[FindingOut]


class MemberOut(Outgoing):
    """Somebody who is in a campaign. `reason` says why there is no message."""

    number: str | None
    variant: str | None
    state: Literal["waiting", "queued", "left_out"]
    reason: str | None
    message_id: Id | None
    in_test: bool


class MembersPage(PageOut[MemberOut]):
    """A page of members."""


def campaign_out(campaign: CampaignView) -> dict[str, object]:
    """A campaign as it is shown."""
    wanted = campaign.wanted
    return {
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status.value,
        "category": campaign.category,
        "audience": campaign.audience,
        "to": list(wanted.to),
        "variants": [variant_out(each, campaign.stopped.get(at)) for at, each in enumerate(wanted.variants)],
        "variables": dict(wanted.variables),
        **_test_out(campaign),
        "pace": None if wanted.per_minute is None else {"per_minute": wanted.per_minute},
        "windows": list(wanted.windows),
        "look_every": written_duration(wanted.look_every_us),
        "until": time_out(wanted.until_us),
        "every": wanted.every,
        "expect": list(wanted.expect),
        "expires_after": None if wanted.expires_after_us is None else written_duration(wanted.expires_after_us),
        "proof_to": wanted.proof_to,
        "codes": wanted.codes,
        "parent": campaign.parent_id,
        **_life_out(campaign),
    }


def _test_out(campaign: CampaignView) -> dict[str, object]:
    wanted, guard = campaign.wanted, campaign.wanted.guard
    after = wanted.decide_after_us
    return {
        "test_share": wanted.test_share,
        "metric": wanted.metric,
        "decide_after": None if after is None else written_duration(after),
        "decide_at": time_out(wanted.decide_us),
        "otherwise": wanted.otherwise,
        "seed": wanted.seed,
        "guard": None if guard is None else {"opt_out_rate": guard.opt_out_rate, "least": guard.least},
    }


def _life_out(campaign: CampaignView) -> dict[str, object]:
    waiting = max(campaign.members - campaign.queued - campaign.left_out, 0)
    return {
        "created_at": rfc3339(campaign.created_us),
        "scheduled_at": time_out(campaign.scheduled_us),
        "started_at": time_out(campaign.started_us),
        "finished_at": time_out(campaign.finished_us),
        "next_at": time_out(campaign.next_us),
        "reason": campaign.reason,
        "winner": _name(campaign, campaign.winner),
        "decided_at": time_out(campaign.decided_us),
        "decision": _decision_out(campaign),
        "counts": {
            "members": campaign.members,
            "queued": campaign.queued,
            "left_out": campaign.left_out,
            "waiting": waiting,
        },
    }


def _decision_out(campaign: CampaignView) -> dict[str, object] | None:
    decision = campaign.decision
    if decision is None:
        return None
    counts = [
        {"variant": _name(campaign, at), "tried": tried, "did": did} for at, (tried, did) in enumerate(decision.counts)
    ]
    facts: Mapping[str, Any] = decision.facts
    return {
        "winner": _name(campaign, decision.winner),
        "reason": decision.reason,
        "counts": counts,
        "facts": dict(facts),
    }


def _name(campaign: CampaignView, variant: int | None) -> str | None:
    return None if variant is None else campaign.wanted.variants[variant].name


def launch_out(launch: Launch) -> dict[str, object]:
    """A campaign that was started, with what is expected of it."""
    estimate = launch.estimate
    told = None
    if estimate is not None:
        told = {
            "recipients": estimate.recipients,
            "parts": estimate.parts,
            "modems": estimate.modems,
            "seconds": None if estimate.seconds is None else round(estimate.seconds, 1),
            "done_at": time_out(estimate.done_us),
        }
    findings = [_finding_out(launch.campaign, each) for each in launch.findings]
    return {**campaign_out(launch.campaign), "estimate": told, "findings": findings}


def _finding_out(campaign: CampaignView, finding: CampaignFinding) -> dict[str, object]:
    return {
        "variant": _name(campaign, finding.variant),
        "code": finding.caution.code,
        "message": finding.caution.message,
        "error": finding.is_error,
    }


def member_out(campaign: CampaignView, member: MemberView) -> dict[str, object]:
    """Somebody who is in it."""
    return {
        "number": member.number,
        "variant": _name(campaign, member.variant),
        "state": MemberState(member.state).value,
        "reason": member.reason,
        "message_id": member.message_id,
        "in_test": member.in_test,
    }
