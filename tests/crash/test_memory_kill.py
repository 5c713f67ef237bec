"""A gateway with a long queue that is killed because it has no more memory: C22."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig
from support.daemon import client_of
from support.memory import limited, peak_mib, why_no_limit
from support.storage import needs

from bench.filling import fill

QUEUED = 100_000
#: What the queue may cost at most, whatever its length.
MOST_MIB = 200
#: From a start to the first message on the air, and to the answer 202.
FIRST_S = 30
PERSON = "+33639984501"

pytestmark = pytest.mark.long


async def _eat(rig: CrashRig) -> None:
    """Requests that take memory, until nobody answers any more."""
    text = "x" * 1000
    batch = {"messages": [{"to": PERSON, "text": text} for _ in range(1000)]}
    async with client_of(rig.gateway.url, rig.gateway.token) as client:
        while True:
            try:
                await client.call("POST", "/v1/messages/batch", batch)
            except (aiohttp.ClientError, OSError):
                return


def _peak(rig: CrashRig) -> float:
    assert rig.gateway.process is not None
    return peak_mib(rig.gateway.process.pid)


async def _start(rig: CrashRig, text: str) -> float:
    """Start; seconds until a message that overtakes the queue was accepted and is on the air."""
    began = time.monotonic()
    await rig.gateway.start()
    sent = Sent(PERSON, text, "hold")
    await rig.send(sent)
    await rig.until(sent, "sent", "delivered", timeout=FIRST_S)
    return time.monotonic() - began


async def test_c22_a_memory_limit_kill_with_a_long_queue(tmp_path: Path, tell: Callable[[str], None]) -> None:
    needs(why_no_limit())
    await fill(tmp_path, {"m0": "simulated:"}, queued=QUEUED)
    async with crash_rig(tmp_path) as rig:
        await _start(rig, "first")
        accepted = rig.rows("SELECT count(*) FROM message")[0][0]
        assert rig.gateway.process is not None
        with limited(rig.gateway.process.pid, 4):
            peak = _peak(rig)
            await asyncio.gather(_eat(rig), rig.died())
        took = await _start(rig, "second")
        peak = max(peak, _peak(rig))
        kept = rig.rows("SELECT count(*) FROM message")[0][0]
        finished = rig.rows("SELECT count(*) FROM message WHERE status IN ('sent', 'delivered')")[0][0]
        assert await rig.gateway.end() == 0
        copies = len(rig.ledger())
    tell(
        f"C22: killed for memory with {QUEUED} queued: {max(accepted + 1 - kept, 0)} lost, {took:.1f} s from start to "
        f"the first on the air, peak RSS {peak:.0f} MiB"
    )
    assert kept >= accepted + 1
    assert copies >= finished - 1
    assert peak < MOST_MIB
