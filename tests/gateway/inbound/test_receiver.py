"""The receiver between a real driver and a real store: groups, and what stands in their way.

The modem is a script. It says at each deletion what the store held by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select
from support.clock import ManualClock
from support.driven import Driven
from support.failing_store import failing_store
from support.pdus import deliver, length_of, report
from support.place import Place
from support.postgresql import Database
from support.scripted_modem import PLAIN, ScriptedModem
from support.settings import settings_in
from support.waiting import eventually

from drivers.at.commands import ICCID
from gateway.errors import StorageFull
from gateway.ids import IdSource
from gateway.inbound.inbox import Inbox
from gateway.inbound.receiver import MOST_TOGETHER, Receiver
from gateway.inbound.replies import Replies
from gateway.inbound.reports import Reports
from gateway.store.database import Store
from gateway.store.schema import event

UNREAD = 0
SENDER = "+336100000{:02}"
MANY = 20
# A database that refuses one text, as no code of ours would.
_REFUSING_SQLITE = """CREATE TRIGGER refusing BEFORE INSERT ON inbox WHEN NEW.text = 'poison'
BEGIN SELECT RAISE(ABORT, 'refused'); END"""
_REFUSING_POSTGRESQL = (
    """CREATE FUNCTION refusing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.text = 'poison' THEN RAISE 'refused'; END IF; RETURN NEW; END $$""",
    "CREATE TRIGGER refusing BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION refusing()",
)


def said(*texts: str) -> list[str]:
    return [deliver(text, SENDER.format(number)) for number, text in enumerate(texts)]


@dataclass
class Receiving:
    """A receiver at work, its modem's memory, and its store."""

    store: Store
    clock: ManualClock
    place: Place
    committed: int = 0
    states: int = 0
    modem: ScriptedModem = field(default_factory=lambda: ScriptedModem(memories={"SM": {}}))

    @asynccontextmanager
    async def running(self, *pdus: str) -> AsyncIterator[Driven]:
        """Begin with these in the modem's memory; stop in order at the end."""
        self.modem.memories["SM"].update({slot: (UNREAD, pdu) for slot, pdu in enumerate(pdus, 1)})
        driven = Driven(self.modem)
        receiver = self._receiver(driven)
        task = asyncio.create_task(receiver.run())
        await driven.supervisor.start()
        try:
            yield driven
        finally:
            await driven.supervisor.stop()
            await asyncio.wait_for(task, 10)

    def _receiver(self, driven: Driven) -> Receiver:
        settings, ids = settings_in(self.place.folder, ports={"m": "scripted:"}), IdSource(self.clock)
        inbox, reports = Inbox(ids, Replies(settings, ids)), Reports(self.store, "FR")
        receiver = Receiver(driven.supervisor, self.store, inbox, reports, self.clock, gateway=settings.gateway)
        receiver.on_committed = self._count_commit
        receiver.on_state = self._count_state
        return receiver

    def _count_commit(self) -> None:
        self.committed += 1

    def _count_state(self) -> None:
        self.states += 1

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        def work(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

        return await self.store.read(work)

    async def texts(self) -> list[str]:
        return [row[0] for row in await self.rows("SELECT text FROM inbox ORDER BY id")]

    async def freed(self, *left: int) -> None:
        """Wait until the modem holds nothing but these."""
        await eventually(lambda: set(self.modem.memories["SM"]) == set(left), what="the slots to be freed")


@pytest.fixture
def receiving(store: Store, clock: ManualClock, place: Place) -> Receiving:
    return Receiving(store, clock, place)


async def test_what_waits_together_is_committed_together(receiving: Receiving) -> None:
    texts = [f"text {number}" for number in range(MANY)]
    before = receiving.store.groups
    async with receiving.running(*said(*texts)):
        await receiving.freed()
        assert await receiving.texts() == texts
    # States of the modem besides; one by one it would be a commit for each text.
    assert receiving.store.groups - before <= 6
    assert receiving.committed <= 6
    assert receiving.states


async def test_what_is_told_before_the_sim_was_read_is_known_again_when_it_is_told_once_more(
    receiving: Receiving,
) -> None:
    modem, pdu = receiving.modem, deliver("early")

    def tells(_: str) -> str:
        modem.say(f"+CMT: ,{length_of(pdu)}\n{pdu}")
        return "+CCID: 8933990000000000014\nOK"

    modem.answers[ICCID[0].text] = tells
    async with receiving.running():
        await eventually(receiving.texts, what="the message")
        modem.say(f"+CMT: ,{length_of(pdu)}\n{pdu}")
        modem.say(f"+CMT: ,{length_of(deliver('late'))}\n{deliver('late')}")
        await eventually(lambda: _has(receiving, "late"), what="the message behind it")
        assert await receiving.rows("SELECT text, iccid FROM inbox ORDER BY id") == [
            ("early", "8933990000000000014"), ("late", "8933990000000000014"),
        ]  # fmt: skip


async def _has(receiving: Receiving, text: str) -> bool:
    return text in await receiving.texts()


async def test_a_group_has_an_end(receiving: Receiving) -> None:
    texts = [f"text {number}" for number in range(2 * MOST_TOGETHER + 1)]
    async with receiving.running(*[deliver(text) for text in texts]):
        await receiving.freed()
        assert await receiving.texts() == texts


async def test_no_slot_is_freed_before_its_message_is_in_the_store(receiving: Receiving) -> None:
    early: list[int] = []
    stored = _looks_at(receiving.place)

    class Looking(ScriptedModem):
        def _delete(self, index: int) -> str:
            if f"text {index}" not in stored():
                early.append(index)
            return super()._delete(index)

    receiving.modem = Looking(memories={"SM": {}})
    async with receiving.running(*[deliver(f"text {slot}") for slot in range(1, MANY + 1)]):
        await receiving.freed()
    assert len(await receiving.texts()) == MANY
    assert not early


def _looks_at(place: Place) -> Callable[[], set[str]]:
    """What another connection finds in the inbox at this moment."""
    if place.database is not None:
        database: Database = place.database
        return lambda: {row[0] for row in database.run("SELECT text FROM inbox")}

    def look() -> set[str]:
        import sqlite3  # noqa: PLC0415 - for this engine alone

        connection = sqlite3.connect(f"file:{place.folder / 'tocsin.db'}?mode=ro", uri=True, isolation_level=None)
        try:
            return {row[0] for row in connection.execute("SELECT text FROM inbox")}
        finally:
            connection.close()

    return look


async def test_one_that_cannot_be_stored_is_set_aside_and_takes_nobody_along(receiving: Receiving) -> None:
    await _let_the_database_refuse(receiving)
    texts = ["one", "STOP", "poison", "two", "START", "three"]
    try:
        async with receiving.running(*said(*texts)):
            await receiving.freed()
            assert await receiving.texts() == [text for text in texts if text != "poison"]
            problems = await receiving.rows("SELECT problem FROM inbound_part WHERE problem IS NOT NULL")
            assert len(problems) == 1
            assert str(problems[0][0]).startswith("could not be handled")
    finally:
        if receiving.place.database is not None:
            receiving.place.database.run("DROP FUNCTION refusing CASCADE")


#: Where a message can fail: what a database refuses there, and the message that it refuses.
STAGES = {
    "its part": ("inbound_part", "NEW.text = 'poison'", "poison"),
    "its person": ("recipient", "NEW.number = '+33639980666'", "hello"),
    "its record": ("inbox", "NEW.text = 'poison'", "poison"),
    "its opt-out": ("optout", "NEW.source = 'sms:stop'", "STOP"),
    "its confirmation": ("message", "NEW.reply_to_inbox_id IS NOT NULL", "STOP"),
}


@pytest.mark.parametrize("stage", STAGES)
async def test_i02_what_fails_at_a_later_stage_is_set_aside_after_three_tries(
    receiving: Receiving, stage: str, caplog: pytest.LogCaptureFixture, tell: Callable[[str], None]
) -> None:
    table, condition, text = STAGES[stage]
    await _refuse(receiving, table, condition)
    pdus = [deliver("before", SENDER.format(1)), deliver(text, "+33639980666"), deliver("behind", SENDER.format(2))]
    try:
        async with receiving.running(*pdus):
            await receiving.freed()
            assert await receiving.texts() == ["before", "behind"]
            rows = await receiving.rows("SELECT octets, problem FROM inbound_part WHERE problem IS NOT NULL")
            ((octets, problem),) = rows
            assert bytes(octets).decode() == pdus[1].upper()
            assert str(problem).startswith("could not be handled")
            assert await receiving.rows("SELECT count(*) FROM optout") == [(0,)]
    finally:
        if receiving.place.database is not None:
            receiving.place.database.run("DROP FUNCTION refusing CASCADE")
    tries = [getattr(record, "action", "") for record in caplog.records].count("inbound_failed")
    assert tries == 3
    tell(
        f"I02: refused at {stage}: {tries} tries, then kept raw, then deleted; the messages before and behind it shown"
    )


async def _refuse(receiving: Receiving, table: str, condition: str) -> None:
    if receiving.place.database is not None:
        function = f"""CREATE FUNCTION refusing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF {condition} THEN RAISE 'refused'; END IF; RETURN NEW; END $$"""
        trigger = f"CREATE TRIGGER refusing BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refusing()"
        receiving.place.database.run(function, trigger)
        return
    refusing = f"""CREATE TRIGGER refusing BEFORE INSERT ON {table} WHEN {condition}
        BEGIN SELECT RAISE(ABORT, 'refused'); END"""
    await receiving.store.write(lambda connection: connection.exec_driver_sql(refusing))


async def _let_the_database_refuse(receiving: Receiving) -> None:
    if receiving.place.database is not None:
        receiving.place.database.run(*_REFUSING_POSTGRESQL)
        return
    await receiving.store.write(lambda connection: connection.exec_driver_sql(_REFUSING_SQLITE))


async def test_what_no_reading_fits_stands_in_a_group_like_any_other(receiving: Receiving) -> None:
    pdus = [deliver("before"), "0004", deliver("after"), report(7), "0004"]
    async with receiving.running(*pdus):
        await receiving.freed()
        assert await receiving.texts() == ["before", "after"]
        assert await receiving.rows("SELECT count(*) FROM inbound_part WHERE problem IS NOT NULL") == [(1,)]
        assert await receiving.rows("SELECT tp_mr FROM report") == [(7,)]
        kinds = [row[0] for row in await receiving.rows("SELECT type FROM event ORDER BY id")]
        told = [kind for kind in kinds if kind.startswith("inbound")]
        assert told == ["inbound.received", "inbound.undecodable", "inbound.received"]


async def test_while_the_store_refuses_everything_stays_in_the_modem(place: Place, clock: ManualClock) -> None:
    store, calls = failing_store(place)
    receiving = Receiving(store, clock, place)
    texts = [f"text {number}" for number in range(MANY)]
    try:
        calls.fail_from(1, StorageFull("storage_full", "no room", retry_after_s=1))
        async with receiving.running(*said(*texts)):
            await eventually(lambda: clock.next_wake_us is not None, what="the receiver to wait for better times")
            assert set(receiving.modem.memories["SM"]) == set(range(1, MANY + 1))
            calls.spare()
            clock.advance(timedelta(seconds=2))
            await receiving.freed()
            assert await receiving.texts() == texts
    finally:
        await store.close()


async def test_a_stop_in_the_middle_loses_nothing_and_doubles_nothing(receiving: Receiving) -> None:
    texts = [f"text {number}" for number in range(MANY)]
    stuck = [f"AT+CMGD={index}" for index in range(1, MANY + 1)]
    receiving.modem.answers.update(dict.fromkeys(stuck, "ERROR"))
    receiving.modem.obeyed = 0
    async with receiving.running(*said(*texts)):
        await eventually(lambda: receiving.committed > 1)
    assert await receiving.texts() == texts
    assert len(receiving.modem.memories["SM"]) == MANY
    for line in stuck:
        del receiving.modem.answers[line]
    async with receiving.running():
        # Receipts of the first session free nothing: everything is told again, and known.
        await receiving.freed()
    assert await receiving.texts() == texts


async def test_a_receipt_of_a_session_that_is_over_frees_nothing(receiving: Receiving) -> None:
    texts = [f"text {number}" for number in range(MANY)]
    async with receiving.running() as driven:
        await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
        for slot, text in enumerate(texts, 1):
            receiving.modem.memories["SM"][slot] = UNREAD, deliver(text)
        receiving.modem.say("\n".join(f'+CMTI: "SM",{slot}' for slot in range(1, MANY + 1)))
        await driven.line.unplug()
        await receiving.freed()
        assert sorted(await receiving.texts()) == sorted(texts)


async def test_what_is_handed_over_is_confirmed_after_its_commit(receiving: Receiving) -> None:
    answers = {**PLAIN, "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK", "AT+CNMA": "OK"}
    receiving.modem = ScriptedModem(answers=answers, memories={"SM": {}})  # type: ignore[arg-type]
    async with receiving.running() as driven:
        await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
        pdus = [report(number) for number in range(MANY)]
        receiving.modem.say("\n".join(f"+CDS: {length_of(pdu)}\n{pdu}" for pdu in pdus))
        await eventually(lambda: receiving.modem.commands.count("AT+CNMA") == MANY)
        assert await receiving.rows("SELECT tp_mr FROM report ORDER BY id") == [(number,) for number in range(MANY)]


async def test_what_people_are_told_of_a_modem(receiving: Receiving) -> None:
    """A pause and a parking are events, with the reason."""

    async def told() -> list[tuple[str, str]]:
        rows = select(event.c.type, event.c.detail).where(event.c.type.like("modem.%")).order_by(event.c.id)
        return [tuple(row) for row in await receiving.store.read(lambda connection: connection.execute(rows).all())]

    async with receiving.running() as driven:
        await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
        driven.supervisor.set_paused(True)
        driven.supervisor.set_paused(False)
        await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
        receiving.modem.answers["AT+CPIN?"] = "+CPIN: SIM PIN\nOK"
        receiving.modem.say("RDY")
        await eventually(lambda: driven.supervisor.status().state == "parked", 20)

        async def parked() -> list[tuple[str, str]]:
            found = await told()
            return found if found[-1][0] == "modem.parked" else []

        found = await eventually(parked, 10)
    assert found[:3] == [
        ("modem.up", "m: ready"),
        ("modem.down", "m: paused by an operator"),
        ("modem.up", "m: ready"),
    ]
    assert found[-1][1].startswith("m: the SIM asks for a PIN and none is configured")
