"""200 messages that arrive at once, more than the modem has room for: until the last is committed.

The limit is the wire's own time: a bare receiver that reads and deletes each and keeps nothing.
"""

from __future__ import annotations

import asyncio
import time

from bench import wire
from bench.figures import Figure, at_most
from bench.plan import Plan
from bench.processes import Modems, daemon, modems
from bench.waiting import until

_GOAL = 1.2


async def measure(plan: Plan) -> list[Figure]:
    """One figure: seconds until all are in the inbox."""
    folder = plan.folder / "inbound"
    arrivals = [(f"+336{12_000_000 + number}", f"Message number {number}") for number in range(plan.inbound)]
    async with modems(folder / "bare", 1) as simulated:
        bare_s = await asyncio.to_thread(
            wire.receive, simulated.ports[0], plan.inbound, lambda: simulated.arrive(arrivals)
        )
    async with modems(folder / "modems", 1) as simulated:
        seconds = await _all_committed(plan, simulated, arrivals)
    return [
        Figure(
            f"inbound, {plan.inbound} at once, all committed", "s", seconds, goals=[at_most(_GOAL * bare_s)],
            limit=bare_s, limit_is="a bare receiver", note=f"goal: {_GOAL} × the wire's own time",
            details={"per_s": plan.inbound / seconds},
        )
    ]  # fmt: skip


async def _all_committed(plan: Plan, simulated: Modems, arrivals: list[tuple[str, str]]) -> float:
    async with daemon(plan.folder / "inbound", simulated.configured) as gateway:
        store = gateway.store()
        try:
            await gateway.modems_ready(1)
            began = time.monotonic()
            simulated.arrive(arrivals)
            committed = "SELECT count(*) FROM inbox"
            ended = await until(lambda: store.execute(committed).fetchone()[0] >= plan.inbound, step_s=0.002)
            return ended - began
        finally:
            store.close()
