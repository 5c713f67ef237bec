"""Two hosts on one database whose clocks differ (D16): leases go by the database's, hours by one that is trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.bench import NUMBER
from support.clock import ManualClock
from support.guarded import Guarded, guarded
from support.place import Place
from support.postgresql import Database
from support.settings import category

from gateway.clock import SECOND_US, SystemClock, to_datetime
from gateway.message import Rule, Status
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.lease import Identity, Lease
from gateway.store import hosts as host_rows
from gateway.store.opening import KEY_NAME

OTHER = "+33698765432"
MINUTE_US = 60 * SECOND_US


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


def quiet(now_us: int, begin_min: int, end_min: int) -> str:
    """The span between so many minutes from now, where the recipient is."""
    zone = ZoneInfo("Europe/Paris")
    begin, end = (to_datetime(now_us + each * MINUTE_US).astimezone(zone) for each in (begin_min, end_min))
    return f"{begin:%H:%M}-{end:%H:%M}"


async def alive(host: Guarded) -> set[str]:
    rows = await host.store.read(host_rows.standing)
    return {row.node for row in rows if row.alive}


@pytest.mark.parametrize("off_min", [10, -10])
async def test_a_host_whose_clock_differs_sends_nothing_that_needs_the_hour(
    place: Place, tmp_path: Path, off_min: int, tell: Callable[[str], None]
) -> None:
    now_us = SystemClock().now_us()
    # Quiet now; by a clock that is ten minutes off, no more or not yet.
    span = quiet(now_us, -60, 5) if off_min > 0 else quiet(now_us, -5, 60)
    categories = (category("evening", quiet_hours=(span,)),)
    a = await guarded(place, tmp_path, ManualClock(now_us), node="a", categories=categories)
    known = a.bench.principal
    b = await guarded(
        place, tmp_path, ManualClock(now_us + off_min * MINUTE_US), known, node="b", categories=categories
    )
    leases = [
        Lease(each.store, each.guard, each.bench.gate, Identity(node, "0.1", "1"), Elsewhere())
        for node, each in (("a", a), ("b", b))
    ]
    for lease in leases:
        await lease.take()
    assert a.guard.doubt() is None
    assert b.guard.doubt() == "the clock cannot be trusted: it differs from the database's"
    assert abs(b.guard.now_us() - a.guard.now_us()) < MINUTE_US
    held = [await (a if at % 2 else b).bench.accept(f"+3361234{at:04}", category="evening") for at in range(10)]
    alert = await b.bench.accept(OTHER, category="emergency")
    assert [each.message_id for each in await b.bench.send_all()] == [alert.id]
    assert await a.bench.send_all() == []
    for lease in leases:
        await lease._renew()
    assert await alive(a) == {"a", "b"}
    assert {(await a.bench.get(each.id)).status for each in held} == {Status.HELD}
    # What one hears of the other's clock moves nothing of its own.
    b.machine.set_wall(b.machine.now_us() + 365 * 24 * 60 * MINUTE_US)
    await b.look()
    await b.bench.upkeep()
    assert await b.bench.send_all() == []
    assert {(await a.bench.get(each.id)).status for each in held} == {Status.HELD}
    # Right again: trusted, and it is still quiet.
    b.machine.set_wall(now_us, synced=True)
    await b.look()
    assert b.guard.doubt() is None
    assert await b.bench.send_all() == []
    fresh = await b.bench.accept(NUMBER, category="evening")
    shown = await b.bench.get(fresh.id)
    assert (shown.status, shown.hold and shown.hold.rule) == (Status.HELD, Rule.QUIET_HOURS)
    tell(f"D16: two hosts, clocks 10 min apart: {len(held) + 1} messages in quiet hours sent 0, leases lost 0")
    for each in (a, b):
        await each.store.close()


async def test_who_is_alone_on_a_database_mends_what_waits_when_its_clock_was_set(place: Place, tmp_path: Path) -> None:
    machine = ManualClock(SystemClock().now_us())
    host = await guarded(place, tmp_path, machine, node="a")
    host.guard._database = None
    message = await host.bench.accept(category="emergency")
    machine.set_wall(machine.now_us() - 30 * MINUTE_US, synced=True)
    await host.guard._settle()
    assert host.guard.doubt() is None
    assert [each.message_id for each in await host.bench.send_all()] == [message.id]
    machine.advance(timedelta(seconds=1))
    await host.store.close()
