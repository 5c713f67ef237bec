"""A bench that does by hand, over a real store, what the tasks of a gateway do."""

from __future__ import annotations

from dataclasses import dataclass

from support.clock import ManualClock

from drivers.tpdu import Address, SmsDeliver, TimeStamp, UserData, build_submits, join_smsc, segment
from gateway.clock import to_datetime
from gateway.config.settings import Settings
from gateway.ids import IdSource
from gateway.message import Message, PartEvent
from gateway.outbound.dispatcher import upkeep_at
from gateway.outbound.gate import Gate, Marked
from gateway.outbound.intake import Intake
from gateway.people.aside import Aside
from gateway.people.rendering import Renderer
from gateway.people.templates import TemplateBook
from gateway.requests import NewMessage, NewToken, Principal
from gateway.store import messages, tokens
from gateway.store.database import Store
from gateway.store.outcomes import Outcome
from gateway.store.queue import ModemFacts

SIM1 = ModemFacts("sim1", "test-1", simulated=True, imei="1", iccid="8933", takes_test=True, takes_live=True)
NUMBER = "+33612345678"


@dataclass
class Bench:
    """Intake and gate over a real store, moved by hand."""

    settings: Settings
    store: Store
    clock: ManualClock
    ids: IdSource
    gate: Gate
    intake: Intake
    principal: Principal

    @property
    def book(self) -> TemplateBook:
        """For messages that name a template; what it starts with a process for is not tested with a bench."""
        return TemplateBook(self.settings, self.store, Renderer(Aside(), self.settings))

    async def accept(self, to: str = NUMBER, text: str = "hello", **fields: object) -> Message:
        return await self.intake.accept(self.principal, NewMessage(to, text, **fields))  # type: ignore[arg-type]

    async def next(self, modem: ModemFacts = SIM1) -> Marked | None:
        return await self.store.write(lambda connection: self.gate.next(connection, modem, self.clock.now_us()))

    async def settle(self, marked: Marked, event: PartEvent, **fields: object) -> None:
        outcome = Outcome(marked.attempt_id, event, **fields)  # type: ignore[arg-type]
        await self.store.write(lambda connection: self.gate.settle(connection, outcome, SIM1.name, self.clock.now_us()))

    async def send_all(self, reference: int = 1) -> list[Marked]:
        sent: list[Marked] = []
        while marked := await self.next():
            await self.settle(marked, PartEvent.ACCEPTED, tp_mr=(reference + len(sent)) % 256)
            sent.append(marked)
        return sent

    async def upkeep(self) -> None:
        """What the dispatcher would do at this instant."""
        await self.store.write(
            lambda connection: upkeep_at(connection, self.clock.now_us(), ends=self.clock.doubt() is None)
        )

    async def get(self, message_id: str) -> Message:
        found = await self.store.read(lambda connection: messages.get(connection, message_id))
        assert found is not None
        return found


async def make_bench(settings: Settings, store: Store, clock: ManualClock) -> Bench:
    ids = IdSource(clock)
    view = await store.write(
        lambda connection: tokens.add(connection, NewToken("test", ("send", "read")), b"0" * 32, clock.now_us())
    )
    assert view is not None
    principal = Principal(view.id, "test", frozenset(view.scopes))
    gate = Gate(settings)
    return Bench(settings, store, clock, ids, gate, Intake(settings, store, clock, ids), principal)


def delivers(sender: str, text: str, now_us: int, *, reference: int = 7) -> list[tuple[SmsDeliver, bytes]]:
    """The SMS-DELIVERs of a text as a network would send them, each with its whole PDU."""
    submits = build_submits(segment(text), Address.from_text("+33700000000"), reference=reference, validity=None)
    stamp = TimeStamp.from_datetime(to_datetime(now_us))
    found: list[tuple[SmsDeliver, bytes]] = []
    for submit in submits:
        user_data = UserData(text=submit.tp_ud.text, udh=submit.tp_ud.udh)
        deliver = SmsDeliver(tp_oa=Address.from_text(sender), tp_dcs=submit.tp_dcs, tp_scts=stamp, tp_ud=user_data)
        octets = deliver.to_bytes()
        found.append((SmsDeliver.from_bytes(octets), join_smsc(None, octets)))
    return found
