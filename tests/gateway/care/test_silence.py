"""A modem that says of everything that it was sent, while no report comes (M22)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from support.bench import make_bench
from support.caring import Caring, make_caring
from support.clock import ManualClock
from support.place import Place
from support.waiting import eventually

from drivers.sim import SimSettings
from drivers.sim.incoming import Incoming, Kind
from drivers.tpdu import Address, SmsStatusReport, TimeStamp, join_smsc
from gateway.care.silence import GRACE_US, LOOK_US, MOST_PARTS
from gateway.clock import to_datetime
from gateway.message import Status
from gateway.store.database import Store

PEOPLE = [f"+3363998{number:04}" for number in range(2000, 2200)]
A_LOOK = timedelta(microseconds=LOOK_US)
GRACE = timedelta(microseconds=GRACE_US)


# The service centre tells nothing by itself.
SIM = SimSettings(report_delay=1e6)


def _report_the_last(caring: Caring) -> None:
    """The service centre says of the last part that left that it was delivered."""
    simulated = caring.simulated["m0"]
    last = simulated.submissions[-1]
    stamp = TimeStamp.from_datetime(to_datetime(caring.clock.now_us()))
    told = SmsStatusReport(
        tp_mr=last.tp_mr, tp_ra=Address.from_text(last.destination), tp_scts=stamp, tp_dt=stamp, tp_st=0
    )
    centre = Address.from_text(simulated.settings.smsc)
    simulated.station.card.offer(Incoming(Kind.STATUS_REPORT, join_smsc(centre, told.to_bytes())))


async def _reported(caring: Caring, count: int) -> None:
    async def there() -> bool:
        return await caring.rows("SELECT count(*) FROM report") == [(count,)]

    await eventually(there, 10, f"{count} reports")


async def _is_well(caring: Caring) -> bool:
    """Whether the next look says nothing against the modem."""
    await caring.pass_time(A_LOOK, A_LOOK)
    return (await caring.known()).unreported_us is None


async def _send(caring: Caring, numbers: list[str], apart: timedelta) -> None:
    """Send to each of these, one after the other."""
    assert caring.crew is not None
    bench = await make_bench(caring.settings, caring.store, caring.clock) if caring.bench is None else caring.bench
    caring.bench = bench
    for number in numbers:
        message = await bench.accept(number)
        caring.crew.dispatcher.nudge()

        async def gone(message_id: str = message.id) -> bool:
            return (await bench.get(message_id)).status in {Status.SENT, Status.DELIVERED}

        await eventually(gone, 10, "the message to be sent")
        await caring.pass_time(apart, apart)


async def test_m22_a_modem_that_lies_is_found_out(
    place: Place,
    store: Store,
    clock: ManualClock,
    tell: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caring = make_caring(place, store, clock, sim=SIM, untested=[0])
    apart = timedelta(seconds=3)
    async with caring.running():
        await _send(caring, PEOPLE[100:110], apart)
        _report_the_last(caring)
        await _reported(caring, 1)
        assert (await caring.known()).unreported_us is None
        began_us = clock.now_us()
        sent = 0
        while (await caring.known()).unreported_us is None:
            assert sent < 25
            await _send(caring, [PEOPLE[sent]], apart)
            sent += 1
        seconds = (clock.now_us() - began_us) / 1_000_000
        (detail,) = await caring.events("modem.reports_missing")
        # The burst before the last report counts for nothing.
        assert re.fullmatch(r"m0: (\d+) parts to \1 people were taken, and no report came of any", detail), detail
        await _send(caring, PEOPLE[50:60], apart)
        assert len(await caring.events("modem.reports_missing")) == 1
        # A report of anything, and all is well again.
        _report_the_last(caring)
        await _reported(caring, 2)
        await eventually(partial(_is_well, caring), 20, "a modem that nothing is said against")
    told = [record.levelno for record in caplog.records if getattr(record, "action", "") == "reports_missing"]
    assert told == [logging.ERROR]
    assert "+33" not in caplog.text
    tell(f"M22: no report of anything, a part each 3 s: one alarm, after {sent} parts and {seconds:.0f} s")
    assert MOST_PARTS <= sent <= 20


async def test_telephones_that_are_off_and_bursts_are_no_alarm(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock, sim=SIM, untested=[0])
    async with caring.running():
        # Nine of ten are off.
        for start in range(0, 50, 10):
            await _send(caring, PEOPLE[start : start + 10], timedelta(seconds=10))
            _report_the_last(caring)
            await _reported(caring, start // 10 + 1)
        assert await caring.events("modem.reports_missing") == []
        # Thirty within a moment, and their reports take longer than that moment.
        await _send(caring, PEOPLE[:30], timedelta(seconds=1))
        assert await caring.events("modem.reports_missing") == []
        _report_the_last(caring)
        await _reported(caring, 6)
        await caring.pass_time(2 * GRACE, A_LOOK)
        assert await caring.events("modem.reports_missing") == []
