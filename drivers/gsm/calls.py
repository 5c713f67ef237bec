"""Voice calls: turned away and told, because a modem that rings is busy and nobody would ever answer.

Sources: V.250, 6.3.5 (ATH) and the RING of 6.3; TS 27.007, 6.5 (+CHUP), 6.11 (+CRING), 7.6 (+CLIP).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.at.commands import CALLER_NEWS, HANG_UP
from drivers.at.events import Urc
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of
from drivers.events import CallMissed
from drivers.gsm.channel import AtChannel

RINGS = frozenset({"RING", "+CRING"})
NAMES = RINGS | {"+CLIP", "NO CARRIER"}

# +CLIP comes behind the RING, with some families behind the second one, some five seconds later.
_CALLER_SECONDS = 1.5
# A call that has not rung for so long is over.
_SILENCE_SECONDS = 12.0
_INTERNATIONAL = 145


class Calls:
    """Who is calling now. `wake` has `work` called, `publish` takes one event for each call."""

    def __init__(self, channel: AtChannel, publish: Callable[[CallMissed], None], wake: Callable[[], None]) -> None:
        self._channel = channel
        self._publish = publish
        self._wake = wake
        self._rung_at = float("-inf")
        self._turned_away = False
        self._told = False
        self._caller: str | None = None
        #: When the call is to be turned away, by the loop's clock; None when nobody calls.
        self.due: float | None = None

    async def set_up(self) -> None:
        """Have the caller's number told."""
        await self._channel.optional(CALLER_NEWS)

    def hear(self, urc: Urc) -> None:
        """Take RING, +CRING, +CLIP, and NO CARRIER that ends a call."""
        now = asyncio.get_running_loop().time()
        if urc.name == "NO CARRIER":
            self._rung_at = float("-inf")
            if self.due is not None:  # the caller gave up first
                self._wake()
            return
        if now - self._rung_at > _SILENCE_SECONDS:
            self._told, self._caller = False, None
        self._rung_at = now
        if urc.name == "+CLIP":
            caller = _caller(urc.line)
            self._told = self._told and caller == self._caller
            self._caller, self.due = caller, now
        elif self.due is None:
            self.due = now if self._told else now + _CALLER_SECONDS
        self._wake()

    async def work(self) -> None:
        """Turn away who is calling, when it is time, and tell of it once."""
        if self.due is None or asyncio.get_running_loop().time() < self.due:
            return
        self.due = None
        if not self._told:
            self._told = True
            self._publish(CallMissed(self._caller))
        for command in HANG_UP:
            if await self._channel.optional(command) is not None:
                return


def _caller(line: str) -> str | None:
    """The number of ``+CLIP: <number>,<type>[,…]``; type 145 is international (TS 24.008, 10.5.4.7)."""
    parameters = parse_parameters(body_of(line))
    number = str(parameters[0]) if parameters and parameters[0] is not None else ""
    if not number:
        return None
    international = len(parameters) > 1 and parameters[1] == _INTERNATIONAL
    return f"+{number}" if international and not number.startswith("+") else number
