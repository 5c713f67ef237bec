"""What callers ask for, as values. The services take them, the stages read them; none of them knows HTTP.

Instants are microseconds UTC. None means the documented default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from drivers.events import ModemStatus
from gateway.message import Caution, Encoding, Rule, Status

SCOPES = ("send", "read", "read:all", "contacts", "campaigns", "admin")

#: A modem is traced for so long at most, and may take so long for a line that a person puts to it.
TRACE_MOST_S, AT_MOST_S = 24 * 3600, 120

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
class NewToken:
    """A token to be made."""

    name: str
    scopes: tuple[str, ...]
    categories: tuple[str, ...] = ()
    default_category: str | None = None
    test: bool = False


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
