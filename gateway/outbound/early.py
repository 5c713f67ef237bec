"""Lets messages that many wait to leave "earlier" begin in time (`gateway.rules.lead`).

What is let go so is asked about by the gate as any other: it leaves at no hour that is not allowed.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.rules.lead import begin_times, most_led
from gateway.store import upkeep


def next_begin_us(connection: Connection, modems: int) -> int | None:
    """When the next of them has to begin; None where none waits. `modems` are those that can send now."""
    waiting = upkeep.waiting_early(connection, most_led(modems))
    return min((begin_us for _, begin_us in begin_times(waiting, modems)), default=None)


def release_begun(connection: Connection, now_us: int, modems: int) -> int:
    """Queue what has to begin now; returns how many, at most `upkeep.BATCH`."""
    waiting = upkeep.waiting_early(connection, most_led(modems))
    due = [due_us for due_us, begin_us in begin_times(waiting, modems) if begin_us <= now_us]
    return upkeep.release_early(connection, due[-1], now_us) if due else 0
