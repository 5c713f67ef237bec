"""What the gateway answers with, as types.

They are plain dictionaries at run time: a field that a later version adds is simply there, and nothing breaks.
"""

from __future__ import annotations

from typing import Any, TypedDict


class HoldDoc(TypedDict):
    """Why a message waits, and until when."""

    rule: str
    until: str | None
    detail: str


class FaultDoc(TypedDict):
    """Why a message ended badly."""

    code: str
    message: str


class WarningDoc(TypedDict):
    """What a person should know of a text."""

    code: str
    message: str


class MessageDoc(TypedDict):
    """A message. `status` is one of the words of the reference; times are RFC 3339 in UTC."""

    id: str
    to: str
    text: str
    category: str
    status: str
    encoding: str
    parts: int
    reference: str | None
    modem: str | None
    node: str | None
    simulated: bool
    attempts: int
    created_at: str
    send_at: str | None
    expires_at: str
    due_at: str
    sent_at: str | None
    delivered_at: str | None
    hold: HoldDoc | None
    error: FaultDoc | None
    warnings: list[WarningDoc]


class NewMessageDoc(TypedDict, total=False):
    """What may be said of a message that is to be sent, beside number and text."""

    category: str
    send_at: str
    about_at: str
    shift: str
    expires_at: str
    reference: str
    replaces: bool
    expect: list[str]
    modem: str
    flash: bool
    callback_url: str
    on_uncertain: str
    fallback: list[str]


class BatchMessageDoc(NewMessageDoc, total=False):
    """One message of several. `idempotency_key` counts in a stream alone."""

    to: str
    text: str
    idempotency_key: str


class AcceptedDoc(TypedDict, total=False):
    """What became of one message of several: `id` and `status`, or in a stream `error`, a problem."""

    id: str
    status: str
    error: dict[str, object]


class PreviewDoc(TypedDict):
    """What would become of a text."""

    encoding: str
    parts: int
    characters: int
    remaining: int
    forced_ucs2_by: list[str]
    gsm7_text: str | None
    text: str
    decision: str
    rule: str | None
    until: str | None
    explanation: list[str]
    warnings: list[WarningDoc]


class TimelineDoc(TypedDict):
    """One thing that happened to a message."""

    at: str
    event: str
    detail: str | None


#: `from` is no name that the body of a class can have.
_Sender = TypedDict("_Sender", {"from": str})


class ReceivedDoc(_Sender):
    """A message that was received."""

    id: str
    text: str
    modem: str
    received_at: str
    sent_at: str | None
    parts: int
    keyword: str | None
    in_reply_to: str | None
    reference: str | None
    answer: str | None


class OptOutDoc(TypedDict):
    """Who wants nothing more; `category` is null for everything that can be stopped."""

    number: str
    category: str | None
    since: str
    source: str


class ModemDoc(TypedDict):
    """A modem and how it is."""

    name: str
    node: str
    state: str
    reason: str | None
    port: str
    operator: str | None
    signal_dbm: int | None
    sent_today: int


class EventDoc(TypedDict):
    """Something that happened: its type, when, and what it is about: a message, an inbox item, a modem…"""

    type: str
    timestamp: str
    data: dict[str, Any]


class ImportDoc(TypedDict):
    """How far the import of a file is. `status` is `running`, `finished` or `failed`."""

    id: str
    status: str
    lines: int
    total: int | None
    added: int
    changed: int
    rejected: int
    consents: int
    withheld: int
    problem: str | None


class LeftOutDoc(TypedDict):
    """Who is not in a segment although somebody might think so, by the cause."""

    missing: dict[str, int]
    failed: int
    dead: int


class CountDoc(TypedDict):
    """How many people are in a segment."""

    count: int
    left_out: LeftOutDoc


class CampaignCountsDoc(TypedDict):
    """How many people are in a campaign, and how they stand."""

    members: int
    queued: int
    left_out: int
    waiting: int


class CampaignDoc(TypedDict):
    """A campaign and how it stands; `winner` is the name of a variant."""

    id: str
    name: str
    category: str
    status: str
    reason: str | None
    winner: str | None
    counts: CampaignCountsDoc


class RateDoc(TypedDict):
    """A share of people with its interval at 95 %; null where there is nobody."""

    name: str
    counts: str
    of: str
    hits: int
    people: int
    rate: float | None
    low: float | None
    high: float | None


class FiguresDoc(TypedDict):
    """What came of messages; every rate is a share of `begun`."""

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
    members: int
    waiting: int
    left_out: dict[str, int]
    rates: list[RateDoc]


class VariantFiguresDoc(FiguresDoc):
    """The figures of one variant."""

    name: str
    stopped: str | None


class VerdictDoc(TypedDict):
    """Which variant is better by `metric`; `winner` is its name, null where the difference may be chance."""

    status: str
    metric: str
    winner: str | None
    reason: str


class ReportDoc(TypedDict):
    """What came of a campaign."""

    id: str
    name: str
    status: str
    figures: FiguresDoc
    variants: list[VariantFiguresDoc]
    verdict: VerdictDoc | None
    remarks: list[WarningDoc]
