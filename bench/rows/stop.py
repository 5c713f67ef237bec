"""From the moment a modem tells of a STOP to the opt-out that others can see: committed, and in force.

From +CMTI on, so what it takes to read the message from the modem is in it.
"""

from __future__ import annotations

import asyncio
import sqlite3

from bench.figures import Figure, at_most, spread
from bench.plan import Plan
from bench.processes import daemon
from bench.tapped import TappedModem, tapped_modem
from bench.waiting import until

_REST_S = 0.05


async def measure(plan: Plan) -> list[Figure]:
    """One figure of many STOPs, one after the other, each of another person."""
    folder = plan.folder / "stop"
    samples: list[float] = []
    async with tapped_modem(folder / "modems") as (modem, port), daemon(folder, {"modem0": str(port)}) as gateway:
        store = gateway.store()
        try:
            await gateway.modems_ready(1)
            for count in range(1, plan.stops + 1):
                told = _told(modem)
                modem.inject_sms(f"+336{13_000_000 + count}", "STOP")
                in_force = await until(lambda least=count: _optouts(store) >= least, step_s=0.0005)
                samples.append(1000 * (in_force - await told))
                # The confirmation goes out before the next one comes.
                await asyncio.sleep(_REST_S)
        finally:
            store.close()
    return [spread("STOP in force, from +CMTI", "ms", samples, goals=[at_most(50, "p99")])]


def _optouts(store: sqlite3.Connection) -> int:
    return store.execute("SELECT count(*) FROM optout").fetchone()[0]


def _told(modem: TappedModem) -> asyncio.Future[float]:
    """The instant at which the modem tells of the next message."""
    instant: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    modem.on_told = lambda now: instant.done() or instant.set_result(now)
    return instant
