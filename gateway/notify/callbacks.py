"""Callbacks: news of one message, told to the URL that its caller gave, in the form of the system that it spoke.

`message.callback` is JSON with at least `url` and `form` (`gateway.requests.callback_of` makes it). A form is a
function from an occasion to the request that tells of it, or None where that system would say nothing. Forms do no
input or output and never raise for what a message may be; who sends has checked the address, keeps the order of a
message, tries again and gives up in the same way for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from gateway.notify import signature

if TYPE_CHECKING:
    from gateway.notify.happenings import Happening


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it leaves. `headers` come beside `User-Agent`; no redirect is followed."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is told, and what it takes to tell it."""

    happening: Happening
    #: What was kept of the callback: `url`, `form`, and what else the form put there.
    callback: Mapping[str, Any]
    #: The same at each try: what receivers know a repetition by.
    name: str
    #: The secret of the token that the message belongs to (32 octets); see `signature.callback_secret`.
    secret: bytes
    #: Of this try, in seconds of Unix time.
    at_s: int
    #: The happening in our own words: `{"type", "timestamp", "data"}`.
    body: bytes


Form: TypeAlias = Callable[[Occasion], Request | None]


def standard(occasion: Occasion) -> Request:
    """By Standard Webhooks, as endpoints are told."""
    fields = signature.signed([occasion.secret], occasion.name, occasion.at_s, occasion.body)
    return Request(str(occasion.callback["url"]), "POST", {"Content-Type": "application/json", **fields}, occasion.body)
