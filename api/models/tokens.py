"""Tokens: making one, and showing them without their secrets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.models.fields import Incoming, Name
from api.models.messages import time_out
from gateway.clock import rfc3339
from gateway.requests import NewToken, TokenView

_Scope = Literal["send", "read", "read:all", "contacts", "campaigns", "admin"]


class TokenIn(Incoming):
    """Body of `POST /v1/tokens`. Without `categories` it may use all."""

    name: Name
    scopes: Annotated[list[_Scope], Field(min_length=1, max_length=16)]
    categories: Annotated[list[Name], Field(max_length=64, default_factory=list)]
    default_category: Name | None = None
    test: bool = False

    def value(self) -> NewToken:
        """What the services take."""
        return NewToken(
            name=self.name,
            scopes=tuple(dict.fromkeys(self.scopes)),
            categories=tuple(dict.fromkeys(self.categories)),
            default_category=self.default_category,
            test=self.test,
        )


def token_out(token: TokenView) -> dict[str, object]:
    """A token as it is listed: never its secret."""
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "categories": list(token.categories),
        "default_category": token.default_category,
        "test": token.test,
        "created_at": rfc3339(token.created_us),
        "revoked_at": time_out(token.revoked_us),
    }
