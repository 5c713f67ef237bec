"""Quiet hours begin while very much waits: a transaction decides about so many at most, an emergency leaves between
them, and in the morning all of it leaves. Counted in transactions and statements, not in time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select
from support.bench import SIM1, Bench, make_bench
from support.clock import ManualClock
from support.long_run import hours_asked_for
from support.place import Place
from support.settings import category, settings_in

from bench.filling import MODEM, Works, fill_open
from gateway.clock import SECOND_US
from gateway.config.categories import BUILT_IN
from gateway.message import Rule, Status
from gateway.outbound.gate import MOST_DECIDED, Marked
from gateway.store import upkeep
from gateway.store.database import Store
from gateway.store.schema import message

FEW, MANY = 800, 8000 if hours_asked_for() is None else 100_000
HOUR_US = 3600 * SECOND_US
#: What a gate asks before it decides about anything, and for each message that it holds: looked up, written, told.
BEFORE, FOR_EACH = 40, 3
#: An emergency that is accepted between two transactions leaves in the next.
SOON = 1
#: It comes after so many.
AFTER = 3
#: Of those that are released so many are sent too.
SENT = 500
NIGHT = category("transactional", quiet_hours=("21:00-08:00",), caps=BUILT_IN["transactional"].caps, on_cap="refuse")


async def _evening(place: Place, folder: Path, clock: ManualClock, count: int) -> tuple[Bench, Store]:
    """A store in which so many are due, one second before quiet hours begin."""
    # The clock starts at eleven in the morning.
    clock.advance(timedelta(hours=10, seconds=-1))
    settings = settings_in(folder, categories=(NIGHT,))
    store = place.open()
    bench = await make_bench(settings, store, clock)
    works = Works(store, bench.intake, bench.gate, clock, bench.principal)  # pyright: ignore[reportArgumentType]
    await fill_open(works, queued=count)
    clock.advance(timedelta(seconds=1))
    return bench, store


def _count(connection: Connection, status: Status) -> int:
    query = select(func.count()).select_from(message).where(message.c.status == status)
    return connection.execute(query).scalar_one()


def _traced(connection: Connection, work: Callable[[], Marked | None]) -> tuple[Marked | None, int]:
    """What comes of it, and how many statements it took; 0 where they cannot be counted."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        return work(), 0
    statements: list[str] = []
    raw.set_trace_callback(statements.append)
    try:
        return work(), len(statements)
    finally:
        raw.set_trace_callback(None)


async def _ask(bench: Bench) -> tuple[Marked | None, int, int]:
    """A gate's transaction: what it marked, how many statements it took, how many messages it held."""

    def work(connection: Connection) -> tuple[Marked | None, int, int]:
        before = _count(connection, Status.HELD)
        marked, statements = _traced(connection, lambda: bench.gate.next(connection, MODEM, bench.clock.now_us()))
        return marked, statements, _count(connection, Status.HELD) - before

    return await bench.store.write(work)


async def _release(bench: Bench) -> list[int]:
    """What the dispatcher does at eight: how many are queued by each of its transactions."""
    released: list[int] = []
    now_us = bench.clock.now_us()
    while count := await bench.store.write(lambda connection: upkeep.release_held(connection, now_us)):
        released.append(count)
    return released


@dataclass
class Evening:
    """What the gate did until nothing was left for it to decide about."""

    transactions: int = 0
    most_statements: int = 0
    #: Transactions until the emergency was marked, from the one after its acceptance.
    waited: int | None = None

    async def run(self, bench: Bench) -> None:
        """Ask as a modem's sender does: again at once while the gate says so. An emergency comes after some."""
        asked_at, alarm = 0, None
        while True:
            marked, statements, held = await _ask(bench)
            self.transactions += 1
            self.most_statements = max(self.most_statements, statements)
            assert held <= MOST_DECIDED
            if marked is not None:
                assert alarm is not None, "of the others none may leave"
                assert marked.message_id == alarm.id
                self.waited = self.transactions - asked_at
            elif bench.gate.look_again_us.get(MODEM.name) is None:
                return
            if alarm is None and self.transactions >= AFTER:
                alarm = await bench.accept("+33698765432", text="fire", category="emergency")
                asked_at = self.transactions


async def _night(place: Place, folder: Path, clock: ManualClock, count: int) -> str:
    bench, store = await _evening(place, folder, clock, count)
    try:
        evening = Evening()
        await evening.run(bench)
        assert evening.waited == SOON
        assert await store.read(lambda c: (_count(c, Status.QUEUED), _count(c, Status.HELD))) == (0, count)
        # One more for the emergency, and the last finds nothing.
        assert evening.transactions <= -(-count // MOST_DECIDED) + 2
        assert evening.most_statements <= BEFORE + FOR_EACH * MOST_DECIDED
        columns = message.c.hold_rule, message.c.hold_until_us, message.c.due_us
        query = select(*columns).where(message.c.status == Status.HELD).distinct()
        rows = await store.read(lambda connection: connection.execute(query).all())
        morning_us = clock.now_us() + 11 * HOUR_US
        assert [tuple(row) for row in rows] == [(Rule.QUIET_HOURS, morning_us, morning_us)]
        counted = f", {evening.most_statements} statements at most" if place.database is None else ""
        return await _morning(bench, count, f"{evening.transactions} transactions{counted}, ")
    finally:
        await store.close()


async def _morning(bench: Bench, count: int, told: str) -> str:
    bench.clock.advance(timedelta(hours=11, microseconds=-1))
    assert await _release(bench) == []
    bench.clock.advance(timedelta(microseconds=1))
    released = await _release(bench)
    assert sum(released) == count
    assert max(released) <= upkeep.BATCH
    sent = 0
    modems = [replace(SIM1, name=f"sim{at}", iccid=None) for at in range(1, 5)]
    while sent < min(SENT, count):
        for modem in modems:
            marked = await bench.next(modem)
            assert marked is not None, "in the morning they leave"
            sent += 1
    return f"{count} waited when quiet hours began: {told}released by {len(released)} transactions, and they left"


async def test_a_night_decides_in_small_steps(
    place: Place, tmp_path: Path, clock: ManualClock, tell: Callable[[str], None]
) -> None:
    tell(await _night(place, tmp_path, clock, FEW))


@pytest.mark.long
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_so_does_one_with_many_more(
    place: Place, tmp_path: Path, clock: ManualClock, tell: Callable[[str], None]
) -> None:
    tell(await _night(place, tmp_path, clock, MANY))
