"""What callers ask for, as values. The services take them, the stages read them; none of them knows HTTP.

Instants are microseconds UTC. None means the documented default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from drivers.events import ModemStatus
from gateway.errors import GatewayError
from gateway.message import Caution, Encoding, Rule, Status

SCOPES = ("send", "read", "read:all", "contacts", "campaigns", "admin")

#: A modem is traced for so long at most, and may take so long for a line that a person puts to it. None need answer in
#: less than a second.
TRACE_MOST_S, AT_LEAST_S, AT_MOST_S = 24 * 3600, 1, 120

#: What may be done when a message cannot arrive: words for what is known of its recipient, or an address.
FALLBACKS, MAILTO = ("email", "push"), "mailto:"
MOST_FALLBACKS = 5

#: What a token may be bound to at most: places that it writes to, parts in 24 hours.
MOST_DESTINATIONS, MOST_PARTS_A_DAY = 256, 1_000_000_000

#: News by Standard Webhooks.
STANDARD = "standard"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a token, by its row id and name."""

    token_id: int
    name: str
    scopes: frozenset[str]
    categories: tuple[str, ...] = ()
    default_category: str | None = None
    test: bool = False
    #: What it may do at most: beginnings of numbers (empty: all), messages over a time such as "60/1m", parts in 24
    #: hours, and until when it is valid.
    destinations: tuple[str, ...] = ()
    rate: str | None = None
    parts_a_day: int | None = None
    expires_us: int | None = None

    def may(self, scope: str) -> bool:
        """Whether the scope is granted; `admin` includes all, `read:all` includes `read`."""
        return scope in self.scopes or "admin" in self.scopes or (scope == "read" and "read:all" in self.scopes)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent."""

    to: str
    text: str
    category: str | None = None
    send_us: int | None = None
    expires_us: int | None = None
    reference: str | None = None
    modem: str | None = None
    flash: bool = False
    on_uncertain: str | None = None
    #: Cancels what waits under the same token and reference, in the same commit.
    replaces: bool = False
    #: "best": in the category's preferred hours.
    timing: str | None = None
    #: The event that it is about: it never leaves after it.
    about_us: int | None = None
    #: Where its moment is not allowed: "later" or "earlier". None: earlier if it is about an event.
    shift: str | None = None
    #: The words that answer it.
    expect: tuple[str, ...] = ()
    #: Where news of it goes, in which system's form: what `callback_of` makes.
    callback: str | None = None
    #: What is done when it cannot arrive: "email", "push", or an address such as "mailto:…".
    fallback: tuple[str, ...] = ()
    #: From its acceptance to its moment, and from its moment to its end, for who counts so instead of naming instants.
    delay_us: int | None = None
    lasts_us: int | None = None
    #: What it is for its key, whatever it says: for who makes it of something else, and may make another of the same.
    same: str | None = None
    #: Writes the callback that is kept, where that takes its id and its number in the normal form.
    seal: Callable[[str, str], str] | None = None
    #: The campaign and its variant (0-based), or the ring, that it is part of; no caller outside can say so.
    campaign_id: str | None = None
    variant: int | None = None
    ring_id: str | None = None
    #: The template that the text is made of, and this message's variables: what `template_use` makes.
    template: str | None = None
    #: The text that came of it, or why there is none, which counts only where its key was not used before.
    filled: str | GatewayError | None = None

    def worded(self) -> NewMessage:
        """The same with the text that was made of its template; raises why there is none."""
        if isinstance(self.filled, GatewayError):
            raise self.filled
        return replace(self, text=self.filled or "", template=None, filled=None)

    def dated(self, now_us: int) -> NewMessage:
        """The same with instants, for who counts from the moment of asking, which is `now_us`."""
        if self.delay_us is None and self.lasts_us is None:
            return self
        send_us = self.send_us if self.delay_us is None else now_us + self.delay_us
        expires_us = self.expires_us if self.lasts_us is None else max(send_us or now_us, now_us) + self.lasts_us
        return replace(self, send_us=send_us, expires_us=expires_us, delay_us=None, lasts_us=None)


def callback_of(url: str, form: str = STANDARD, **more: object) -> str:
    """A callback as it is kept with its message (JSON). `form` is a word of `gateway.notify.forms.FORMS`, `more`
    what that form needs besides; the URL is checked when the message is accepted."""
    return json.dumps({"url": url, "form": form, **more})


def template_use(name: str, variables: Mapping[str, object]) -> str:
    """A template by its name, with variables, as a message asks for it (JSON)."""
    return json.dumps([name, variables], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Submission:
    """A message to be sent, and the caller's key for it: asked again with the same key it is the same message."""

    new: NewMessage
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission, in short."""

    id: str
    status: Status


class Settlement(StrEnum):
    """As what an operator settles an uncertain message."""

    SENT = "sent"
    FAILED = "failed"
    RESEND = "resend"


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Filters of a list of messages; None or empty means all."""

    status: Sequence[str] = ()
    to: str | None = None
    category: str | None = None
    reference: str | None = None
    modem: str | None = None
    #: Of which host; asked for as `node:name` in the filter for the modem.
    node: str | None = None
    #: The id of one.
    campaign: str | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Filters of the inbox."""

    sender: str | None = None
    keyword: str | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class ConsentFilter:
    """Filters of the consent ledger; None means all."""

    number: str | None = None
    category: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentIn:
    """An entry of the consent ledger as somebody hands it in; `double_opt_in` asks the person before it counts."""

    number: str
    category: str
    state: str
    at_us: int | None = None
    channel: str | None = None
    wording: str | None = None
    evidence: str | None = None
    source: str | None = None
    by: str | None = None
    double_opt_in: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What became of alerts for one person: how many are `told`, known already (`joined`), over and never told
    (`untold`), told later (`damped`); the messages that tell them, or why there is none."""

    to: str
    counts: Mapping[str, int]
    messages: Sequence[Accepted] = ()
    warnings: Sequence[Caution] = ()
    error: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made."""

    name: str
    scopes: tuple[str, ...]
    categories: tuple[str, ...] = ()
    default_category: str | None = None
    test: bool = False
    destinations: tuple[str, ...] = ()
    rate: str | None = None
    parts_a_day: int | None = None
    expires_us: int | None = None


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as it is listed: never its secret."""

    id: int
    name: str
    scopes: tuple[str, ...]
    categories: tuple[str, ...]
    default_category: str | None
    test: bool
    created_us: int
    revoked_us: int | None
    destinations: tuple[str, ...] = ()
    rate: str | None = None
    parts_a_day: int | None = None
    expires_us: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a message. `decision` is `send`, `hold` or `refuse`."""

    encoding: Encoding
    parts: int
    characters: int
    remaining: int
    forced_ucs2_by: Sequence[str]
    gsm7_text: str | None
    text: str
    decision: str
    rule: Rule | None
    until_us: int | None
    explanation: Sequence[str]
    warnings: Sequence[Caution]


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a host's clock stands. Instants are microseconds UTC: `wall_us` is what the machine says, `now_us` the time
    that the gateway goes by, which differs from it only while it is not `trusted`; `floor_us` the latest that has been.
    `synchronized` is the kernel's word, None where it has none; `database_off_us` the database's clock minus this one.
    """

    trusted: bool
    reason: str | None
    detail: str | None
    since_us: int | None
    wall_us: int
    now_us: int
    floor_us: int
    synchronized: bool | None
    database_off_us: int | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether messages can be accepted and a modem is usable; `reasons` say what is missing, or needs somebody."""

    ready: bool
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first; `next` is an opaque cursor or None."""

    items: Sequence[T]
    next: str | None


