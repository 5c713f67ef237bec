"""Sends one request and says what came of it. The status decides; of an answer's body nothing is used.

What a receiver does must cost nothing: a connection within 5 s, a status within 15 s, no redirect followed, at most
64 KiB of the body read away (so that the connection can be used again), and that for two seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from gateway.clock import SECOND_US, Clock, from_datetime
from gateway.notify.callbacks import Request
from gateway.notify.reach import WHOSE, OutOfReach, Reach, Unresolved, cause_of, checked_url

log = logging.getLogger(__name__)

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
_BODY_S: Final = 2.0
_BODY_OCTETS: Final = 64 * 1024
_HEADERS: Final = {"User-Agent": "tocsin-webhooks", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try: an HTTP status, or the word for what went wrong instead."""

    status: int | None = None
    #: A word without anybody's address: `timeout`, `refused`, `dns`, `tls`, `not_allowed`, `broken`.
    error: str | None = None
    retry_after_s: int | None = None
    duration_us: int = 0

    @property
    def good(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more (410)."""
        return self.status == HTTPStatus.GONE

    @property
    def word(self) -> str:
        """For lists: the status, or what went wrong."""
        return str(self.status) if self.status is not None else self.error or "broken"


class Courier:
    """Asks receivers, over connections that `reach` allows. Made and closed in the event loop."""

    def __init__(self, reach: Reach, clock: Clock, answer_s: float = ANSWER_S) -> None:
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        self._answer_s = answer_s
        self._make: Callable[[], aiohttp.ClientSession] = lambda: reach.session(_HEADERS)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request, whose: int | None = None) -> Answer:
        """What came of it; never raises but for its own cancellation. `whose`: the token that named the host."""
        WHOSE.set(whose)
        began_us = self._clock.monotonic_us()
        try:
            async with asyncio.timeout(self._answer_s):
                answer = await self._asked(request)
        except TimeoutError:
            answer = Answer(error="timeout")
        except (aiohttp.ClientError, OutOfReach, OSError, ValueError, asyncio.LimitOverrunError) as error:
            answer = Answer(error=_word(error))
        return Answer(answer.status, answer.error, answer.retry_after_s, self._clock.monotonic_us() - began_us)

    async def _asked(self, request: Request) -> Answer:
        if self._session is None:
            self._session = self._make()
        url, _, _ = checked_url(request.url)
        response = await self._session.request(
            request.method,
            # As it is written: another system's signature is over its characters.
            URL(url, encoded=True),
            data=request.body or None,
            headers=dict(request.headers),
            allow_redirects=False,
            timeout=self._timeout,
        )
        try:
            return Answer(response.status, None, self._retry_after_s(response.headers.get("Retry-After")))
        finally:
            await _put_away(response)

    def _retry_after_s(self, value: str | None) -> int | None:
        """RFC 9110, 10.2.3: seconds, or a date."""
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            return int(value[:9])
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            return max(0, (from_datetime(parsedate_to_datetime(value)) - self._clock.now_us()) // SECOND_US)
        return None

    async def close(self) -> None:
        """Break off what is under way."""
        if self._session is not None:
            await self._session.close()


async def _put_away(response: aiohttp.ClientResponse) -> None:
    """Read a short body to its end, so that its connection can be used again; of a long or slow one nothing is kept."""
    try:
        async with asyncio.timeout(_BODY_S):
            left = _BODY_OCTETS
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
        pass
    finally:
        # Nothing is done where all was read.
        response.close()


def _word(error: Exception) -> str:
    """By its kind: libraries write addresses into their sentences."""
    refusal = cause_of(error)
    for kind, word in _WORDS:
        if isinstance(refusal or error, kind):
            return word
    return "broken"


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (Unresolved, "dns"),
    (OutOfReach, "not_allowed"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ServerTimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "refused"),
    (OSError, "broken"),
)
