"""A wall clock that is set while messages wait, and a machine that starts without knowing the time (T02, T03, T04)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER, Bench
from support.clock import ManualClock
from support.guarded import HOUR_US, Guarded, guarded
from support.place import Place
from support.waiting import eventually

from gateway.clock import SECOND_US, Boot, SystemClock
from gateway.message import PartEvent, Rule, Status
from gateway.outbound.clock_kept import kept_of, standing_of
from gateway.requests import NewMessage
from gateway.store import clock_marks

OTHER, THIRD = "+33698765432", "+33639980101"
DAY_US = 24 * HOUR_US
YEAR_US = 365 * DAY_US


@pytest.fixture
async def host(place: Place, tmp_path: Path) -> AsyncIterator[Guarded]:
    machine = ManualClock() if place.database is None else ManualClock(SystemClock().now_us())
    made = await guarded(place, tmp_path, machine)
    yield made
    await made.store.close()


async def test_a_clock_that_goes_on_is_trusted_whatever_the_kernel_says(host: Guarded) -> None:
    for synced in (False, None, True):
        host.machine.synced = synced
        host.machine.advance(timedelta(days=3))
        host.machine.sleep_us(3 * HOUR_US)
        await host.look()
        assert host.guard.doubt() is None
        assert host.guard.now_us() == host.machine.now_us()
    assert await host.events() == []


@pytest.mark.parametrize("back_us", [HOUR_US, DAY_US, YEAR_US])
@pytest.mark.parametrize("mend", ["undone", "synchronised", "confirmed"])
async def test_a_clock_set_back_resends_nothing_resets_no_cap_and_lets_nothing_wait_longer(
    host: Guarded, back_us: int, mend: str, tell: Callable[[str], None]
) -> None:
    bench, machine = host.bench, host.machine
    for _ in range(2):
        await bench.accept(category="plain")
    assert len(await bench.send_all()) == 2
    lost = await bench.accept(THIRD, category="emergency", on_uncertain="resend")
    marked = await bench.next()
    assert marked is not None
    await bench.settle(marked, PartEvent.OUTCOME_LOST, code="restart", sentence="nobody knows")
    await bench.accept(OTHER, category="emergency")
    timed = await bench.accept(OTHER, category="timed")
    before_us = host.guard.now_us()

    machine.set_wall(machine.now_us() - back_us)
    # Whoever reads the time sees it, before anybody looked.
    assert abs(host.guard.now_us() - before_us) < SECOND_US
    await host.look()
    assert len(await bench.send_all()) == 1
    assert await host.shown(timed.id) == (
        Status.HELD, Rule.PAUSED, "the clock cannot be trusted: it was set back",
    )  # fmt: skip
    machine.advance(timedelta(seconds=10))
    await bench.upkeep()
    assert await bench.send_all() == []
    # The further copy comes when it would have come.
    machine.advance(timedelta(seconds=11))
    await bench.upkeep()
    assert [each.message_id for each in await bench.send_all()] == [lost.id]

    if mend == "undone":
        machine.set_wall(machine.now_us() + back_us)
    elif mend == "synchronised":
        machine.synced = True
    else:
        await host.guard.confirm("test")
    await host.look()
    assert host.guard.doubt() is None
    assert host.guard.now_us() == machine.now_us()
    assert [each.message_id for each in await bench.send_all()] == [timed.id]
    # One more is one too many, whatever the clock says.
    verdict = await capped_now(bench)
    assert verdict == (Status.HELD, Rule.CAP)
    assert await host.events() == ["clock.doubtful", "clock.trusted"]
    tell(
        "T02: wall clock set back 1 h, 1 day, 1 year while running, undone, synchronised or confirmed: "
        "0 copies by the jump, 0 caps reset, 0 waits longer than meant"
    )


async def nobody_asks() -> None:
    """There is no other clock."""


async def capped_now(bench: Bench) -> tuple[Status, Rule | None]:
    message = await bench.accept(category="plain")
    assert await bench.send_all() == []
    found = await bench.get(message.id)
    return found.status, found.hold and found.hold.rule


@pytest.mark.parametrize("ahead_us", [DAY_US, YEAR_US])
@pytest.mark.parametrize("mend", ["undone", "synchronised", "confirmed"])
async def test_a_clock_set_forward_expires_nothing_and_what_needs_the_time_waits(
    host: Guarded, ahead_us: int, mend: str, tell: Callable[[str], None]
) -> None:
    bench, machine = host.bench, host.machine
    waiting = [await bench.accept(f"+3361234{at:04}", category="timed") for at in range(20)]
    scheduled = await bench.accept(THIRD, category="plain", send_us=host.guard.now_us() + 2 * HOUR_US)
    machine.set_wall(machine.now_us() + ahead_us)
    await bench.upkeep()
    alert = await bench.accept(OTHER, category="emergency")
    assert [each.message_id for each in await bench.send_all()] == [alert.id]
    for _ in range(5):
        await host.look()
        machine.advance(timedelta(minutes=12))
        await bench.upkeep()
    assert await host.events() == ["clock.doubtful"]
    assert {(await host.shown(each.id))[:2] for each in waiting} == {(Status.HELD, Rule.PAUSED)}
    assert (await bench.get(scheduled.id)).status is Status.HELD
    # Longer than they live: nobody knows how late it is.
    machine.advance(timedelta(hours=7))
    await bench.upkeep()
    assert {(await bench.get(each.id)).status for each in waiting} == {Status.QUEUED}
    if mend == "undone":
        machine.set_wall(machine.now_us() - ahead_us)
    elif mend == "synchronised":
        machine.synced = True
    else:
        await host.guard.confirm("test")
    await host.look()
    assert await host.events() == ["clock.doubtful", "clock.trusted"]
    assert host.guard.now_us() == machine.now_us()
    fresh = await bench.accept(OTHER, category="timed")
    assert fresh.id in {each.message_id for each in await bench.send_all()}
    tell(
        "T03: wall clock set forward 1 day, 1 year while running, 20 waiting: expired wrongly 0, "
        "emergency left at once, one alarm"
    )


@pytest.mark.parametrize("synced", [True, False])
async def test_what_was_accepted_by_a_wrong_time_lives_as_long_as_it_was_to(host: Guarded, synced: bool) -> None:
    floor_us = host.guard.now_us()
    await host.again(floor_us - 3 * DAY_US)
    timed = await host.bench.accept(category="timed")
    assert timed.expires_us - host.guard.now_us() == 6 * HOUR_US
    host.machine.advance(timedelta(hours=1))
    host.machine.set_wall(floor_us + 2 * DAY_US, synced=synced)
    if not synced:
        await host.look()
        assert host.guard.doubt() is not None
        await host.guard.confirm("test")
    await host.look()
    await host.bench.upkeep()
    found = await host.bench.get(timed.id)
    assert found.status is Status.QUEUED
    assert found.expires_us - host.guard.now_us() == 5 * HOUR_US
    assert [each.message_id for each in await host.bench.send_all()] == [timed.id]


@pytest.mark.parametrize("stale", ["1970", "3 days", "no battery"])
async def test_a_machine_that_starts_without_the_time_sends_nothing_that_needs_it(
    host: Guarded, stale: str, tell: Callable[[str], None]
) -> None:
    floor_us = host.guard.now_us()
    queued = [await host.bench.accept(f"+3361234{at:04}", category="timed") for at in range(10)]
    alert = await host.bench.accept(OTHER, category="emergency")
    wall_us = {"1970": 5 * SECOND_US, "3 days": floor_us - 3 * DAY_US, "no battery": floor_us + 60 * SECOND_US}[stale]
    await host.again(wall_us, Boot("next", battery=False))
    assert host.guard.doubt() is not None
    assert host.guard.now_us() >= floor_us
    assert [each.message_id for each in await host.bench.send_all()] == [alert.id]
    late = await host.bench.accept(THIRD, category="emergency")
    assert [each.message_id for each in await host.bench.send_all()] == [late.id]
    # Still the same start, and the doubt outlives the process.
    await host.again(host.machine.now_us() + SECOND_US, Boot("after that", battery=False))
    assert host.guard.doubt() is not None
    # Plausible is not enough.
    host.machine.set_wall(floor_us + DAY_US)
    await host.look()
    assert host.guard.doubt() is not None
    assert await host.bench.send_all() == []
    host.machine.set_wall(floor_us + 2 * HOUR_US, synced=True)
    await host.look()
    await host.bench.upkeep()
    assert host.guard.doubt() is None
    assert len(await host.bench.send_all()) == len(queued)
    tell("T04: starts at 1970, at a time saved 3 days ago, without a battery clock: 0 of 30 sent before synchronised")


# Where there is a database to compare with, that says how far off it is.
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_machine_that_is_set_right_each_night_is_trusted_through_restarts(host: Guarded) -> None:
    for day in range(150):
        host.machine.advance(timedelta(days=1))
        host.machine.set_wall(host.machine.now_us() - 5 * SECOND_US)
        await host.look()
        assert host.guard.doubt() is None, day
        if day % 30 == 0:
            # The gateway alone starts again.
            await host.store.close()
            fresh = await guarded(host.place, host.folder, host.machine, host.bench.principal)
            host.store, host.guard, host.bench = fresh.store, fresh.guard, fresh.bench
    assert set(await host.events()) == {"clock.set"}


async def test_how_a_clock_stood_comes_back_as_it_was(host: Guarded) -> None:
    kept = clock_marks.Kept("x", 0, 0, -SECOND_US, True, 0, "jumped_back", 7, -SECOND_US, 9)
    await host.store.write(lambda connection: clock_marks.keep(connection, "else", kept))
    found = await host.store.read(lambda connection: clock_marks.read(connection, "else").kept)
    assert found == kept
    assert kept_of(standing_of(kept, 0), boot="x", base_us=0, since_us=7) == kept


async def test_a_doubt_is_told_again_each_day(host: Guarded) -> None:
    host.guard._ask_database = nobody_asks  # type: ignore[method-assign]
    host.machine.set_wall(host.machine.now_us() - DAY_US)
    for _ in range(3 * 24 - 1):
        await host.look()
        host.machine.advance(timedelta(hours=1))
    assert await host.events() == ["clock.doubtful"] * 3


async def test_a_stop_between_two_looks_is_seen_on_the_same_start(host: Guarded) -> None:
    boot, machine = host.machine.started, host.machine
    await host.store.close()
    machine.set_wall(machine.now_us() + YEAR_US)
    fresh = await guarded(host.place, host.folder, machine, host.bench.principal)
    assert machine.started == boot
    assert fresh.guard.doubt() == "the clock cannot be trusted: it was set forward"
    machine.set_wall(machine.now_us() - YEAR_US)
    await fresh.look()
    assert fresh.guard.doubt() is None
    host.store = fresh.store


@pytest.mark.parametrize("step_us", [-9 * 60 * SECOND_US, 50 * 60 * SECOND_US])
async def test_a_small_jump_moves_what_waits_with_it(host: Guarded, step_us: int) -> None:
    bench = host.bench
    # Where there is a database to compare with, no such jump is small.
    host.guard._database = None
    host.guard._ask_database = nobody_asks  # type: ignore[method-assign]
    alert = await bench.accept(category="emergency")
    tried = await bench.accept(OTHER, category="emergency")
    second = None
    for _ in range(2):
        marked = await bench.next()
        assert marked is not None
        again_us = host.guard.now_us() + 60 * SECOND_US
        await bench.settle(marked, PartEvent.RELEASED, code="busy", sentence="busy", next_try_us=again_us)
        second = marked
    assert second is not None
    assert second.message_id == tried.id
    ready = await bench.accept(THIRD, category="emergency")
    host.machine.set_wall(host.machine.now_us() + step_us)
    await host.look()
    await bench.upkeep()
    assert host.guard.doubt() is None
    assert [each.message_id for each in await bench.send_all()] == [ready.id]
    host.machine.advance(timedelta(seconds=61))
    await bench.upkeep()
    assert {each.message_id for each in await bench.send_all()} == {alert.id, tried.id}
    assert await host.events() == ["clock.set"]


async def test_a_key_is_not_forgotten_by_a_jump(host: Guarded) -> None:
    first = await host.bench.intake.accept(host.bench.principal, NewMessage(NUMBER, "hello"), "key")
    host.machine.set_wall(host.machine.now_us() + YEAR_US)
    await host.bench.upkeep()
    again = await host.bench.intake.accept(host.bench.principal, NewMessage(NUMBER, "hello"), "key")
    assert again.id == first.id


async def test_the_floor_is_never_a_doubted_time(host: Guarded) -> None:
    before_us = host.guard.now_us()
    host.machine.set_wall(before_us + YEAR_US)
    for _ in range(3):
        host.machine.advance(timedelta(minutes=11))
        await host.look()
    await host.again(before_us + HOUR_US, synced=True)
    assert host.guard.state().floor_us < before_us + DAY_US
    assert host.guard.state().trusted


async def test_who_waits_is_told_that_the_machine_slept_and_that_the_clock_was_set(host: Guarded) -> None:
    told: list[int] = []
    host.guard.on_moved = lambda: told.append(host.guard.now_us())
    host.guard._ask_database = nobody_asks  # type: ignore[method-assign]
    task = asyncio.create_task(host.guard.run())

    async def after(count: int) -> None:
        async def come() -> bool:
            return len(told) == count and host.machine.next_wake_us is not None

        await eventually(waiting, what="the guard to wait")
        host.machine.advance(timedelta(seconds=5))
        await eventually(come, what="who waits to be told")

    async def waiting() -> bool:
        return host.machine.next_wake_us is not None

    await eventually(waiting, what="the guard to wait")
    host.machine.sleep_us(3 * HOUR_US)
    await after(1)
    host.machine.set_wall(host.machine.now_us() + 30 * SECOND_US)
    await after(2)
    assert await host.events() == ["clock.set"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
