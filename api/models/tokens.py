"""Tokens: making one, and showing them without their secrets."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from api.models.fields import Incoming, Name, Outgoing, Time, TimeOut
from api.models.lists import PageOut
from api.models.messages import time_out
from gateway.clock import rfc3339
from gateway.requests import MOST_DESTINATIONS, MOST_PARTS_A_DAY, NewToken, TokenView

_Scope = Literal["send", "read", "read:all", "contacts", "campaigns", "admin"]


class TokenIn(Incoming):
    """A token to be made. Without `categories` it may use all; without `destinations` it may write anywhere."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "booking", "scopes": ["send", "read"]},)

    name: Annotated[Name, Field(description="1 to 64 letters, digits, dots, dashes and underscores")]
    scopes: Annotated[list[_Scope], Field(min_length=1, max_length=16)]
    categories: Annotated[list[Name], Field(max_length=64, default_factory=list)]
    default_category: Name | None = None
    test: bool = False
    destinations: Annotated[list[Name], Field(max_length=MOST_DESTINATIONS, default_factory=list)]
    rate: Annotated[str, Field(max_length=32, examples=["60/1m"])] | None = None
    parts_a_day: Annotated[int, Field(ge=1, le=MOST_PARTS_A_DAY)] | None = None
    expires_at: Time | None = None

    def value(self) -> NewToken:
        """What the services take."""
        return NewToken(
            name=self.name,
            scopes=tuple(dict.fromkeys(self.scopes)),
            categories=tuple(dict.fromkeys(self.categories)),
            default_category=self.default_category,
            test=self.test,
            destinations=tuple(self.destinations),
            rate=self.rate,
            parts_a_day=self.parts_a_day,
            expires_us=self.expires_at,
        )


class TokenOut(Outgoing):
    """A token, without its secret."""

    name: str
    scopes: list[_Scope]
    categories: list[str]
    default_category: str | None
    test: bool
    destinations: list[str]
    rate: str | None
    parts_a_day: int | None
    expires_at: TimeOut | None
    created_at: TimeOut
    revoked_at: TimeOut | None


class NewTokenOut(TokenOut):
    """A token that was just made, with its secret: no other answer has it, ever."""

    token: str


class TokensPage(PageOut[TokenOut]):
    """Tokens."""


def token_out(token: TokenView) -> dict[str, object]:
    """A token as it is listed: never its secret."""
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "categories": list(token.categories),
        "default_category": token.default_category,
        "test": token.test,
        "destinations": list(token.destinations),
        "rate": token.rate,
        "parts_a_day": token.parts_a_day,
        "expires_at": time_out(token.expires_us),
        "created_at": rfc3339(token.created_us),
        "revoked_at": time_out(token.revoked_us),
    }
