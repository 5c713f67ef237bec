"""Claim and gate: the transaction in front of a modem, in an empty store and in a full one. And the look at what is
due next, which follows each acceptance.

Each time the outcome of the part before is written, the next is chosen, decided upon and marked. Measured inside the
writer, and as the sender waits for it, flush included.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass

from sqlalchemy import Connection

from bench.figures import Figure, Goal, at_most, number, spread
from bench.filling import MODEM, Works, fill_open, settings_in, works_on
from bench.plan import Plan
from gateway.message import PartEvent
from gateway.outbound.gate import Marked
from gateway.store import upkeep
from gateway.store.opening import open_configured
from gateway.store.outcomes import Outcome

#: So many passages before it counts.
WARM = 20
_LOOKS = 50
PORTS = {MODEM.name: "/dev/ttyUSB77"}
_FULL = 1_000_000


@dataclass
class Times:
    """Milliseconds of each passage."""

    inside: list[float]
    flushed: list[float]
    looks: list[float]


async def measure(plan: Plan) -> list[Figure]:
    """Three figures for the empty store, three for the full one."""
    empty = await _times(plan, "gate-empty", queued=plan.gates + WARM + 1, finished=0)
    full = await _times(plan, "gate-full", queued=plan.backlog, finished=plan.backlog)
    size = f"{number(plan.backlog)} queued and as many finished"
    p99 = spread("", "ms", empty.inside).p99 or 0.0
    goal = [at_most(1.3 * p99, "p99")]
    note = "goal: 1.3 × empty" + ("" if plan.backlog >= _FULL else "; --backlog 1000000 is the size of the goal")
    return [
        *_figures("empty store", empty, [], ""),
        *_figures(size, full, goal, note),
    ]


def _figures(store: str, times: Times, goals: list[Goal], note: str) -> list[Figure]:
    return [
        spread(f"claim and gate, {store}", "ms", times.inside, goals=goals, note=note),
        spread(f"claim and gate, {store}, with flush", "ms", times.flushed),
        spread(f"what is due next? {store}", "ms", times.looks),
    ]


async def _times(plan: Plan, name: str, *, queued: int, finished: int) -> Times:
    folder = plan.folder / name
    settings = settings_in(folder, PORTS)
    store = await asyncio.to_thread(open_configured, settings)
    try:
        works = await works_on(settings, store)
        await fill_open(works, queued=queued, finished=finished)
        return await passages(works, min(plan.gates, queued - WARM - 1))
    finally:
        await store.close()
        shutil.rmtree(folder)


async def passages(works: Works, count: int) -> Times:
    """Let so many parts pass."""
    times = Times([], [], [])
    marked: Marked | None = None
    for turn in range(count + WARM):
        began = time.perf_counter()
        marked, inside = await works.store.write(lambda connection, last=marked: _timed(works, connection, last))
        if marked is None:
            break
        if turn >= WARM:
            times.inside.append(inside)
            times.flushed.append(1000 * (time.perf_counter() - began))
    for _ in range(_LOOKS):
        began = time.perf_counter()
        await works.store.read(upkeep.next_due_us)
        times.looks.append(1000 * (time.perf_counter() - began))
    return times


def _timed(works: Works, connection: Connection, last: Marked | None) -> tuple[Marked | None, float]:
    began = time.perf_counter()
    now_us = works.clock.now_us()
    if last is not None:
        outcome = Outcome(last.attempt_id, PartEvent.ACCEPTED, tp_mr=last.attempt_id % 256)
        works.gate.settle(connection, outcome, MODEM.name, now_us)
    found = works.gate.next(connection, MODEM, now_us)
    return found, 1000 * (time.perf_counter() - began)