@dataclass(frozen=True, slots=True)
class TraceView:
    """A wire trace that is on: its lines follow in `path`, on the gateway's host, behind `offset` octets."""

    path: Path
    offset: int
    until_us: int
    redacted: bool


@dataclass(frozen=True, slots=True)
class ModemCare:
    """What came of looking after a modem. Instants are microseconds UTC.

    `test`: when its last self-test ended, and whether it arrived; `balance`: the amount, and when the operator told it;
    `warnings`: what somebody should look at although the modem seems well.
    """

    test: tuple[int, bool] | None = None
    balance: tuple[float, int] | None = None
    warnings: Sequence[Caution] = ()


@dataclass(frozen=True, slots=True)
class ModemView:
    """A modem as front ends see it. `sent_today` counts parts since midnight in the gateway's zone; `limits` are
    those of its SIM by their configuration's keys, and under `used` what it was used for by the same keys."""

    status: ModemStatus
    node: str
    sent_today: int
    limits: Mapping[str, object] | None = None
    care: ModemCare | None = None


@dataclass(frozen=True, slots=True)
class WebhookView:
    """An endpoint that is told of events. Instants are microseconds UTC; `types` are patterns of event types.

    `generation` counts its secrets; the one before signs too for a day after `rotated_us`.
    """

    id: str
    url: str
    types: tuple[str, ...]
    description: str | None
    created_us: int
    since_us: int
    generation: int = 1
    rotated_us: int | None = None
    disabled_us: int | None = None
    disabled_reason: str | None = None
    succeeded_us: int | None = None
    failed_us: int | None = None
    failure: str | None = None
    #: In which system's form it is told (`gateway.notify.forms.FORMS`).
    form: str = STANDARD
    #: The last event that it is not told of: its transaction's number, and its id.
    since: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """An event that has to be told to an endpoint (`state` "waiting"), or was given up ("dead")."""

    id: int
    event_id: int
    #: The event's type and instant; None once the event is forgotten.
    type: str | None
    at_us: int | None
    state: str
    tries: int
    due_us: int | None
    dead_us: int | None
    outcome: str | None
