"""Channels: what SMS could not bring goes by mail, who runs the gateway is told of troubles, replies go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.mail import Mailbox, mail_server
from support.receiving import Receiver, receiver
from support.settings import settings_in
from support.waiting import eventually

from drivers.events import ModemState, ModemStatus
from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.config.settings import ChannelSettings, InboundSettings, Settings
from gateway.message import PartEvent
from gateway.notify.channel_words import KINDS_OF_TROUBLE, ChannelWords
from gateway.notify.outgoing import Outgoing
from gateway.requests import Principal
from gateway.services.contacts import Contacts
from gateway.store import calls, events, inbox, optouts, recipients
from gateway.store.database import Store
from gateway.store.schema import message, notice

# Apprise's own plugins import what Python 3.13 has no more.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
#: What the two databases do not do alike is in the first test.
ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
ANNA = "mailto:anna@example.org"
ADMIN = Principal(0, "cli", frozenset({"admin"}))
CHIEF = "+33639980150"


@dataclass
class Rig:
    """Channels over a bench, with a mail server and a receiver of pushes. `states` are those of its modems."""

    bench: Bench
    box: Mailbox
    pushed: Receiver
    states: dict[str, ModemState]
    tasks: list[asyncio.Task[Any]]

    def make(self) -> Outgoing:
        bench = self.bench
        made = Outgoing(bench.settings, bench.store, bench.clock, bench.intake, lambda: None, statuses=self.statuses)
        made.alarms.free = lambda _: (10**12, 0.5)
        return made

    def statuses(self) -> list[ModemStatus]:
        return [ModemStatus(name, state, None, "/dev/x") for name, state in self.states.items()]

    def start(self, made: Outgoing | None = None) -> Outgoing:
        made = made or self.make()
        self.tasks += [asyncio.create_task(work) for _, work in made.tasks()]
        return made

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    async def until(self, condition: Callable[[], Any], step: float = 0.3) -> None:
        async def held() -> Any:
            self.bench.clock.advance(timedelta(seconds=step))
            found = condition()
            return await found if asyncio.iscoroutine(found) else found

        await eventually(held, 20)

    async def ended(self, event: PartEvent, **fields: Any) -> str:
        """A message that ended so."""
        accepted = await self.bench.accept(**fields)
        marked = await self.bench.next()
        assert marked is not None
        told = {"tp_mr": 1} if event is PartEvent.ACCEPTED else {"code": "1", "sentence": "no"}
        await self.bench.settle(marked, event, **told)
        return accepted.id

    async def told_of(self, message_id: str) -> list[tuple[str, str | None]]:
        rows = await self.bench.store.read(lambda c: events.of_message(c, message_id))
        return [(row.type.removeprefix("message."), row.detail) for row in rows if "fallback" in row.type]

    async def left(self) -> int:
        rows = await self.bench.store.read(
            lambda c: c.execute(select(notice.c.id).where(notice.c.due_us.is_not(None))).all()
        )
        return len(rows)

    async def texts_to(self, number: str) -> list[str]:
        lookup = self.bench.store.fingerprint(number)

        def work(connection: Any) -> list[str]:
            person = recipients.find(connection, lookup)
            query = select(message.c.text).where(message.c.recipient_id == person).order_by(message.c.id)
            return list(connection.execute(query).scalars())

        return await self.bench.store.read(work)


@pytest.fixture
async def rig(tmp_path: Path, store: Store, clock: ManualClock) -> Callable[..., Any]:
    @asynccontextmanager
    async def made(**keys: Any) -> AsyncIterator[Rig]:
        async with mail_server() as box, receiver() as pushed:
            push = "json://" + pushed.url.removeprefix("http://") + "/alarm"
            settings: Settings = replace(
                settings_in(tmp_path, language="en"), channels=ChannelSettings(box.url, (push,)), **keys
            )
            found = Rig(await make_bench(settings, store, clock), box, pushed, {"sim1": ModemState.READY}, [])
            try:
                yield found
            finally:
                await found.stop()

    return made


async def test_a_contacts_address_takes_what_failed(rig: Any):
    async with rig() as r:
        bench = r.bench
        contacts = Contacts(bench.settings, bench.store, bench.clock, bench.ids)
        await contacts.create(ADMIN, "+33639980102", {"email": "anna@example.org"})
        made = r.make()
        await made.herald.follow()
        failed = await r.ended(PartEvent.REFUSED, to="+33639980102", text="Come at nine", fallback=("push", "email"))
        nowhere = await r.ended(PartEvent.REFUSED, to="+33639980103", fallback=("email",))
        r.start(made)
        await r.until(lambda: r.told_of(failed))
        assert [(to, text) for (to, _), text in zip(r.box.mails, r.box.texts, strict=True)] == [
            ("anna@example.org", "Come at nine")
        ]
        assert await r.told_of(nowhere) == [("fallback_failed", "nothing that it names leads anywhere")]
        warned = [[each.code for each in (await bench.get(one)).warnings] for one in (failed, nowhere)]
        assert warned == [[], ["fallback_unreachable"]]


async def test_what_failed_goes_by_mail_once_also_over_a_crash(rig: Any):
    async with rig() as r:
        first = r.make()
        await first.herald.follow()
        failed = await r.ended(PartEvent.REFUSED, text="Come at nine", fallback=("push", ANNA))
        nowhere = await r.ended(PartEvent.REFUSED, to="+33639980102", fallback=("email",))
        await r.ended(PartEvent.REFUSED, to="+33639980103")
        sent = await r.ended(PartEvent.ACCEPTED, to="+33639980104", fallback=(ANNA,))
        # What the first gateway has left, the second carries: it died in between.
        await first.herald.follow()
        assert await r.left() == 1
        r.box.refuses = True
        r.start()
        await r.until(lambda: r.box.asked)
        assert await r.told_of(failed) == []
        r.box.refuses = False
        await r.until(lambda: r.told_of(failed), step=5)
        assert await r.told_of(failed) == [("fallback_sent", "by email")]
        assert [(to, text) for (to, _), text in zip(r.box.mails, r.box.texts, strict=True)] == [
            ("anna@example.org", "Come at nine")
        ]
        assert await r.told_of(nowhere) == [("fallback_failed", "nothing that it names leads anywhere")]
        assert (await r.told_of(sent), await r.left()) == ([], 0)


@ON_SQLITE
async def test_nobody_is_written_to_who_opted_out_or_of_what_was_a_test_or_has_arrived(rig: Any):
    async with rig() as r:
        bench: Bench = r.bench
        made = r.make()
        await made.herald.follow()
        lookup, now_us = bench.store.fingerprint(NUMBER), bench.clock.now_us()

        def opt_out(connection: Any) -> None:
            person = recipients.ensure(connection, NUMBER, AddressKind.E164, lookup, now_us)
            optouts.add(connection, person, "", now_us, source="staff")

        await bench.store.write(opt_out)
        suppressed = await bench.accept(fallback=(ANNA,))
        assert suppressed.status == "suppressed"
        bench.principal = replace(bench.principal, test=True)
        tested = await r.ended(PartEvent.REFUSED, to="+33639980102", fallback=(ANNA,))
        r.start(made)
        await r.until(lambda: r.told_of(tested))
        assert await r.told_of(tested) == [("fallback_sent", "a test: nothing is sent")]
        assert (await r.told_of(suppressed.id), await r.left(), r.box.asked) == ([], 0, 0)


@ON_SQLITE
async def test_a_mail_server_that_hangs_keeps_push_and_sms_from_nothing(rig: Any):
    async with rig(alarms=(ANNA, "push", f"sms:{CHIEF}")) as r:
        r.box.held = asyncio.Event()
        r.states["sim1"] = ModemState.PARKED
        r.start()
        await r.until(lambda: r.pushed.told and r.box.asked)
        await r.until(lambda: r.texts_to(CHIEF))
        assert await r.texts_to(CHIEF) == ["Tocsin test-1: modem sim1 needs a person"]
        assert "modem sim1 needs a person" in r.pushed.told[0].document["message"]
        assert r.box.mails == []
        r.box.held.set()
        await r.until(lambda: r.box.mails)


@ON_SQLITE
async def test_an_alarm_comes_once_again_after_hours_and_is_over_once(rig: Any):
    async with rig(alarms=(f"sms:{CHIEF}",)) as r:
        bench: Bench = r.bench
        r.states = {f"sim{at}": ModemState.ABSENT for at in range(3)}
        r.start()
        await asyncio.sleep(0)
        for _ in range(9):
            await r.until(lambda: True, step=60)
        assert await r.texts_to(CHIEF) == []
        await r.until(lambda: r.texts_to(CHIEF), step=60)
        grouped = "Tocsin test-1: " + "; ".join(f"modem sim{at} is down" for at in range(3))
        assert await r.texts_to(CHIEF) == [grouped]
        await r.until(lambda: bench.clock.monotonic_us() >= 3 * 3600 * SECOND_US, step=600)
        assert await r.texts_to(CHIEF) == [grouped]
        r.states |= {"sim1": ModemState.READY, "sim2": ModemState.READY}
        await r.until(lambda: len_of(r.texts_to(CHIEF), 2), step=30)
        await r.until(lambda: len_of(r.texts_to(CHIEF), 3), step=600)
        assert (await r.texts_to(CHIEF))[1:] == [
            "Tocsin test-1: modem sim1 is up again; modem sim2 is up again",
            "Tocsin test-1: modem sim0 is down (still)",
        ]


@ON_SQLITE
async def test_one_message_a_minute_and_ten_an_hour(rig: Any):
    async with rig(alarms=(f"sms:{CHIEF}",)) as r:
        bench: Bench = r.bench
        made = r.start()
        await r.until(lambda: True)
        begun_us = bench.clock.now_us()
        for at in range(60):
            facts = {"modem": f"sim{at}", "node": "test-1"}
            await bench.store.write(
                lambda c, facts=facts: events.record(c, bench.clock.now_us(), "sim.limit", detail="x", facts=facts)
            )
            await made.herald.follow()
            for _ in range(4):
                await asyncio.sleep(0.002)
                bench.clock.advance(timedelta(seconds=12))
        assert bench.clock.now_us() - begun_us < 3600 * SECOND_US
        texts = await r.texts_to(CHIEF)
        assert 8 <= len(texts) <= 10
        assert all(len(text) <= 160 for text in texts)
        # Nothing is lost: what could not be told waits, and is told together.
        assert await r.left() > 0
        await r.until(lambda: none_of(r.left()), step=120)


@ON_SQLITE
async def test_replies_and_calls_go_on_and_never_in_a_circle(rig: Any):
    async with rig(inbound=InboundSettings((ANNA, f"sms:{CHIEF}"), "emergency")) as r:
        bench: Bench = r.bench
        made = r.make()
        await made.herald.follow()

        async def hear(number: str, text: str, keyword: str | None = None) -> None:
            lookup, now_us, item = bench.store.fingerprint(number), bench.clock.now_us(), bench.ids.new()

            def work(connection: Any) -> None:
                person = recipients.ensure(connection, number, AddressKind.E164, lookup, now_us)
                row = dict.fromkeys(("iccid", "data", "sent_us", "in_reply_to", "reference", "answer"))
                row |= {"id": item, "recipient_id": person, "modem": "sim1", "node": "test-1", "text": text}
                row |= {"parts": 1, "received_us": now_us, "keyword": keyword}
                inbox.add(connection, [row])
                events.record(connection, now_us, "inbound.received", inbox_id=item)

            await bench.store.write(work)

        await hear(NUMBER, "I come later")
        await hear(NUMBER, "STOP", "stop")
        await hear(NUMBER, "You will get no more messages from us. Reply START to get them again.")
        await hear(CHIEF, "Thank you")
        await bench.store.write(
            lambda c: calls.add(c, None, bench.clock.now_us(), modem="sim1", node="test-1", iccid=None)
        )
        await made.herald.follow()
        assert await r.left() == 5
        r.start(made)
        await r.until(lambda: none_of(r.left()))
        at = "2026-01-05 11:00"
        told = [f"{at}, SMS from {NUMBER}: I come later", f"{at}, missed call from an unknown number"]
        assert sorted(await r.texts_to(CHIEF)) == sorted(told)
        mailed = "\n".join(r.box.texts)
        assert all(each in mailed for each in [*told, f"SMS from {CHIEF}: Thank you"])
        assert "STOP" not in mailed
        assert "START" not in mailed


@pytest.mark.parametrize("language", ["en", "fr"])
def test_alarms_fit_one_message_and_say_nothing_of_people(tmp_path: Path, language: str):
    words = ChannelWords(replace(settings_in(tmp_path, language=language).gateway, node="n" * 64))
    said = [words.trouble(kind, "m" * 64, still=True) for kind in KINDS_OF_TROUBLE]
    assert all(len(words.alarm_sms([each])) <= 160 for each in said)
    together = words.alarm_sms(said)
    assert len(together) <= 160
    assert f"(+{len(said) - 1}" in together


async def len_of(found: Any, least: int) -> bool:
    return len(await found) >= least


async def none_of(found: Any) -> bool:
    return not await found
