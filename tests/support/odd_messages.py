"""What hears octets as a receiver does, and a flood of long messages of which one part comes each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from support.bench import Bench
from support.memory import resident_mib

from drivers.events import NO_RECEIPT, DeliverReceived
from drivers.gsm.decoding import message_event
from drivers.tpdu import Address, SmsDeliver, TimeStamp, UserData, join_smsc
from drivers.tpdu.user_data_header import InformationElement
from gateway.clock import to_datetime
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import MOST_OPEN, MOST_OPEN_OF_SENDER, Heard, Inbox
from gateway.inbound.replies import Replies
from gateway.message import InboxItem
from gateway.requests import InboxFilter
from gateway.store import inbox, recipients

SIM_A, SIM_B = Origin("sim1", "test-1", "8933A"), Origin("sim2", "test-1", "8933B")
ALICE, BOB = "+33639980101", "+33639980102"


@dataclass
class Ears:
    """Hears octets as a receiver does."""

    bench: Bench

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.bench.ids, Replies(self.bench.settings, self.bench.ids))

    async def hear(self, raw: bytes, origin: Origin = SIM_A) -> bool:
        return (await self.hear_all([raw], origin))[0]

    async def hear_all(self, group: Iterable[bytes], origin: Origin = SIM_A) -> list[bool]:
        """Together, as a receiver takes what waits."""
        heard: list[Heard] = []
        for raw in group:
            event = message_event(raw.hex(), None, NO_RECEIPT)
            assert isinstance(event, DeliverReceived)
            arrival = arrival_of(event, origin, "FR")
            heard.append(Heard(arrival, self.bench.store.fingerprint(arrival.sender), origin))
        now_us = self.bench.clock.now_us()
        return await self.bench.store.write(lambda connection: self.inbox.take_all(connection, heard, now_us))

    async def items(self) -> Sequence[InboxItem]:
        def work(connection: Connection) -> Sequence[InboxItem]:
            page = inbox.page(connection, InboxFilter(), recipient_id=None, token_id=None, limit=1000, before=None)
            return page.items

        return list(reversed(await self.bench.store.read(work)))

    async def texts(self) -> list[str | None]:
        return [item.text for item in await self.items()]

    async def count(self, query: str) -> Any:
        return await self.bench.store.read(lambda connection: connection.exec_driver_sql(query).scalar_one())

    def pdu(self, text: str, sender: str = ALICE, **fields: Any) -> bytes:
        """One SMS-DELIVER of now, as it comes from a modem."""
        later_us = fields.pop("later_us", 0)
        udh = fields.pop("udh", ())
        stamp = TimeStamp.from_datetime(to_datetime(self.bench.clock.now_us() + later_us))
        made = SmsDeliver(Address.from_text(sender), stamp, UserData(text=text, udh=udh), **fields)
        return join_smsc(None, made.to_bytes())

    def part(
        self, text: str, sequence: int, total: int, *, reference: int = 7, sender: str = ALICE, later_us: int = 0
    ) -> bytes:
        """A part of a long message, possible or not."""
        element = InformationElement(0x00, bytes((reference, total, sequence)))
        return self.pdu(text, sender, udh=(element,), later_us=later_us)


@dataclass
class Flood:
    """Long messages of which one part comes each; one in ten of the same sender, the others of others."""

    ears: Ears
    begun: int = 0
    #: The most that waited at once.
    most: int = 0

    async def go_on(self, sets: int) -> None:
        """So many more."""
        end = self.begun + sets
        while self.begun < end:
            self.ears.bench.clock.advance(timedelta(milliseconds=100))
            group = range(self.begun, min(self.begun + 50, end))
            await self.ears.hear_all([self._beginning(number) for number in group])
            self.begun = group.stop
            self.most = max(self.most, await self.open())

    def _beginning(self, number: int) -> bytes:
        sender = ALICE if number % 10 == 0 else f"+336399{number % 1_000_000:06}"
        return self.ears.part(f"beginning {number}", 1, 2 + number % 200, reference=number % 256, sender=sender)

    async def open(self) -> int:
        query = "SELECT count(*) FROM inbound_part WHERE inbox_id IS NULL AND concat_reference IS NOT NULL"
        return await self.ears.count(query)

    async def of_one(self) -> int:
        """How many of one sender wait."""
        alice = self.ears.bench.store.fingerprint(ALICE)

        def work(connection: Connection) -> int:
            return len(inbox.open_sets(connection, recipients.find(connection, alice)))

        return await self.ears.bench.store.read(work)

    async def check(self) -> str:
        """Nothing is lost, and no more wait than may; what was seen."""
        shown, waits, of_one = (
            await self.ears.count("SELECT count(*) FROM inbox"),
            await self.open(),
            await self.of_one(),
        )
        assert self.most <= MOST_OPEN
        assert of_one <= MOST_OPEN_OF_SENDER
        assert shown + waits == self.begun
        return f"{self.begun} beginnings: at most {self.most} wait, {of_one} of one sender, {shown} shown, none lost"


def own_mib() -> float:
    """The memory that this process has now."""
    return resident_mib(os.getpid())
