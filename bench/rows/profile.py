"""Where the processor time of an accepted message goes: 32 keep-alive clients, a stopwatch at each step.

What no step has is aiohttp's reading, routing and writing, the event loop, and the change of threads. The same of a
server that does nothing stands beside the whole.
"""

from __future__ import annotations

import json
import shutil

from bench.figures import Figure
from bench.machine import cpu_seconds
from bench.plan import Plan
from bench.processes import daemon, line_of, modems, process, python
from bench.rows.acceptance import post_load
from bench.seams import STEPS

_CLIENTS = 32


async def measure(plan: Plan) -> list[Figure]:
    """The whole, then one figure for each step, in microseconds of processor time."""
    folder = plan.folder / "profile"
    nothing_us = await _nothing(plan)
    told = folder / "steps.json"
    async with modems(folder / "modems", 1, latency_s=1.0) as simulated:
        command = (*python("bench.seams"), str(told))
        async with daemon(folder, simulated.configured, command=command) as gateway:
            host, port = gateway.address
            await post_load(folder, host, port, gateway.token, _CLIENTS, plan.accept_s)
    shutil.rmtree(folder / "state")
    found = json.loads(told.read_text(encoding="utf-8"))
    each = {step: found["steps_ns"][step] / found["requests"] / 1000 for step, _, _ in STEPS}
    return _figures(found["process_ns"] / found["requests"] / 1000, each, nothing_us)


def _figures(whole_us: float, each: dict[str, float], nothing_us: float) -> list[Figure]:
    each["the rest: aiohttp, event loop, threads"] = max(whole_us - sum(each.values()), 0.0)
    whole = Figure(
        "processor time of an accepted message", "µs", whole_us, limit=nothing_us, limit_is="a server that does nothing"
    )
    return [whole, *(Figure(f"  {step}", "µs", us, note=f"{100 * us / whole_us:.0f} %") for step, us in each.items())]


async def _nothing(plan: Plan) -> float:
    """Microseconds of processor time that a request takes of a server that does nothing."""
    folder = plan.folder / "profile"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "bare.log"
    async with process(*python("bench.bare_http"), log=log) as bare:
        host, _, port = (await line_of(bare, "ready http://", log)).partition(":")
        before_s = cpu_seconds(bare.pid)
        told = await post_load(folder, host, port, "none", _CLIENTS, plan.accept_s)
        return 1e6 * (cpu_seconds(bare.pid) - before_s) / told["answered"]
