"""A message's life as pure values: the states of its parts, and its status word computed from them.

A *part* is one SMS-SUBMIT; a message has one or more. Everything that changes a state goes through the table
`PART_TRANSITIONS`; the status word of a message that has begun is never written by hand, it is `status_of(parts)`.

Before the first part is marked the message is *waiting* (`held` or `queued`); it can then still end as `expired`,
`canceled` or `suppressed`. One that has begun is finished: a torso is unreadable.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The status words of contract section 5, not extended within v1."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    EXPIRED = "expired"
    CANCELED = "canceled"
    SUPPRESSED = "suppressed"


#: No part has been marked yet: such a message can be cancelled, suppressed, or expire.
WAITING: frozenset[Status] = frozenset({Status.HELD, Status.QUEUED})

#: Nothing more is done by itself; a late report may still turn `sent`, `undelivered`, `uncertain` or `failed` into
#: another word.
FINAL: frozenset[Status] = frozenset(Status) - WAITING - {Status.SENDING}


class PartState(StrEnum):
    """The state of one part."""

    PENDING = "pending"
    #: The durable mark stands: from here a modem may have been touched.
    SUBMITTING = "submitting"
    #: The network took it (`+CMGS: <mr>`).
    SENT = "sent"
    FAILED = "failed"
    #: A mark without a result: it may have gone out.
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class PartEvent(StrEnum):
    """What can happen to a part."""

    MARK = "mark"
    ACCEPTED = "accepted"
    #: The modem or the network said no for good.
    REFUSED = "refused"
    #: It certainly did not leave, and may be tried again.
    RELEASED = "released"
    OUTCOME_LOST = "outcome_lost"
    RESEND = "resend"
    REPORT_DELIVERED = "report_delivered"
    REPORT_UNDELIVERED = "report_undelivered"


PART_TRANSITIONS: dict[tuple[PartState, PartEvent], PartState] = {
    (PartState.PENDING, PartEvent.MARK): PartState.SUBMITTING,
    (PartState.SUBMITTING, PartEvent.ACCEPTED): PartState.SENT,
    (PartState.SUBMITTING, PartEvent.REFUSED): PartState.FAILED,
    (PartState.SUBMITTING, PartEvent.RELEASED): PartState.PENDING,
    (PartState.SUBMITTING, PartEvent.OUTCOME_LOST): PartState.UNCERTAIN,
    # Policy `resend` or an operator spends another copy.
    (PartState.UNCERTAIN, PartEvent.RESEND): PartState.PENDING,
    (PartState.UNCERTAIN, PartEvent.ACCEPTED): PartState.SENT,
    (PartState.UNCERTAIN, PartEvent.REFUSED): PartState.FAILED,
    # A late proof that it did not leave.
    (PartState.UNCERTAIN, PartEvent.RELEASED): PartState.PENDING,
    # Evidence of an earlier copy, while the further one waits: it need not leave any more.
    (PartState.PENDING, PartEvent.ACCEPTED): PartState.SENT,
    (PartState.PENDING, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.PENDING, PartEvent.REPORT_UNDELIVERED): PartState.UNDELIVERED,
    # Evidence from the network; a temporary "undelivered" may be corrected by a later report.
    (PartState.UNCERTAIN, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.UNCERTAIN, PartEvent.REPORT_UNDELIVERED): PartState.UNDELIVERED,
    (PartState.SENT, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.SENT, PartEvent.REPORT_UNDELIVERED): PartState.UNDELIVERED,
    # Believed refused; the service centre had it after all.
    (PartState.FAILED, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.FAILED, PartEvent.REPORT_UNDELIVERED): PartState.UNDELIVERED,
    (PartState.UNDELIVERED, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.UNDELIVERED, PartEvent.REPORT_UNDELIVERED): PartState.UNDELIVERED,
    (PartState.DELIVERED, PartEvent.REPORT_DELIVERED): PartState.DELIVERED,
    (PartState.DELIVERED, PartEvent.REPORT_UNDELIVERED): PartState.DELIVERED,
}


#: What a copy is when the network has it, or may have it.
MAY_HAVE_LEFT: frozenset[PartState] = frozenset(
    {PartState.SENT, PartState.UNCERTAIN, PartState.DELIVERED, PartState.UNDELIVERED}
)


def evidence_of(event: PartEvent, others: Collection[PartState]) -> PartEvent | None:
    """What is known of a part from its other copies, after `event` ended this one; None when they say no more."""
    if PartState.DELIVERED in others:
        return PartEvent.REPORT_DELIVERED
    if PartState.SENT in others and event is not PartEvent.ACCEPTED:
        return PartEvent.ACCEPTED
    if PartState.UNDELIVERED in others and event in {PartEvent.RELEASED, PartEvent.REFUSED}:
        return PartEvent.REPORT_UNDELIVERED
    return None


class IllegalTransition(Exception):
    """A part was asked for something its state does not allow: a defect of ours, never of a user."""

    def __init__(self, state: PartState, event: PartEvent) -> None:
        super().__init__(f"a part that is {state} cannot take {event}")


def next_state(state: PartState, event: PartEvent) -> PartState:
    """The state after `event`; `IllegalTransition` where the table has no line."""
    try:
        return PART_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def status_of(parts: Collection[PartState]) -> Status:
    """The status word of a message that has begun: the first of contract section 5 that applies."""
    states = set(parts)
    if PartState.UNCERTAIN in states:
        return Status.UNCERTAIN
    if PartState.FAILED in states:
        return Status.FAILED
    if states & {PartState.PENDING, PartState.SUBMITTING}:
        return Status.SENDING
    if PartState.UNDELIVERED in states:
        return Status.UNDELIVERED
    return Status.DELIVERED if states == {PartState.DELIVERED} else Status.SENT


@dataclass(frozen=True, slots=True)
class Finding:
    """What a status report means for its part: `event` None while the service centre is still trying."""

    event: PartEvent | None
    sentence: str


class Encoding(StrEnum):
    """How the text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Rule(StrEnum):
    """The rule words of contract section 5."""

    SCHEDULED = "scheduled"
    QUIET_HOURS = "quiet_hours"
    WINDOW = "window"
    HOLIDAY = "holiday"
    CAP = "cap"
    SIM_LIMIT = "sim_limit"
    OPT_OUT = "opt_out"
    NO_CONSENT = "no_consent"
    EXPIRED = "expired"
    COUNTRY_PROFILE = "country_profile"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    PAUSED = "paused"
    STORM = "storm"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a message waits: the rule, the first allowed instant (microseconds UTC) if known, and a sentence."""

    rule: Rule
    until_us: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The kill switch: what may not leave now, and since when (microseconds UTC, None while all may).

    A message that only waits for its turn is shown as `held` by it, without being written to: a pause holds a million
    messages as quickly as one. What a rule holds already stays held by that rule.
    """

    everything: bool = False
    categories: tuple[str, ...] = ()
    since_us: int | None = None

    def holds(self, category: str) -> bool:
        """Whether nothing of this category may leave."""
        return self.everything or category in self.categories

    def shown(self, status: Status, category: str) -> Status:
        """The word for a message whose own is `status`."""
        return Status.HELD if status is Status.QUEUED and self.holds(category) else status


