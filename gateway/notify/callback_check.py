"""Whether a callback may be kept with its message: looked at before the message is accepted, and again at each
connection, since a name may mean something else by then."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections import defaultdict

from gateway.errors import GatewayError, InvalidRequest, Unavailable
from gateway.notify.reach import NOT_ALLOWED, NoTurn, OutOfReach, Reach, checked_url

#: The code of the refusal, and the field that it is about.
CODE, POINTER = "callback_not_allowed", "/callback_url"
# Of one token looked at at once; the names of a large request take turns.
_AT_ONCE = 4
_RETRY_S = 30


class CallbackCheck:
    """Looks at the addresses of callbacks. Where `nowhere` may be reached no name is looked up."""

    def __init__(self, reach: Reach, *, nowhere: bool = False) -> None:
        self._reach = reach
        self._nowhere = nowhere
        self._turns: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))

    async def __call__(self, callback: str, token_id: int) -> GatewayError | None:
        """What is wrong with a callback (`gateway.requests.callback_of`) of this token's, or None. Takes as long as its
        host's name takes to be looked up, three seconds at most; `Unavailable` where too many names of this token's
        are looked up already."""
        url = str(json.loads(callback).get("url"))
        try:
            if self._nowhere and not _is_address(checked_url(url)[1]):
                return _refusal(f"{NOT_ALLOWED}, which names none: its host's networks are written there")
            async with self._turns[token_id]:
                await self._reach.check(url, token_id)
        except NoTurn:
            sentence = "too many names of callbacks are looked up at this moment; nothing was stored"
            return Unavailable("callback_unresolved", sentence, retry_after_s=_RETRY_S)
        except OutOfReach as refusal:
            sentence = str(refusal)
            return _refusal(sentence + await self._line(url) if sentence == NOT_ALLOWED else sentence)
        return None

    async def _line(self, url: str) -> str:
        """The line of the configuration that would allow it."""
        found: list[str] = []
        with contextlib.suppress(OutOfReach, ValueError):
            found = [str(ipaddress.ip_network(each)) for each in await self._reach.addresses(url)]
        named = ", ".join(f'"{each}"' for each in found[:4])
        if not named:
            return ""
        return f": write `allow = [{named}]` in the table [webhooks], beside what stands there, and restart the gateway"


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False


def _refusal(sentence: str) -> InvalidRequest:
    return InvalidRequest.field(CODE, POINTER, sentence)
