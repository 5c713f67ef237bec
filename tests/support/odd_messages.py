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


async def flood(ears: Ears, sets: int) -> str:
    """So many long messages of which one part comes, of many senders; what was seen of it."""
    open_sets = "SELECT count(*) FROM inbound_part WHERE inbox_id IS NULL AND concat_reference IS NOT NULL"
    most = most_of_one = 0
    resident = 0.0
    for start in range(0, sets, 50):
        ears.bench.clock.advance(timedelta(milliseconds=100))
        # One sender in ten begins again and again; the others once.
        group = [
            ears.part(
                f"beginning {number}",
                1,
                1 + number % 200 + 1,
                reference=number % 256,
                sender=ALICE if number % 10 == 0 else f"+336399{number % 1_000_000:06}",
            )
            for number in range(start, min(start + 50, sets))
        ]
        await ears.hear_all(group)
        most = max(most, await ears.count(open_sets))
        if start == sets // 4 // 50 * 50:
            resident = resident_mib(os.getpid())
    alice = ears.bench.store.fingerprint(ALICE)

    def of_alice(connection: Connection) -> int:
        person = recipients.find(connection, alice)
        return len(inbox.open_sets(connection, person))

    most_of_one = await ears.bench.store.read(of_alice)
    grown = resident_mib(os.getpid()) - resident
    shown = await ears.count("SELECT count(*) FROM inbox")
    assert most <= MOST_OPEN + 50
    assert most_of_one <= MOST_OPEN_OF_SENDER
    assert shown + await ears.count(open_sets) == sets
    assert grown < 40
    return (
        f"{sets} beginnings: at most {most} wait, {most_of_one} of one sender, {shown} shown as they came, none lost; "
        f"memory grew by {max(grown, 0):.0f} MiB in the last three quarters"
    )
