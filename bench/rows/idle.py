"""What a daemon takes that has nothing to do: processor and memory, over a round of its looks at each modem.

The daemons of all sizes rest side by side: what is counted is the time of each process, not of the clock.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bench.figures import Figure, at_most
from bench.machine import cpu_seconds, memory_mb
from bench.plan import Plan
from bench.processes import Daemon, daemon, modems

_POLL_S = 60.0
_CALM_S = 1.0
_CPU = {8: at_most(0.5), 64: at_most(2)}


async def measure(plan: Plan) -> list[Figure]:
    """Two figures for each number of modems."""
    async with AsyncExitStack() as stack:
        daemons: dict[int, Daemon] = {}
        for count in plan.idle_modems:
            folder = plan.folder / f"idle{count}"
            simulated = await stack.enter_async_context(modems(folder / "modems", count))
            daemons[count] = await stack.enter_async_context(daemon(folder, simulated.configured))
        for count, gateway in daemons.items():
            await gateway.modems_ready(count)
        await asyncio.sleep(min(_CALM_S, plan.idle_s))
        before = {count: cpu_seconds(gateway.pid) for count, gateway in daemons.items()}
        await asyncio.sleep(plan.idle_s)
        return [
            figure
            for count, gateway in daemons.items()
            for figure in _figures(plan, count, gateway, cpu_seconds(gateway.pid) - before[count])
        ]


def _figures(plan: Plan, count: int, gateway: Daemon, used_s: float) -> list[Figure]:
    note = f"over {plan.idle_s:g} s" + ("" if plan.idle_s >= _POLL_S else ": shorter than a round of looks")
    return [
        Figure(
            f"idle, {count} modems: processor", "%", 100 * used_s / plan.idle_s,
            goals=[_CPU[count]] if count in _CPU else [], note=f"of one core, {note}",
        ),
        Figure(f"idle, {count} modems: memory", "MB", memory_mb(gateway.pid), goals=[at_most(130 + 0.5 * count)]),
    ]  # fmt: skip
