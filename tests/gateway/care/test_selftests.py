"""Every modem proves itself: real senders, receivers and simulated modems, and a clock that the test moves."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from support.caring import NUMBERS, Caring, make_caring
from support.clock import ManualClock
from support.place import Place
from support.waiting import eventually

from drivers.at.codes import CmsError
from drivers.sim import SimSettings
from gateway.care.selftests import EXPIRES_US, FIRST_US, LOOK_US, PATIENCE_US
from gateway.config.limits import SimLimits
from gateway.message import Status
from gateway.store.database import Store

FIRST = timedelta(microseconds=FIRST_US)
PATIENCE = timedelta(microseconds=PATIENCE_US)
A_LOOK = timedelta(microseconds=LOOK_US)
WEEK = timedelta(days=7)


async def _ended(caring: Caring, count: int = 1) -> list[tuple[str, str, str]]:
    """The tests that are over, once there are so many: modem, target, outcome."""

    async def over() -> list[tuple[str, str, str]] | None:
        query = "SELECT modem, target, outcome FROM self_test WHERE ended_us IS NOT NULL ORDER BY ended_us, modem"
        rows = await caring.rows(query)
        return rows if len(rows) == count else None  # type: ignore[return-value]

    try:
        return await eventually(over, 10, f"{count} tests to be over")
    except AssertionError as error:
        raise AssertionError(f"{error}; {await caring.story()}") from None


async def _ended_by(caring: Caring, count: int, looks: int = 20) -> list[tuple[str, str, str]]:
    """As `_ended`; a few looks may pass until then."""
    for _ in range(looks):
        if await caring.rows("SELECT count(*) FROM self_test WHERE ended_us IS NOT NULL") == [(count,)]:
            break
        await caring.pass_time(A_LOOK)
    return await _ended(caring, count)


async def _begun(caring: Caring, count: int = 1) -> None:
    async def there() -> bool:
        return await caring.rows("SELECT count(*) FROM self_test") == [(count,)]

    await eventually(there, 10, f"{count} tests to begin")


async def test_a_modem_writes_to_itself_and_nobody_sees_it(place: Place, store: Store, clock: ManualClock) -> None:
    limits = SimLimits(per_day=500)
    caring = make_caring(place, store, clock, limits=limits)
    async with caring.running():
        assert await caring.known() == type(await caring.known())()
        await caring.pass_time(FIRST + A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "arrived")]
        (message,) = await eventually(lambda: _with_status(caring, Status.DELIVERED))
        assert (message.category, message.to, message.modem) == ("self_test", NUMBERS[0], "m0")
        # Of no token: only who reads everything sees it.
        assert await caring.rows("SELECT count(*) FROM message WHERE token_id IS NOT NULL") == [(0,)]
        assert await caring.rows("SELECT count(*) FROM inbox") == [(0,)]
        assert await caring.rows("SELECT count(*), count(inbox_id) FROM inbound_part") == [(1, 0)]
        assert await caring.events("inbound.received") == []
        assert await caring.events("modem.selftest_failed") == []
        # It counts for the limits of its SIM.
        assert await caring.rows("SELECT day_parts FROM sim_count") == [(1,)]
        known = await caring.known()
        assert known.test is not None
        assert known.test[1] is True
        (travel,) = (await caring.rows("SELECT travel_us FROM self_test"))[0]
        assert 0 <= travel <= LOOK_US
        # Not again before a week is over.
        await caring.pass_time(timedelta(hours=30), timedelta(hours=1))
        assert len(await caring.messages()) == 1


async def _with_status(caring: Caring, status: Status) -> list[object] | None:
    found = await caring.messages()
    return list(found) if [message.status for message in found] == [status] else None


async def test_two_write_to_each_other(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock, 2)
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        assert await _ended(caring) == [("m0", "m1", "arrived")]
        await caring.pass_time(timedelta(hours=11), timedelta(hours=1))
        await caring.pass_time(timedelta(minutes=55), timedelta(minutes=11))
        assert await _ended_by(caring, 2) == [("m0", "m1", "arrived"), ("m1", "m0", "arrived")]
        assert await caring.rows("SELECT count(*) FROM inbox") == [(0,)]


async def test_where_no_other_writes_to_it_it_writes_to_itself_in_turn(
    place: Place, store: Store, clock: ManualClock
) -> None:
    caring = make_caring(place, store, clock, 2, untested=[1])
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        assert await _ended(caring) == [("m0", "m1", "arrived")]
        await caring.pass_time(WEEK + A_LOOK, timedelta(hours=6))
        assert await _ended_by(caring, 2) == [("m0", "m1", "arrived"), ("m0", "m0", "arrived")]


async def test_one_that_does_not_arrive_is_told_once(
    place: Place, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    # The number of the configuration is not that of the SIM.
    caring = make_caring(place, store, clock, numbers={0: "+33639980999"})
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        await eventually(lambda: _with_status(caring, Status.DELIVERED))
        await caring.pass_time(PATIENCE - 2 * A_LOOK)
        assert await caring.events("modem.selftest_failed") == []
        await caring.pass_time(4 * A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "failed")]
        await caring.pass_time(timedelta(hours=2))
        assert await caring.events("modem.selftest_failed") == [
            "m0: a message to the SIM of m0 did not arrive; it was sent and reported delivered"
        ]
        known = await caring.known()
        assert known.test is not None
        assert known.test[1] is False
    told = [record for record in caplog.records if getattr(record, "action", "") == "selftest_failed"]
    assert [record.levelno for record in told] == [logging.ERROR]
    assert "3363998" not in caplog.text


async def test_one_that_the_network_refuses_has_failed_at_once(place: Place, store: Store, clock: ManualClock) -> None:
    sim = SimSettings(report_delay=0, refused={NUMBERS[0]: CmsError.OPERATOR_DETERMINED_BARRING})
    caring = make_caring(place, store, clock, sim=sim)
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        await eventually(lambda: _with_status(caring, Status.FAILED), 10)
        await caring.pass_time(2 * A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "failed")]
        (detail,) = await caring.events("modem.selftest_failed")
        assert detail.endswith("its message is failed")


async def test_what_is_paused_is_no_failure(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock)
    async with caring.running():
        await caring.pause(everything=True)
        await caring.pass_time(FIRST + A_LOOK)
        await _begun(caring)
        await caring.pass_time(timedelta(hours=3))
        (message,) = await caring.messages()
        assert message.status is Status.HELD
        assert not caring.simulated["m0"].submissions
        # Its time passes: nothing is known of the modem.
        await caring.pass_time(timedelta(microseconds=EXPIRES_US), timedelta(hours=1))
        await caring.pass_time(2 * A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "dropped")]
        assert await caring.events("modem.selftest_failed") == []
        assert (await caring.known()).test is None
        # It begins anew; what was held leaves once it may.
        await caring.pass_time(timedelta(minutes=70))
        await _begun(caring, 2)
        await caring.pause(everything=False)
        await caring.pass_time(2 * A_LOOK)
        assert (await _ended(caring, 2))[1] == ("m0", "m0", "arrived")


async def test_after_a_month_off_there_is_no_burst(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock, 6)
    async with caring.running():
        await caring.pass_time(timedelta(minutes=5))
    clock.advance(timedelta(days=31))
    async with caring.running():
        await caring.pass_time(2 * A_LOOK)
        assert await caring.rows("SELECT count(*) FROM self_test") == [(0,)]
        rows = await caring.rows("SELECT test_due_us FROM modem_care ORDER BY test_due_us")
        due = [row[0] - clock.now_us() for row in rows]
        gaps = [later - sooner for sooner, later in pairwise(due)]
        assert 0 < due[0] <= FIRST_US
        assert min(gaps) >= timedelta(hours=3) // timedelta(microseconds=1)
        assert due[-1] <= timedelta(days=1) // timedelta(microseconds=1)


async def test_the_schedule_outlives_restarts(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock)
    # A gateway that is restarted again and again comes to its test all the same.
    for _ in range(3):
        async with caring.running():
            await caring.pass_time(timedelta(minutes=3))
    async with caring.running():
        await caring.pass_time(timedelta(minutes=3))
        assert await _ended(caring) == [("m0", "m0", "arrived")]


async def test_one_that_was_under_way_at_a_restart_is_found(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock, numbers={0: "+33639980999"})
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        await eventually(lambda: _with_status(caring, Status.DELIVERED))
    clock.advance(timedelta(days=2))
    async with caring.running():
        # What came meanwhile is still to be read.
        await caring.pass_time(PATIENCE - 2 * A_LOOK)
        assert await caring.events("modem.selftest_failed") == []
        await caring.pass_time(4 * A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "failed")]


async def test_one_of_another_number_or_with_another_token_is_somebodys_words(
    place: Place, store: Store, clock: ManualClock
) -> None:
    caring = make_caring(place, store, clock)
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        await _ended(caring)
        (text,) = [message.text for message in await caring.messages()]
        assert text is not None
        forged = text[:-26] + "A" * 26
        caring.simulated["m0"].inject_sms("+33639980777", text)
        caring.simulated["m0"].inject_sms(NUMBERS[0], forged)
        caring.simulated["m0"].inject_sms(NUMBERS[0], text)

        async def shown() -> bool:
            return await caring.rows("SELECT count(*) FROM inbound_part") in [[(4,)], [(3,)]]

        await eventually(shown, 10)
        await eventually(lambda: _texts(caring, [text, forged]), 10)


async def _texts(caring: Caring, texts: list[str]) -> bool:
    return sorted(row[0] for row in await caring.rows("SELECT text FROM inbox")) == sorted(texts)


async def test_modems_in_a_country_that_is_not_listed_are_tested_too(
    place: Place, store: Store, clock: ManualClock
) -> None:
    caring = make_caring(place, store, clock)
    caring.settings = replace(caring.settings, api=replace(caring.settings.api, allowed_countries=("BE",)))
    async with caring.running():
        await caring.pass_time(FIRST + A_LOOK)
        assert await _ended(caring) == [("m0", "m0", "arrived")]
