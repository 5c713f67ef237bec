"""The ledger of PINs on a real store: what it says after a restart, of a moved SIM, and when it cannot be written."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.clock import ManualClock
from support.failing_store import failing_store
from support.place import Place
from support.waiting import eventually

from drivers.errors import ModemNotReady
from drivers.gsm.pin_counter import Tries
from drivers.gsm.pin_ledger import PinOutcome
from drivers.gsm.pin_rules import Card, Forbidden, PinRecord, PinRefusal, refusal_of
from gateway.services.pins import Pins
from gateway.store.database import Store
from gateway.store.schema import sim_pin

PIN = "735182"
CARD = Card("stick", "350000000000010", "8933990000000000017")
LOCKED = Card("stick", "350000000000010")


def judge(records: Sequence[PinRecord], others_gone: int) -> PinRefusal | None:
    """With every try left, only the records decide."""
    return refusal_of(records, Tries(3), without_counter=False, others_gone=others_gone)


def hasty(records: Sequence[PinRecord], others_gone: int) -> PinRefusal | None:
    """Without a counter."""
    return refusal_of(records, None, without_counter=True, others_gone=others_gone)


@pytest.fixture
async def stores(place: Place) -> AsyncIterator[list[Store]]:
    """The store, opened as host `a`."""
    opened = [place.open("a")]
    yield opened
    for store in opened:
        await store.close()


def why(refusal: PinRefusal | None) -> Forbidden | None:
    return None if refusal is None else refusal.why


async def test_what_was_begun_is_known_after_a_restart(place: Place, stores: list[Store], clock: ManualClock) -> None:
    assert await Pins(stores[0], clock, "a").begin(CARD, PIN, judge) is None
    await stores.pop().close()
    stores.append(place.open("a"))
    pins = Pins(stores[0], clock, "a")
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.INTERRUPTED
    await pins.settle(CARD, PIN, PinOutcome.REFUSED)
    await stores.pop().close()
    stores.append(place.open("a"))
    again = Pins(stores[0], clock, "a")
    assert why(await again.begin(CARD, PIN, judge)) is Forbidden.REFUSED
    # Another PIN is another matter, and so is another SIM.
    assert await again.begin(CARD, "0000", judge) is None
    assert await again.begin(Card("stick", CARD.imei, "8933990000000000025"), PIN, judge) is None


async def test_a_sim_that_is_moved_to_another_host_keeps_its_record(
    place: Place, stores: list[Store], clock: ManualClock, tell
) -> None:
    here = Pins(stores[0], clock, "a")
    await here.begin(CARD, PIN, judge)
    await here.settle(CARD, PIN, PinOutcome.REFUSED)
    if place.database is not None:
        stores.append(place.open("b"))
    there = Pins(stores[-1], clock, "b")
    moved = Card("sim1", "350000000000099", CARD.iccid)
    assert why(await there.begin(moved, PIN, judge)) is Forbidden.REFUSED
    tell(f"S01: a refused SIM in {'another host' if place.database else 'another modem'}: 0 attempts")
    # What is allowed there is used up there.
    await there.confirm(moved, PIN)
    assert await there.begin(moved, PIN, judge) is None
    assert why(await here.begin(CARD, PIN, judge)) is Forbidden.INTERRUPTED


async def test_a_sim_that_tells_its_number_only_when_unlocked(stores: list[Store], clock: ManualClock) -> None:
    """By its modem it is the same one, whether or not its number was read this time."""
    pins = Pins(stores[0], clock, "a")
    await pins.begin(LOCKED, PIN, judge)
    await pins.settle(LOCKED, PIN, PinOutcome.REFUSED)
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.REFUSED
    assert why(await pins.begin(LOCKED, PIN, judge)) is Forbidden.REFUSED
    nameless = Card("other")
    assert await pins.begin(nameless, PIN, judge) is None
    # A modem of another host that has the same name is another modem.
    assert await Pins(stores[0], clock, "b").begin(nameless, PIN, judge) is None


async def test_a_proven_pin_may_be_given_again(stores: list[Store], clock: ManualClock) -> None:
    pins = Pins(stores[0], clock, "a")
    for _ in range(3):
        assert await pins.begin(CARD, PIN, judge) is None
        await pins.settle(CARD, PIN, PinOutcome.PROVEN)
    # Interrupted: once more where the SIM shows that nothing wrong was presented, and not where nobody knows.
    assert await pins.begin(CARD, PIN, judge) is None
    assert why(await pins.begin(CARD, PIN, hasty)) is Forbidden.INTERRUPTED
    assert await pins.begin(CARD, PIN, judge) is None
    await pins.settle(CARD, PIN, PinOutcome.REFUSED)
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.REFUSED


async def test_a_sim_that_was_busy_was_not_given_it(stores: list[Store], clock: ManualClock) -> None:
    pins = Pins(stores[0], clock, "a")
    await pins.begin(CARD, PIN, judge)
    await pins.settle(CARD, PIN, PinOutcome.UNTOUCHED)
    assert await pins.begin(CARD, PIN, judge) is None


async def test_what_a_person_allows_is_one_try_within_the_hour(stores: list[Store], clock: ManualClock) -> None:
    pins = Pins(stores[0], clock, "a")
    await pins.begin(CARD, PIN, judge)
    await pins.settle(CARD, PIN, PinOutcome.REFUSED)
    await pins.confirm(CARD, PIN)
    assert await pins.begin(CARD, PIN, judge) is None
    await pins.settle(CARD, PIN, PinOutcome.REFUSED)
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.REFUSED
    await pins.confirm(CARD, PIN)
    clock.advance(timedelta(minutes=61))
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.REFUSED
    await pins.confirm(CARD, PIN)
    clock.set_wall(clock.now_us() - 7200 * 1_000_000)
    assert why(await pins.begin(CARD, PIN, judge)) is Forbidden.REFUSED


async def test_without_a_counter_a_sim_has_two_attempts(place: Place, stores: list[Store], clock: ManualClock) -> None:
    """Whatever the PIN, and after a restart; one that it takes begins anew."""
    pins = Pins(stores[0], clock, "a")
    assert await pins.begin(LOCKED, PIN, hasty) is None
    await pins.settle(LOCKED, PIN, PinOutcome.REFUSED)
    assert why(await pins.begin(CARD, PIN, hasty)) is Forbidden.REFUSED
    await pins.confirm(CARD, PIN)
    assert await pins.begin(CARD, PIN, hasty) is None
    await stores.pop().close()
    stores.append(place.open("a"))
    pins = Pins(stores[0], clock, "a")
    for pin in (PIN, "0000"):
        await pins.confirm(CARD, pin)
        assert why(await pins.begin(CARD, pin, hasty)) is Forbidden.LAST_TRY
    # By a modem that counts, another PIN is taken.
    assert await pins.begin(CARD, "0000", judge) is None
    await pins.settle(CARD, "0000", PinOutcome.PROVEN)
    assert await pins.begin(CARD, "0000", hasty) is None
    await pins.settle(CARD, "0000", PinOutcome.PROVEN)
    await pins.confirm(CARD, PIN)
    assert await pins.begin(CARD, PIN, hasty) is None


async def test_a_person_may_allow_what_was_never_tried(stores: list[Store], clock: ManualClock) -> None:
    """Somebody else has used up a try."""
    pins = Pins(stores[0], clock, "a")

    def few(records: Sequence[PinRecord], others_gone: int) -> PinRefusal | None:
        return refusal_of(records, Tries(2), without_counter=False, others_gone=others_gone)

    assert why(await pins.begin(CARD, PIN, few)) is Forbidden.FEW_TRIES
    await pins.confirm(CARD, PIN)
    assert await pins.begin(CARD, PIN, few) is None
    assert why(await pins.begin(CARD, PIN, few)) is Forbidden.INTERRUPTED


async def test_the_store_does_not_hold_the_pin(stores: list[Store], clock: ManualClock) -> None:
    pins = Pins(stores[0], clock, "a")
    await pins.begin(CARD, PIN, judge)
    (row,) = await stores[0].read(lambda connection: connection.execute(select(sim_pin)).all())
    assert PIN not in str(row)
    assert len(bytes(row.fingerprint)) == 32
    assert bytes(row.fingerprint) != stores[0].fingerprint(PIN)


async def test_a_store_that_cannot_be_written_allows_no_attempt(tmp_path: Path, clock: ManualClock, tell) -> None:
    store, calls = failing_store(Place(tmp_path, None))
    pins = Pins(store, clock, "a")
    full = sqlite3.OperationalError("database or disk is full")
    calls.fail_from(1, full)
    with pytest.raises(ModemNotReady, match="cannot be written"):
        await pins.begin(CARD, PIN, judge)
    calls.spare()
    tell("S01: the store refuses the record: no attempt, and the first one when it takes it again")
    assert await pins.begin(CARD, PIN, judge) is None
    # What came of it is written as soon as that is possible.
    calls.fail_from(1, full)
    await pins.settle(CARD, PIN, PinOutcome.PROVEN)
    await eventually(lambda: clock.next_wake_us is not None)
    calls.spare()
    clock.advance(timedelta(seconds=6))

    async def is_proven() -> bool:
        rows = await store.read(lambda connection: connection.execute(select(sim_pin.c.state)).scalars().all())
        return rows == ["proven"]

    await eventually(is_proven)
    await pins.close()
    await store.close()
