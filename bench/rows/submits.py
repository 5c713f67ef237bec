"""Parts a second at latency 0: how fast the queue feeds modems that take everything at once.

The queue is filled first; then the daemon starts, and the store's own instants say how fast it went. The radio ledger
must hold each part once. The limit is a bare AT talker on the same modems.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import closing
from pathlib import Path

from bench import wire
from bench.figures import Figure, at_least, spread
from bench.filling import fill
from bench.plan import Plan
from bench.processes import Modems, daemon, modems
from bench.waiting import until

_GOALS = {1: at_least(400), 4: at_least(1000)}
# The first parts come while imports, pages and caches are still cold.
_WARM = 0.1


async def measure(plan: Plan) -> list[Figure]:
    """With one and with four modems; with one also while reports come in."""
    found: list[Figure] = []
    for count, messages in ((1, plan.submits), (4, plan.submits_at_once)):
        folder = plan.folder / f"submits{count}"
        async with modems(folder / "modems", count) as simulated:
            done, seconds = await asyncio.to_thread(wire.submits, simulated.ports, 2 * messages, 10.0)
            work = f"submits/s, latency 0, {count} modem{'s' * (count > 1)}"
            found.append(await _figure(folder, simulated, messages, work, limit=done / seconds, count=count))
    folder = plan.folder / "submits-reports"
    async with modems(folder / "modems", 1, report_s=0.05) as simulated:
        work = "submits/s, latency 0, 1 modem, reports coming in"
        found.append(await _figure(folder, simulated, plan.submits, work))
    return found


async def _figure(
    folder: Path, simulated: Modems, messages: int, work: str, *, limit: float | None = None, count: int = 0
) -> Figure:
    await fill(folder, simulated.configured, queued=messages)
    before = simulated.sent()
    async with daemon(folder, simulated.configured) as gateway:
        await until(lambda: simulated.sent() - before >= messages)
        await asyncio.sleep(0.2)
        with closing(gateway.store()) as store:
            rows = store.execute("SELECT marked_us, settled_us FROM attempt WHERE settled_us IS NOT NULL ORDER BY id")
            # The first is that of the pattern of which the queue was made.
            instants = rows.fetchall()[1:]
    twice = simulated.sent() - before - messages
    shutil.rmtree(folder / "state")
    warm = instants[int(len(instants) * _WARM) :]
    seconds = (max(settled for _, settled in warm) - warm[0][0]) / 1e6
    took = spread("", "ms", [(settled - marked) / 1000 for marked, settled in warm])
    return Figure(
        work,
        "1/s",
        len(warm) / seconds,
        goals=[_GOALS[count]] if count else [],
        limit=limit,
        limit_is="a bare AT talker on the same modems" if limit else "",
        note="" if not twice else f"{twice} parts too many on the air",
        details={"messages": messages, "mark_to_result_ms": {"p50": took.p50, "p99": took.p99}},
    )
