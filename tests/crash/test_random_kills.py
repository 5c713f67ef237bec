"""kill -9 at moments that nobody chose, while messages come in and go out: 50 times, 1 000 times by `make soak`."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import aiohttp
import pytest
from support.crash import POLICIES, CrashRig, Sent, Tally, crash_rig
from support.daemon import client_of
from support.long_run import hours_asked_for
from support.waiting import eventually

pytestmark = pytest.mark.long

KILLS = 50 if hours_asked_for() is None else 1000
CLIENTS = 4
NUMBERS = [f"+336399842{number:02}" for number in range(24)]
# Four clients with this pause between two requests keep two modems busy, and a queue behind them.
PAUSE_S = 0.05


class Load:
    """Clients that go on sending while the gateway dies under them, and remember what they were told."""

    def __init__(self, rig: CrashRig, chance: random.Random) -> None:
        self._rig = rig
        self._chance = chance
        self.sent: list[Sent] = []

    async def one_life(self, seconds: float) -> None:
        """Send until the gateway is killed, `seconds` from now."""
        clients = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]
        await asyncio.sleep(seconds)
        await self._rig.gateway.end(signal.SIGKILL)
        for client in clients:
            client.cancel()
        ended = await asyncio.gather(*clients, return_exceptions=True)
        unexpected = [each for each in ended if not isinstance(each, (asyncio.CancelledError, aiohttp.ClientError))]
        assert unexpected == []

    async def _client(self) -> None:
        async with client_of(self._rig.gateway.url, self._rig.gateway.token) as client:
            while True:
                policy = self._chance.choice(POLICIES)
                sent = Sent(self._chance.choice(NUMBERS), f"message {len(self.sent)}", policy)
                self.sent.append(sent)
                answer = await client.send(sent.to, sent.text, category="emergency", on_uncertain=policy)
                sent.id = answer["id"]
                await asyncio.sleep(self._chance.random() * PAUSE_S * 2)


async def test_killed_at_random_under_load(tmp_path: Path, seeded: random.Random, tell: Callable[[str], None]) -> None:
    starts: list[float] = []
    options = ("--latency", "20ms", "--report-delay", "100ms")
    async with crash_rig(tmp_path, *options, modems=2, submit_seconds=5) as rig:
        load = Load(rig, seeded)
        for _ in range(KILLS):
            began = time.monotonic()
            await rig.gateway.start()
            starts.append(time.monotonic() - began)
            await load.one_life(0.1 + seeded.random() * 1.4)
        await rig.gateway.start()
        await eventually(lambda: _all_settled(rig), 120, "everything settled")
        assert await rig.gateway.end() == 0
        verdicts = rig.verdicts(load.sent)
    tally = Tally()
    for verdict in verdicts:
        tally.add(verdict)
    cuts = quantiles(starts, n=100)
    tell(f"{KILLS} random kills: {tally}; from start to ready p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s")
    assert [(sent, verdict) for sent, verdict in zip(load.sent, verdicts, strict=True) if not verdict.sound] == []
    assert any(verdict.recorded_uncertain for verdict in verdicts), "no kill came after Ctrl-Z: the load is too light"


def _all_settled(rig: CrashRig) -> bool:
    query = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'held') OR resend_us IS NOT NULL LIMIT 1"
    return not rig.rows(query)
