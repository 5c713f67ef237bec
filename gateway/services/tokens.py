"""Tokens: made, listed, revoked at run time, and looked up in memory at each request."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.config.durations import read_cap
from gateway.config.settings import Category
from gateway.config.shapes import Wrong
from gateway.config.times import cap
from gateway.errors import Conflict, FieldError, InvalidRequest, NotFound, Unauthorized, Unavailable
from gateway.requests import MOST_DESTINATIONS, MOST_PARTS_A_DAY, SCOPES, NewToken, Principal, TokenView
from gateway.rules.destinations import normalised
from gateway.services.visibility import refuse_test
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
#: Bounds what is remembered of a token with a rate, and how long.
MOST_IN_RATE, LONGEST_RATE_US = 100_000, 24 * 3600 * SECOND_US


async def _nothing() -> None:
    """Nothing is rehearsed on."""


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
        #: Called when there is a test token, or was one, at each look: what they rehearse on need not be there before.
        self.on_test: Callable[[], Awaitable[None]] = _nothing
        #: Called after the live tokens were read anew.
        self.on_loaded: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Read the live tokens into memory."""
        async with self._loading:
            self._loaded, self._live, tested = await self._store.read(
                lambda c: (tokens.edition(c), tokens.live(c), tokens.has_test(c))
            )
            if tested:
                await self.on_test()
        self.on_loaded()

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
        if principal is None or (principal.expires_us is not None and principal.expires_us <= self._clock.now_us()):
            raise Unauthorized("token_unknown", "the token is not known, was revoked, or has expired")
        return principal

    async def create(self, principal: Principal | None, new: NewToken) -> tuple[TokenView, str]:
        """Make a token; its secret is told here and never again. In force when this returns."""
        now_us = self._clock.now_us()
        refuse_test(principal, "makes no token but such a one", allowed=new.test)
        new = self._checked(new, now_us)
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
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
        now_us = self._clock.now_us()

        def work(connection: Connection) -> TokenView | None:
            gone = tokens.revoke(connection, name, now_us)
            if gone is not None:
                # Raised inside the transaction: it stays in force.
                refuse_test(principal, "revokes no token but such a one", allowed=gone.test)
            return gone

        revoked = await self._store.write(work, hurried=True)
        if revoked is None:
            raise NotFound("token_not_found", "there is no live token of that name")
        await self.load()
        return revoked

    def _checked(self, new: NewToken, now_us: int) -> NewToken:
        """The token as it is kept; `InvalidRequest` with all that is wrong with it."""
        errors = [*self._named_wrong(new), *_limits_wrong(new, now_us)]
        if errors:
            raise InvalidRequest("token_invalid", errors[0].message, errors=errors)
        found = dict.fromkeys(normalised(each) or each for each in new.destinations)
        return replace(new, destinations=tuple(found))

    def _named_wrong(self, new: NewToken) -> list[FieldError]:
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
        return errors


def _limits_wrong(new: NewToken, now_us: int) -> list[FieldError]:
    """What is wrong with what it may do at most."""
    errors = [
        FieldError(f"/destinations/{index}", 'is neither the beginning of a number ("+33") nor a country ("FR")')
        for index, each in enumerate(new.destinations)
        if normalised(each) is None
    ]
    if len(new.destinations) > MOST_DESTINATIONS:
        errors.append(FieldError("/destinations", f"names more than {MOST_DESTINATIONS}"))
    if new.rate is not None and (reason := _rate_wrong(new.rate)) is not None:
        errors.append(FieldError("/rate", reason))
    if new.parts_a_day is not None and not 1 <= new.parts_a_day <= MOST_PARTS_A_DAY:
        errors.append(FieldError("/parts_a_day", f"is from 1 to {MOST_PARTS_A_DAY}"))
    if new.expires_us is not None and new.expires_us <= now_us:
        errors.append(FieldError("/expires_at", "has passed"))
    return errors


def _rate_wrong(written: str) -> str | None:
    try:
        count, span_us = read_cap(cap(written))
    except Wrong:
        return 'is no rate: write a count and a duration, such as "60/1m"'
    if count > MOST_IN_RATE or span_us > LONGEST_RATE_US:
        return f"is at most {MOST_IN_RATE} messages in at most 24 hours"
    return None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
