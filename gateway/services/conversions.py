"""Conversions: told by the owner's application, matched to the message of a campaign that came before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.address import NumberInvalid, parse_recipient
from gateway.campaigns.conversions import ConversionView, Told, record, view_of
from gateway.campaigns.links import code_of
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest
from gateway.ids import is_id
from gateway.requests import Page, Principal
from gateway.services.campaigns import Campaigns
from gateway.services.visibility import before_row
from gateway.store import conversions, recipients
from gateway.store.database import Store

__all__ = ["ConversionView", "Conversions", "NewConversion"]

MOST_KIND: Final = 64
MOST_REFERENCE: Final = 255
_MOST_CODE: Final = 64
_MOST_VALUE: Final = 1e12
# Clocks of two machines differ.
_AHEAD_US: Final = 300 * SECOND_US
_WAYS: Final = "is one of four ways to say who it was: number, code, link, message"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConversion:
    """What an application tells: who, by one of the four, and what they did."""

    kind: str
    number: str | None = None
    code: str | None = None
    link: str | None = None
    message: str | None = None
    value: float | None = None
    at_us: int | None = None
    reference: str | None = None


class Conversions:
    """The conversions of one gateway."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, campaigns: Campaigns) -> None:
        self._window_us = settings.campaigns.conversion_window_us
        self._address = settings.links.address
        self._country = settings.gateway.country
        self._store = store
        self._clock = clock
        self._campaigns = campaigns

    async def record(self, principal: Principal, new: NewConversion) -> tuple[ConversionView, bool]:
        """Write one down: as it was kept, and whether it is new. What this token told before with the same reference
        is not told twice; `Conflict` where that was something else."""
        now_us = self._clock.now_us()
        told = self._told(new, now_us)

        def work(connection: Connection) -> tuple[ConversionView, bool]:
            person = None if told.lookup is None else recipients.find(connection, told.lookup)
            row = record(connection, told, person, principal.token_id, now_us, own_only=principal.test)
            if row is not None:
                return view_of(row), True
            before = conversions.by_reference(connection, principal.token_id, told.reference or "")
            assert before is not None, "it is the only reason not to write"
            if (before.kind, before.value) != (told.kind, told.value):
                raise Conflict("reference_used", "this reference was told before, of something else")
            return view_of(before), False

        return await self._store.write(work, hurried=True)

    async def list(
        self,
        principal: Principal,
        *,
        campaign_id: str | None = None,
        kind: str | None = None,
        matched: bool | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page[ConversionView]:
        """Conversions, newest first; to a token that only tests, its own."""
        if campaign_id is not None:
            await self._campaigns.get(principal, campaign_id)
        before = before_row(cursor)

        def work(connection: Connection) -> Page[ConversionView]:
            rows = conversions.page(
                connection,
                campaign_id=campaign_id,
                kind=kind,
                matched=matched,
                token_id=principal.token_id if principal.test else None,
                limit=limit,
                before=before,
            )
            following = str(rows[limit - 1].id) if len(rows) > limit else None
            return Page([view_of(row) for row in rows[:limit]], following)

        return await self._store.read(work)

    def _told(self, new: NewConversion, now_us: int) -> Told:
        ways = {"number": new.number, "code": new.code, "link": new.link, "message": new.message}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            raise InvalidRequest.field("conversion_invalid", f"/{(given or ['number'])[-1]}", _WAYS)
        at_us = now_us if new.at_us is None else new.at_us
        if at_us > now_us + _AHEAD_US:
            raise InvalidRequest.field("at_in_future", "/at", "lies ahead")
        for pointer, text, most in (("/kind", new.kind, MOST_KIND), ("/reference", new.reference, MOST_REFERENCE)):
            if text is not None and not (1 <= len(text) <= most and text.isprintable()):
                sentence = f"has 1 to {most} characters, all of them printable"
                raise InvalidRequest.field("conversion_invalid", pointer, sentence)
        if new.value is not None and not (math.isfinite(new.value) and abs(new.value) <= _MOST_VALUE):
            raise InvalidRequest.field("conversion_invalid", "/value", f"is a number, at most {_MOST_VALUE:g}")
        return Told(
            kind=new.kind,
            at_us=at_us,
            window_us=self._window_us,
            lookup=None if new.number is None else self._lookup(new.number),
            code=_code(new.code),
            link=None if new.link is None else self._link(new.link),
            message_id=_message(new.message),
            value=new.value,
            reference=new.reference,
        )

    def _lookup(self, number: str) -> bytes:
        try:
            return self._store.fingerprint(parse_recipient(number, self._country))
        except NumberInvalid as error:
            raise InvalidRequest.field("number_invalid", "/number", str(error)) from None

    def _link(self, link: str) -> str:
        code = code_of(link, self._address)
        if code is None:
            raise InvalidRequest.field("conversion_invalid", "/link", "is no link of this gateway")
        return code


def _code(code: str | None) -> str | None:
    if code is not None and not (1 <= len(code.strip()) <= _MOST_CODE and code.strip().isprintable()):
        raise InvalidRequest.field("conversion_invalid", "/code", f"has 1 to {_MOST_CODE} printable characters")
    return None if code is None else code.strip()


def _message(message: str | None) -> str | None:
    if message is not None and not is_id(message):
        raise InvalidRequest.field("conversion_invalid", "/message", "is no id of a message")
    return message
