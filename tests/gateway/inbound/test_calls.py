"""Somebody called a modem: one event, and who it was among the people of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from support.bench import Bench
from support.clock import ManualClock
from support.failing_store import failing_store
from support.place import Place
from support.settings import settings_in

from drivers.errors import ModemNotReady
from drivers.events import (
    CallMissed,
    ModemEvent,
    ModemIdentity,
    ModemState,
    ModemStatus,
    Receipt,
    SubmitResult,
    WireWitness,
)
from gateway.ids import IdSource
from gateway.inbound.inbox import Inbox
from gateway.inbound.receiver import Receiver
from gateway.inbound.replies import Replies
from gateway.inbound.reports import Reports
from gateway.store.database import Store


class Ringing:
    """A modem that tells of these calls, and then no more."""

    name = "sim1"
    state = ModemState.READY
    identity = ModemIdentity(iccid="8933")

    def __init__(self, callers: Sequence[str | None]) -> None:
        self._callers = callers

    def status(self) -> ModemStatus:
        return ModemStatus(self.name, ModemState.READY, None, "ringing:", iccid="8933")

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def wait_ready(self) -> None: ...

    async def submit(
        self, tpdu: bytes, witness: WireWitness | None = None, *, iccid: str | None = None
    ) -> SubmitResult:
        raise ModemNotReady("it only rings")

    async def events(self) -> AsyncIterator[ModemEvent]:
        for caller in self._callers:
            yield CallMissed(caller)

    async def acknowledge(self, receipt: Receipt) -> None:
        raise AssertionError("there is nothing to forget")

    async def ussd(self, code: str, seconds: float = 60.0) -> str:
        raise ModemNotReady("it only rings")


async def _hear(place: Place, store: Store, clock: ManualClock, callers: Sequence[str | None]) -> None:
    settings, ids = settings_in(place.folder), IdSource(clock)
    inbox, reports = Inbox(ids, Replies(settings, ids)), Reports(store, "FR")
    receiver = Receiver(Ringing(callers), store, inbox, reports, clock, gateway=settings.gateway)
    await receiver.run()


async def test_a_call_is_an_event_and_its_caller_a_person(
    place: Place, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await _hear(place, store, clock, ["+33639980101", "0639980101", None, "1234"])

    def work(connection: object) -> list[tuple[object, ...]]:
        query = (
            "SELECT event.type, event.detail, missed_call.modem, missed_call.iccid, recipient.number, recipient.kind"
            " FROM missed_call JOIN event ON event.id = missed_call.event_id"
            " LEFT JOIN recipient ON recipient.id = missed_call.recipient_id ORDER BY missed_call.id"
        )
        return [tuple(row) for row in connection.exec_driver_sql(query)]  # type: ignore[attr-defined]

    told = ("call.missed", "through sim1", "sim1", "8933")
    assert await store.read(work) == [
        (*told, "+33639980101", "e164"),
        (*told, "+33639980101", "e164"),
        (*told, None, None),
        (*told, "1234", "short_code"),
    ]
    assert "63998" not in caplog.text


async def test_a_store_that_refuses_makes_no_second_event(place: Place, clock: ManualClock) -> None:
    for call in range(1, 4):
        store, calls = failing_store(place)
        try:
            calls.fail_at(call, RuntimeError("once"))
            before = await store.read(lambda connection: connection.exec_driver_sql(_COUNT).scalar_one())
            await _hear(place, store, clock, ["+33639980101"])
            after = await store.read(lambda connection: connection.exec_driver_sql(_COUNT).scalar_one())
            assert after == before + 1
        finally:
            await store.close()


_COUNT = "SELECT count(*) FROM event WHERE type = 'call.missed'"


async def test_a_call_is_no_inbox_item(bench: Bench, place: Place, clock: ManualClock) -> None:
    await _hear(place, bench.store, clock, ["+33639980101"])
    count = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM inbox").scalar_one()
    )
    assert count == 0