#: Nothing is paused.
NO_PAUSE = Pause()
#: Why a paused message waits; nobody knows until when.
PAUSED = Hold(Rule.PAUSED, None, "sending is paused")


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a person may want to change: stable code, one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Message:
    """An outbound message as front ends see it. Instants are microseconds UTC."""

    id: str
    to: str
    text: str | None
    category: str
    status: Status
    encoding: Encoding
    parts: int
    reference: str | None
    modem: str | None
    node: str | None
    simulated: bool
    attempts: int
    created_us: int
    send_us: int | None
    expires_us: int
    due_us: int
    sent_us: int | None
    delivered_us: int | None
    hold: Hold | None
    error_code: str | None
    error_message: str | None
    warnings: Sequence[Caution]
    #: How often the same was asked for again, and joined to it.
    repeats: int = 0
    #: The message that it was joined to: what becomes of that becomes of it.
    joined_to: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One line of a message's history. `detail` holds no number and no text."""

    at_us: int
    event: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A received message. `text` is None for data that is no text."""

    id: str
    sender: str
    text: str | None
    modem: str
    received_us: int
    sent_us: int | None
    parts: int
    keyword: str | None
    in_reply_to: str | None
    reference: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class OptOut:
    """Who must not be written to. `category` None means all stoppable categories."""

    number: str
    category: str | None
    since_us: int
    source: str


class ConsentState(StrEnum):
    """What an entry of the consent ledger says."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    #: A double opt-in that waits for its answer. It changes nothing about what stood before.
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Consent:
    """One entry of the ledger. `at_us` is when the person said so, `recorded_us` when it was written down; `wording` is
    what the person was shown, `source` where the entry comes from, `by` who recorded it."""

    number: str
    category: str
    state: ConsentState
    at_us: int
    recorded_us: int
    channel: str | None = None
    wording: str | None = None
    evidence: str | None = None
    source: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reply that nearly is a keyword: the inbox item, who wrote it, and the keyword that it may be."""

    inbox_id: str
    sender: str
    text: str | None
    guess: str
    created_us: int
    settled_us: int | None = None
    settled_as: str | None = None
    settled_by: str | None = None
