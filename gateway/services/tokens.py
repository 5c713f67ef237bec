"""Tokens: made, listed, revoked at run time, and looked up in memory at each request."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Mapping, Sequence

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Category
from gateway.errors import Conflict, FieldError, InvalidRequest, NotFound, Unauthorized, Unavailable
from gateway.requests import SCOPES, NewToken, Principal, TokenView
from gateway.store import tokens
from gateway.store.database import Store

log = logging.getLogger(__name__)

#: Makes a leaked token findable by scanners of repositories.
PREFIX = "tocsin_"
MAX_NAME = 64
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")
# How long a signal that another host made or revoked one can be missed for.
_LOOK_US = 5 * SECOND_US
_SECRET_BYTES = 32


class Tokens:
    """Who may ask."""

    def __init__(self, store: Store, clock: Clock, categories: Mapping[str, Category]) -> None:
        self._store = store
        self._clock = clock
        self._categories = categories
        self._live: dict[bytes, Principal] = {}
        # Two loads that overtake each other could bring back what was revoked between them.
        self._loading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._loaded: tuple[int, int] | None = None

    async def load(self) -> None:
        """Read the live tokens into memory."""
        async with self._loading:
            self._loaded, self._live = await self._store.read(lambda c: (tokens.edition(c), tokens.live(c)))

    def nudge(self) -> None:
        """Another host made or revoked one."""
        self._changed.set()

    async def follow(self) -> None:
        """Notice what other hosts make and revoke, until cancelled."""
        while True:
            await self._clock.wait(self._changed, self._clock.now_us() + _LOOK_US)
            self._changed.clear()
            try:
                if await self._store.read(tokens.edition) != self._loaded:
                    await self.load()
            except Unavailable as error:
                log.error("the store refused", extra={"action": "tokens_refused", "code": error.code})

    def knows(self, secret: str) -> bool:
        """Whether somebody holds this secret."""
        return _hash(secret) in self._live

    def authenticate(self, secret: str) -> Principal:
        """Who holds this secret; `Unauthorized` when nobody does."""
        # The hash is looked up, not the secret: how long that takes says nothing about how nearly it was right.
        principal = self._live.get(_hash(secret))
        if principal is None:
            raise Unauthorized("token_unknown", "the token is not known, or was revoked")
        return principal

    async def create(self, principal: Principal | None, new: NewToken) -> tuple[TokenView, str]:
        """Make a token; its secret is told here and never again. In force when this returns."""
        del principal  # the scope of the route is all that is asked
        self._check(new)
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        now_us = self._clock.now_us()
        made = await self._store.write(
            lambda connection: tokens.add(connection, new, _hash(secret), now_us), hurried=True
        )
        if made is None:
            raise Conflict("token_exists", "there is a token of that name; revoke it first")
        await self.load()
        return made, secret

    async def list(self, principal: Principal) -> Sequence[TokenView]:
        """Every token, newest first, revoked ones too."""
        del principal  # the scope of the route is all that is asked
        return await self._store.read(tokens.every)

    async def revoke(self, principal: Principal | None, name: str) -> TokenView:
        """Revoke a token; refused from the moment this returns."""
        del principal  # the scope of the route is all that is asked
        now_us = self._clock.now_us()
        revoked = await self._store.write(lambda connection: tokens.revoke(connection, name, now_us), hurried=True)
        if revoked is None:
            raise NotFound("token_not_found", "there is no live token of that name")
        await self.load()
        return revoked

    def _check(self, new: NewToken) -> None:
        errors: list[FieldError] = []
        if not _NAME.fullmatch(new.name):
            errors.append(FieldError("/name", "has 1 to 64 letters, digits, dots, dashes and underscores"))
        if not new.scopes:
            errors.append(FieldError("/scopes", "names no scope"))
        errors += [
            FieldError(f"/scopes/{index}", f"is no scope; the scopes are {', '.join(SCOPES)}")
            for index, scope in enumerate(new.scopes)
            if scope not in SCOPES
        ]
        errors += [
            FieldError(f"/categories/{index}", "there is no such category in the configuration")
            for index, category in enumerate(new.categories)
            if category not in self._categories
        ]
        chosen = new.default_category
        if chosen is not None and chosen not in self._categories:
            errors.append(FieldError("/default_category", "there is no such category in the configuration"))
        elif chosen is not None and new.categories and chosen not in new.categories:
            errors.append(FieldError("/default_category", "is not among the categories of this token"))
        if errors:
            raise InvalidRequest("token_invalid", errors[0].message, errors=errors)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
