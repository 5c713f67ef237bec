"""Clients that go on sending while the gateway dies under them, and what came of all they sent."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from statistics import quantiles

import aiohttp
from support.checker import Sent, Tally, Verdict
from support.crash import POLICIES, CrashRig
from support.daemon import client_of
from support.waiting import eventually

CLIENTS = 4
NUMBERS = [f"+336399842{number:02}" for number in range(24)]
# Four clients with this pause between two requests keep two modems busy, and a queue behind them.
PAUSE_S = 0.05


class Load:
    """Sends for as long as the gateway lives, and remembers what it was told."""

    def __init__(self, rig: CrashRig, chance: random.Random) -> None:
        self._rig = rig
        self._chance = chance
        self.sent: list[Sent] = []

    async def one_life(self, seconds: float, end: Callable[[], Awaitable[object]] | None = None) -> None:
        """Send until the gateway is killed, `seconds` from now, or until `end` has ended it."""
        clients = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]
        await asyncio.sleep(seconds)
        await (self._rig.gateway.end(signal.SIGKILL) if end is None else end())
        for client in clients:
            client.cancel()
        ended = await asyncio.gather(*clients, return_exceptions=True)
        unexpected = [each for each in ended if not isinstance(each, (asyncio.CancelledError, aiohttp.ClientError))]
        assert unexpected == []

    async def end(self) -> list[Verdict]:
        """Start once more, let everything be settled, stop, and compare the histories of every message."""
        await self._rig.gateway.start()
        await eventually(lambda: all_settled(self._rig), 120, "everything settled")
        assert await self._rig.gateway.end() == 0
        return self._rig.verdicts(self.sent)

    async def _client(self) -> None:
        async with client_of(self._rig.gateway.url, self._rig.gateway.token) as client:
            while True:
                policy = self._chance.choice(POLICIES)
                sent = Sent(self._chance.choice(NUMBERS), f"message {len(self.sent)}", policy)
                self.sent.append(sent)
                answer = await client.send(sent.to, sent.text, category="emergency", on_uncertain=policy)
                sent.id = answer["id"]
                await asyncio.sleep(self._chance.random() * PAUSE_S * 2)


def all_settled(rig: CrashRig) -> bool:
    """Whether nothing more is done with any message by itself."""
    query = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'held') OR resend_us IS NOT NULL LIMIT 1"
    return not rig.rows(query)


def figures(verdicts: Sequence[Verdict], starts: Sequence[float]) -> str:
    """The verdicts, and how long the starts took, in seconds, until the gateway was ready."""
    cuts = quantiles(starts, n=100)
    return f"{counted(verdicts)}; from start to ready p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s"


def counted(verdicts: Sequence[Verdict]) -> Tally:
    """The verdicts, counted."""
    tally = Tally()
    for verdict in verdicts:
        tally.add(verdict)
    return tally
