"""The balance of a SIM: asked when nothing is to be sent, read tolerantly, told when it is low."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.caring import Caring, make_caring
from support.clock import ManualClock
from support.place import Place
from support.waiting import eventually

from gateway.care.balances import AGAIN_US, BUSY_US, FIRST_US
from gateway.clock import SECOND_US
from gateway.config.settings import BalanceSettings
from gateway.store.database import Store

CODE = "#123#"
DAY = timedelta(days=1)
FIRST = timedelta(microseconds=FIRST_US)
AGAIN = timedelta(microseconds=AGAIN_US)
ASKED = BalanceSettings(CODE, 86_400 * SECOND_US, 5.0)


def _caring(place: Place, store: Store, clock: ManualClock, count: int = 1) -> Caring:
    return make_caring(place, store, clock, count, untested=range(count), balance=ASKED)


async def _asked(caring: Caring, count: int, name: str = "m0") -> None:
    await eventually(lambda: len(caring.modems[name].asked) == count, 10, f"{count} questions")
    await caring.settled()


async def test_it_is_told_once_for_each_crossing(
    place: Place, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caring = _caring(place, store, clock)
    told = [("12,50", 0), ("4,99", 1), ("0,10", 1), ("20,00", 1), ("3,00", 2)]
    async with caring.running():
        modem = caring.modems["m0"]
        await caring.pass_time(FIRST - timedelta(seconds=1), timedelta(seconds=59))
        assert not modem.asked
        for number, (amount, lows) in enumerate(told, 1):
            caring.codes["m0"][CODE] = f"Votre solde est de {amount} EUR"
            await caring.pass_time(timedelta(seconds=1) if number == 1 else DAY, DAY)
            await _asked(caring, number)
            known = await caring.known()
            assert known.balance is not None
            assert known.balance[0] == round(float(amount.replace(",", ".")) * 1000)
            assert known.balance[2] == modem.status().iccid
            assert len(await caring.events("balance.low")) == lows
        assert await caring.events("balance.low") == ["m0: 4.99 is less than 5", "m0: 3 is less than 5"]
    assert "Votre" not in caplog.text
    lows_logged = [vars(record) for record in caplog.records if vars(record).get("action") == "balance_low"]
    assert [record["modem"] for record in lows_logged] == ["m0", "m0"]
    assert not [record for record in lows_logged if "4.99" in str(record) or "less than" in str(record)]


async def test_what_cannot_be_read_is_said_without_the_text(
    place: Place, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caring = _caring(place, store, clock)
    async with caring.running():
        caring.codes["m0"][CODE] = "Bonjour +33639980777, service indisponible"
        await caring.pass_time(FIRST)
        await _asked(caring, 1)
        assert (await caring.known()).balance is None
    assert [getattr(record, "action", "") for record in caplog.records].count("balance_unreadable") == 1
    assert "Bonjour" not in caplog.text
    assert "33639980777" not in caplog.text


async def test_no_answer_is_asked_for_again_soon(place: Place, store: Store, clock: ManualClock) -> None:
    caring = _caring(place, store, clock)
    async with caring.running():
        await caring.pass_time(FIRST)
        await _asked(caring, 1)
        await caring.pass_time(AGAIN - timedelta(minutes=1))
        assert len(caring.modems["m0"].asked) == 1
        caring.codes["m0"][CODE] = "Saldo: 7"
        await caring.pass_time(timedelta(minutes=1))
        await _asked(caring, 2)
        known = await caring.known()
        assert known.balance is not None
        assert known.balance[0] == 7000
        await caring.pass_time(timedelta(hours=23), timedelta(hours=1))
        assert len(caring.modems["m0"].asked) == 2


async def test_the_schedule_outlives_a_restart_and_a_month_off(place: Place, store: Store, clock: ManualClock) -> None:
    caring = _caring(place, store, clock, 3)
    async with caring.running():
        await caring.pass_time(4 * FIRST)
        for name in caring.modems:
            await _asked(caring, 1, name)
    async with caring.running():
        await caring.pass_time(timedelta(minutes=15))
        assert {name: len(modem.asked) for name, modem in caring.modems.items()} == {"m0": 1, "m1": 1, "m2": 1}
        await caring.pass_time(timedelta(minutes=15))
        assert {name: len(modem.asked) for name, modem in caring.modems.items()} == {"m0": 2, "m1": 2, "m2": 2}
    clock.advance(timedelta(days=31))
    async with caring.running():
        await caring.pass_time(timedelta(seconds=90), timedelta(seconds=45))
        assert [len(modem.asked) for modem in caring.modems.values()] == [1, 0, 0]


async def test_a_modem_that_sends_is_not_asked(place: Place, store: Store, clock: ManualClock) -> None:
    caring = _caring(place, store, clock)
    async with caring.running() as crew:
        modem = caring.modems["m0"]
        caring.codes["m0"][CODE] = "Saldo: 7"
        sender = crew._senders["m0"]
        sender.idle = False
        clock.advance(FIRST)
        waits_us = clock.now_us() + BUSY_US
        await eventually(lambda: clock.next_wake_us is not None and clock.next_wake_us <= waits_us, 10)
        await asyncio.sleep(0)
        assert not modem.asked
        sender.idle = True
        await caring.pass_time(timedelta(microseconds=BUSY_US), timedelta(microseconds=BUSY_US))
        await _asked(caring, 1)


async def test_another_sim_begins_anew(place: Place, store: Store, clock: ManualClock) -> None:
    caring = _caring(place, store, clock)
    async with caring.running():
        caring.codes["m0"][CODE] = "Saldo: 1 EUR"
        await caring.pass_time(FIRST)
        await _asked(caring, 1)
    await store.write(
        lambda connection: connection.exec_driver_sql("UPDATE modem_care SET balance_iccid = '8933000000000000000'")
    )
    async with caring.running():
        caring.codes["m0"][CODE] = "Saldo: 2 EUR"
        await caring.pass_time(DAY + FIRST, timedelta(hours=1))
        await _asked(caring, 1)
        assert await caring.events("balance.low") == ["m0: 1 is less than 5", "m0: 2 is less than 5"]
