"""What came of looking after a modem, as `GET /v1/modems` shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from support.caring import Caring, make_caring
from support.clock import ManualClock
from support.place import Place

from api.models.modems import modem_out
from gateway.clock import rfc3339
from gateway.ids import IdSource
from gateway.requests import Principal
from gateway.services.modems import Fleet, Modems
from gateway.store import care
from gateway.store.care import NewTest, SelfTestOutcome
from gateway.store.database import Store

SEEN = ("self_test", "balance", "warnings")


async def _shown(caring: Caring) -> dict[str, Any]:
    service = Modems(caring.store, caring.clock, Fleet(caring.modems, {}), caring.settings)
    (view,) = await service.list(Principal(1, "reader", frozenset({"read"})))
    document = modem_out(view)
    return {key: document[key] for key in SEEN}


async def test_it_is_shown_as_it_was_found(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock)
    ids, now_us = IdSource(clock), clock.now_us()
    async with caring.running():
        assert await _shown(caring) == {"self_test": None, "balance": None, "warnings": []}
        iccid = caring.modems["m0"].status().iccid

        def test(token: str, outcome: SelfTestOutcome | None, at_us: int) -> None:
            new = NewTest(token, "test-1", "m0", "m0", b"0" * 32, ids.new(), at_us)

            def work(connection: Connection) -> None:
                care.begin_test(connection, new)
                if outcome is not None:
                    care.end_test(connection, token, outcome, at_us + 1_000_000)

            tests.append(work)

        tests: list[Any] = []
        test("A" * 26, SelfTestOutcome.ARRIVED, now_us - 9_000_000)
        test("B" * 26, SelfTestOutcome.FAILED, now_us - 6_000_000)
        test("C" * 26, SelfTestOutcome.DROPPED, now_us - 4_000_000)
        test("D" * 26, None, now_us)
        for work in tests:
            await store.write(work)
        known = {"balance_milli": 12_340, "balance_us": now_us, "balance_iccid": iccid, "unreported_us": now_us}
        await store.write(lambda connection: care.write(connection, "test-1", "m0", **known))
        shown = await _shown(caring)
        # What was dropped says nothing, and what is under way nothing yet.
        assert shown["self_test"] == {"at": rfc3339(now_us - 5_000_000), "ok": False}
        assert shown["balance"] == {"amount": 12.34, "at": rfc3339(now_us)}
        assert [warning["code"] for warning in shown["warnings"]] == ["reports_missing"]
        await store.write(
            lambda connection: care.write(connection, "test-1", "m0", balance_iccid="8933000000000000000")
        )
        assert (await _shown(caring))["balance"] is None
        # It arrives after all.
        found = await store.write(lambda connection: care.arrived(connection, "B" * 26, b"0" * 32, now_us))
        assert found is not None
        assert (await _shown(caring))["self_test"] == {"at": rfc3339(now_us), "ok": True}
        assert await store.write(lambda connection: care.arrived(connection, "B" * 26, b"1" * 32, now_us)) is None


async def test_what_ended_long_ago_is_forgotten(place: Place, store: Store, clock: ManualClock) -> None:
    caring = make_caring(place, store, clock)
    new = NewTest("A" * 26, "test-1", "m0", "m0", b"0" * 32, IdSource(clock).new(), clock.now_us())

    def work(connection: Connection) -> int:
        care.begin_test(connection, new)
        care.begin_test(connection, replace(new, token="B" * 26, modem="m1"))
        care.end_test(connection, "A" * 26, SelfTestOutcome.ARRIVED, clock.now_us())
        assert care.forget_tests(connection, clock.now_us()) == 0
        return care.forget_tests(connection, clock.now_us() + 1)

    assert await store.write(work) == 1
    assert await caring.rows("SELECT token FROM self_test") == [("B" * 26,)]
