"""A start on a full store: until the first part is on the wire, how fast it then goes, and what memory it takes."""

from __future__ import annotations

import asyncio
import shutil
import time

from bench.figures import Figure, at_least, at_most, number
from bench.filling import fill
from bench.machine import memory_mb
from bench.plan import Plan
from bench.processes import daemon
from bench.tapped import tapped_modem

_RUN_S = 3.0


async def measure(plan: Plan) -> list[Figure]:
    """Three figures of one daemon."""
    folder = plan.folder / "backlog"
    size = f"with {number(plan.backlog)} queued and as many finished"
    async with tapped_modem(folder / "modems") as (modem, port):
        ports = {"modem0": str(port)}
        await fill(folder, ports, queued=plan.backlog, finished=plan.backlog)
        first = asyncio.ensure_future(modem.submit())
        began = time.monotonic()
        async with daemon(folder, ports) as gateway:
            started = time.monotonic() - began
            wired = await first - began
            sent, since = modem.ledger.count, time.monotonic()
            await asyncio.sleep(min(_RUN_S, plan.backlog / 1000))
            rate = (modem.ledger.count - sent) / (time.monotonic() - since)
            memory = memory_mb(gateway.pid, highest=True)
    shutil.rmtree(folder)
    return [
        Figure(
            f"start to first AT+CMGS {size}", "s", wired, goals=[at_most(5)],
            note="from the start of the process", details={"ready_s": started},
        ),
        Figure(f"submits/s {size}", "1/s", rate, goals=[at_least(400)], note="the modem runs in the measuring process"),
        Figure(f"memory {size}", "MB", memory, goals=[at_most(200)], note="highest so far"),
    ]  # fmt: skip
