"""What a call can end with instead of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class ClientError(Exception):
    """Base of everything that a call raises, but for wrong arguments (`ValueError`)."""


@dataclass(frozen=True, slots=True)
class WrongField:
    """One field that the gateway does not take: `pointer` is an RFC 6901 JSON pointer such as `/to`."""

    pointer: str
    message: str


class ApiError(ClientError):
    """The gateway's refusal, an RFC 9457 problem. `code` is stable, `str()` is a sentence for a person.

    `retry_after` is in seconds, None where the gateway names no time.
    """

    def __init__(
        self, code: str, status: int, message: str, errors: Sequence[WrongField] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.errors = tuple(errors)
        self.retry_after = retry_after


class Phase(Enum):
    """How far a call came before it failed."""

    CONNECTING = "connecting"
    TLS = "tls"
    #: The request may have arrived, and been done.
    ASKED = "asked"


class NoAnswer(ClientError):
    """There was no answer: nobody listens, the connection broke, or it took too long."""

    def __init__(self, url: str, reason: str, phase: Phase) -> None:
        super().__init__(f"no answer from {url}: {reason}")
        self.reason = reason
        self.phase = phase


class NotAGateway(ClientError):
    """Something answered that does not speak as a gateway does."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} does not answer as a gateway does (HTTP {status})")
        self.status = status
