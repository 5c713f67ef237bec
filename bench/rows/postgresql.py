"""The way out on PostgreSQL, one host: beside SQLite in the same run, and on a full database.

The server of the tests runs on this machine, reached by a socket, every commit flushed. Three hosts on one server are
not measured here.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import postgresql
from bench.figures import Figure, at_least, at_most, number, spread
from bench.filling import fill, fill_open, settings_in, works_on
from bench.machine import memory_mb
from bench.plan import Plan
from bench.processes import daemon, modems
from bench.rows.gate import PORTS, WARM, passages
from bench.waiting import until
from gateway.store.opening import open_configured

_WARM = 0.1
_SHARE = 0.7


async def measure(plan: Plan) -> list[Figure]:
    """Six figures; none where no server is installed."""
    if not postgresql.is_installed():
        return []
    with postgresql.server() as database:
        return [
            await _beside_sqlite(plan, database("beside")),
            *await _gates(plan, database),
            *await _start(plan, database("started")),
        ]


async def _beside_sqlite(plan: Plan, url: str) -> Figure:
    sqlite = await _rate(plan.folder / "beside-sqlite", plan.submits, None)
    rate = await _rate(plan.folder / "postgresql", plan.submits, url)
    return Figure(
        "submits/s, latency 0, 1 modem, PostgreSQL",
        "1/s",
        rate,
        goals=[at_least(_SHARE * sqlite)],
        limit=sqlite,
        limit_is="SQLite in the same run",
        note=f"goal: {_SHARE:g} × SQLite",
    )


async def _rate(folder: Path, messages: int, url: str | None) -> float:
    """Parts a second, from the first tenth to the last part, by the simulated network's own count."""
    async with modems(folder / "modems", 1) as simulated:
        await fill(folder, simulated.configured, queued=messages, url=url)
        async with daemon(folder, simulated.configured, url=url):
            began = await until(lambda: simulated.sent() >= messages * _WARM)
            first = simulated.sent()
            ended = await until(lambda: simulated.sent() >= messages)
    shutil.rmtree(folder)
    return (messages - first) / max(ended - began, 1e-9)


async def _gates(plan: Plan, database: Callable[[str], str]) -> list[Figure]:
    empty, trips = await _passed(plan, database("empty"), queued=plan.gates + WARM + 1, finished=0)
    full, _ = await _passed(plan, database("filled"), queued=plan.backlog, finished=plan.backlog)
    p99 = spread("", "ms", empty).p99 or 0.0
    size = f"{number(plan.backlog)} queued and as many finished"
    goals = [at_most(1.3 * p99, "p99")]
    return [
        spread("claim and gate, PostgreSQL, empty store", "ms", empty),
        spread(f"claim and gate, PostgreSQL, {size}", "ms", full, goals=goals, note="goal: 1.3 × empty"),
        Figure("trips to the server/message, way out, 1 part, busy", "", trips, note="PostgreSQL, commit included"),
    ]


async def _passed(plan: Plan, url: str, *, queued: int, finished: int) -> tuple[list[float], float]:
    folder = plan.folder / "postgresql-gates"
    settings = settings_in(folder, PORTS, url=url)
    store = await asyncio.to_thread(open_configured, settings)
    try:
        works = await works_on(settings, store)
        await fill_open(works, queued=queued, finished=finished)
        with _counted() as count:
            times = await passages(works, min(plan.gates, queued - WARM - 1))
    finally:
        await store.close()
    shutil.rmtree(folder)
    return times.inside, count[0] / (len(times.inside) + WARM)


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Counts the trips of sessions that write; those that read number no transaction."""
    from gateway.store.trips import Session  # noqa: PLC0415 - as the server

    count = [0]
    trip = Session.trip

    def counted(self: Session, asked: Any) -> Any:
        count[0] += self.number is not None or "pg_current_xact_id" in str(asked)
        return trip(self, asked)

    Session.trip = counted
    try:
        yield count
    finally:
        Session.trip = trip


async def _start(plan: Plan, url: str) -> list[Figure]:
    folder = plan.folder / "postgresql-start"
    size = f"PostgreSQL, {number(plan.backlog)} queued and as many finished"
    async with modems(folder / "modems", 1) as simulated:
        await fill(folder, simulated.configured, queued=plan.backlog, finished=plan.backlog, url=url)
        began = time.monotonic()
        async with daemon(folder, simulated.configured, url=url) as gateway:
            wired = await until(lambda: simulated.sent() > 0, step_s=0.005) - began
            memory = memory_mb(gateway.pid, highest=True)
    shutil.rmtree(folder)
    return [
        Figure(f"start to first part taken, {size}", "s", wired, goals=[at_most(5)]),
        Figure(f"memory, {size}", "MB", memory, goals=[at_most(200)], note="highest so far"),
    ]
