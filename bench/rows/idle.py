"""What a daemon takes that has nothing to do: processor, memory and threads, over a round of its looks at each modem.

The daemons of all sizes rest side by side: what is counted is the time of each process, not of the clock. One has its
modems inside itself: then the simulated ones are counted too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from bench.figures import Figure, at_most
from bench.machine import cpu_seconds, memory_mb, threads
from bench.plan import Plan
from bench.processes import Daemon, daemon, modems

_POLL_S = 60.0
_CALM_S = 1.0
_CPU = {8: at_most(0.5), 64: at_most(2)}
_BESIDE, _INSIDE = "", " in the daemon's process"


async def measure(plan: Plan) -> list[Figure]:
    """Three figures for each number of modems, and what one modem more takes."""
    async with AsyncExitStack() as stack:
        daemons: dict[tuple[int, str], Daemon] = {}
        for count in plan.idle_modems:
            folder = plan.folder / f"idle{count}"
            simulated = await stack.enter_async_context(modems(folder / "modems", count))
            daemons[count, _BESIDE] = await stack.enter_async_context(daemon(folder, simulated.configured))
        most = max(plan.idle_modems)
        inside = {f"sim{index}": "simulated:" for index in range(most)}
        daemons[most, _INSIDE] = await stack.enter_async_context(daemon(plan.folder / "inside", inside))
        for (count, _), gateway in daemons.items():
            await gateway.modems_ready(count)
        await asyncio.sleep(min(_CALM_S, plan.idle_s))
        before = {key: cpu_seconds(gateway.pid) for key, gateway in daemons.items()}
        await asyncio.sleep(plan.idle_s)
        used = {key: cpu_seconds(gateway.pid) - before[key] for key, gateway in daemons.items()}
        found = [figure for key, gateway in daemons.items() for figure in _figures(plan, *key, gateway, used[key])]
        return [*found, *_each(daemons)]


def _figures(plan: Plan, count: int, where: str, gateway: Daemon, used_s: float) -> list[Figure]:
    note = f"over {plan.idle_s:g} s" + ("" if plan.idle_s >= _POLL_S else ": shorter than a round of looks")
    work = f"idle, {count} modems{where}"
    return [
        Figure(
            f"{work}: processor", "%", 100 * used_s / plan.idle_s,
            goals=[_CPU[count]] if count in _CPU else [], note=f"of one core, {note}",
        ),
        Figure(f"{work}: memory", "MB", memory_mb(gateway.pid), goals=[at_most(130 + 0.5 * count)]),
        Figure(f"{work}: threads", "", threads(gateway.pid), note="one moves the octets of all modems"),
    ]  # fmt: skip


def _each(daemons: Mapping[tuple[int, str], Daemon]) -> list[Figure]:
    """The memory of one modem more, where two sizes can be compared."""
    sizes = sorted(count for count, where in daemons if where == _BESIDE)
    if len(sizes) < 2:
        return []
    few, many = sizes[0], sizes[-1]
    more = memory_mb(daemons[many, _BESIDE].pid) - memory_mb(daemons[few, _BESIDE].pid)
    return [Figure("idle: memory of one modem more", "KB", 1024 * more / (many - few), goals=[at_most(500)])]
