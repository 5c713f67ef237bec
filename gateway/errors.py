"""Refusals that reach a caller, as typed errors with a stable code.

    GatewayError
    ├── InvalidRequest        422  a field can never become right
    ├── NotFound              404
    ├── Conflict              409  the thing is in a state that forbids it
    ├── Unauthorized          401
    ├── Forbidden             403
    ├── TooMany               429  a cap is reached; there is room again later (`retry_after_s`)
    ├── Unavailable           503  try again later (`retry_after_s`)
    │   ├── StoreClosed       503  the gateway is stopping
    │   └── StorageFull       507  try again later (`retry_after_s`)
    └── ConfigurationError         every problem of a configuration at once; exit status 78

Messages are shown to users as they are. They never contain a number, a text or a secret: a field is named by its
JSON pointer, never quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `pointer` is an RFC 6901 JSON pointer such as `/to`; of what stands in no body, a bare name: of
    the query, the path or a header field."""

    pointer: str
    message: str


class GatewayError(Exception):
    """Base of all refusals. `code` is stable within v1, `message` is one sentence for a person."""

    def __init__(self, code: str, message: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = tuple(errors)


class InvalidRequest(GatewayError):
    """The request can never become right as it stands."""

    @classmethod
    def field(cls, code: str, pointer: str, message: str) -> InvalidRequest:
        """A refusal because of one field."""
        return cls(code, message, errors=(FieldError(pointer, message),))


class NotFound(GatewayError):
    """No such thing, or none that this token may see."""


class Conflict(GatewayError):
    """The thing exists, in a state that forbids what was asked."""


class Unauthorized(GatewayError):
    """No token, or one that is not known or was revoked."""


class Forbidden(GatewayError):
    """The token is good and lacks the scope."""


class TooMany(GatewayError):
    """As much as a cap allows was sent already; `retry_after_s` says when there is room again, in seconds."""

    def __init__(self, code: str, message: str, *, retry_after_s: int, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(code, message, errors=errors)
        self.retry_after_s = retry_after_s


class Unavailable(GatewayError):
    """Cannot be done now; `retry_after_s` says when to try again, in seconds."""

    def __init__(self, code: str, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class StorageFull(Unavailable):
    """The disk under the store is full or read-only: nothing was accepted."""


class StoreClosed(Unavailable):
    """The store is closed: the gateway is stopping."""

    def __init__(self) -> None:
        super().__init__("stopping", "the gateway is stopping")


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One problem of a configuration: `key` is a dotted path such as `modems.sim1.port`."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class ConfigurationError(Exception):
    """Every problem of one configuration, found at once."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StoreInUse(Exception):
    """Another process holds the store's lock."""


class NodeTaken(StoreInUse):
    """Another daemon, perhaps on another machine, has this host's name; the message says which, and what to do."""
