"""Quiet hours begin while very many messages wait: how long it takes until each of them is held, in transactions that
decide about a hundred each; how soon an emergency leaves meanwhile; and how long letting go of them takes at their end.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bench.figures import Figure, number, spread
from bench.filling import MODEM, Works, fill_open, settings_in, works_on
from bench.plan import Plan
from bench.processes import looked_at
from gateway.clock import to_datetime
from gateway.config.settings import Settings
from gateway.outbound.gate import Gate
from gateway.requests import NewMessage
from gateway.store import upkeep
from gateway.store.opening import open_configured

#: An emergency is accepted after so many transactions, again and again.
_EVERY = 20


@dataclass
class Evening:
    """Milliseconds: of each of the gate's transactions, and from the request of each emergency to its mark."""

    transactions: list[float] = field(default_factory=list)
    emergencies: list[float] = field(default_factory=list)


async def measure(plan: Plan) -> Sequence[Figure]:
    """Four figures."""
    folder = plan.folder / "quiet"
    settings = settings_in(folder, {MODEM.name: "/dev/ttyUSB77"})
    store = await asyncio.to_thread(open_configured, settings)
    try:
        works = await works_on(settings, store)
        await fill_open(works, queued=plan.held)
        began = time.perf_counter()
        evening = await _evening(replace(works, gate=Gate(_quiet(settings, works.clock.now_us()))))
        took_s = time.perf_counter() - began
        with closing(looked_at(settings.gateway.state_dir)) as seen:
            ((held,),) = seen.execute("SELECT count(*) FROM message WHERE status = 'held'").fetchall()
        released_s = await _morning(works)
    finally:
        await store.close()
        shutil.rmtree(folder)
    size = number(plan.held)
    note = f"{len(evening.transactions)} transactions" + ("" if held == plan.held else f"; {held} held")
    return [
        Figure(f"quiet hours begin, {size} held", "s", took_s, note=note),
        spread("the same, one transaction of the gate", "ms", evening.transactions),
        spread("the same, an emergency from its request to its mark", "ms", evening.emergencies),
        Figure(f"quiet hours end, {size} let go", "s", released_s, note=f"{upkeep.BATCH} in a transaction at most"),
    ]


def _quiet(settings: Settings, now_us: int) -> Settings:
    """It has been quiet for an hour, and will be for eight."""
    now = to_datetime(now_us).astimezone(ZoneInfo(settings.gateway.timezone))
    span = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=8):%H:%M}"
    quiet = replace(settings.categories["transactional"], quiet_hours=(span,))
    return replace(settings, categories=dict(settings.categories) | {quiet.name: quiet})


async def _evening(works: Works) -> Evening:
    """Ask as a modem's sender does: again at once while the gate says so."""
    found, asked = Evening(), 0.0

    def ask(connection: Connection) -> bool:
        return works.gate.next(connection, MODEM, works.clock.now_us()) is not None

    while True:
        began = time.perf_counter()
        marked = await works.store.write(ask)
        found.transactions.append(1000 * (time.perf_counter() - began))
        if marked:
            found.emergencies.append(1000 * (time.perf_counter() - asked))
        elif works.gate.look_again_us.get(MODEM.name) is None:
            return found
        if len(found.transactions) % _EVERY == 1:
            alarm = NewMessage(f"+3368{len(found.transactions):07}", "fire", category="emergency")
            asked = time.perf_counter()
            await works.intake.accept(works.principal, alarm)


async def _morning(works: Works) -> float:
    """How long it takes to queue them again, without the pauses that the dispatcher makes for others."""
    later_us = works.clock.now_us() + 24 * 3600 * 1_000_000
    began = time.perf_counter()
    while await works.store.write(lambda connection: upkeep.release_held(connection, later_us)):
        pass
    return time.perf_counter() - began
