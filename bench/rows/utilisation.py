"""Utilisation: the share of its time that a modem spends in the network, while there is work.

A modem that takes `latency` seconds for each submit can do no more than one in that time. It counts from the second
part of each modem on: all of them begin at once, with the gateway, and so have their first answers together. The limit
is what a bare AT talker reaches, whose modem waits for nobody.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench import wire
from bench.figures import Figure, Goal, at_least
from bench.filling import fill
from bench.plan import Plan
from bench.processes import daemon, modems

_TALK_S = 1.5
# The first attempt is that of the pattern of which the queue was made.
_PARTS = """
SELECT modem, count(*), min(marked_us), max(settled_us) FROM attempt
WHERE settled_us IS NOT NULL AND id > 1 AND id NOT IN (SELECT min(id) FROM attempt WHERE id > 1 GROUP BY modem)
GROUP BY modem
"""


async def measure(plan: Plan) -> list[Figure]:
    """One figure for each latency and number of modems of the plan."""
    return [await _figure(plan, *case) for case in plan.utilisation]


async def _figure(plan: Plan, latency_s: float, count: int, seconds: float) -> Figure:
    folder = plan.folder / f"utilisation{latency_s}-{count}"
    async with modems(folder / "modems", count, latency_s=latency_s) as simulated:
        limit = await _talker(simulated.ports, latency_s, seconds)
        await fill(folder, simulated.configured, queued=int(seconds / latency_s + 3) * count * 2)
        async with daemon(folder, simulated.configured) as gateway:
            # Opening a modem takes some tenths of a second.
            await asyncio.sleep(seconds + latency_s + min(0.02 * count, 2.0))
            with closing(gateway.store()) as store:
                rows = store.execute(_PARTS).fetchall()
    shutil.rmtree(folder / "state")
    shares = [parts * latency_s * 1e6 / (last - first) for _, parts, first, last in rows]
    return Figure(
        f"utilisation, latency {latency_s:g} s, {count} modem{'s' * (count > 1)}",
        "%",
        100 * sum(shares) / len(shares),
        goals=_goals(latency_s, count),
        limit=100 * limit if limit else None,
        limit_is="a bare AT talker on the same modems" if limit else "",
        note="" if len(rows) == count else f"only {len(rows)} modems sent",
        details={"parts": sum(row[1] for row in rows), "worst_modem": 100 * min(shares)},
    )


async def _talker(ports: Sequence[Path], latency_s: float, seconds: float) -> float | None:
    """The share that the bare talker reaches, in whole rounds."""
    rounds = round(min(_TALK_S, seconds) / latency_s)
    if rounds < 1:
        return None
    count = len(ports)
    done, took = await asyncio.to_thread(wire.submits, ports, rounds * count, seconds * 2)
    return done / count * latency_s / took


def _goals(latency_s: float, count: int) -> list[Goal]:
    if latency_s >= 1:
        return [at_least(99.8)]
    return [at_least(95 if count > 8 else 98)]
