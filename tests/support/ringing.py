"""Rings over a bench: begun, sent by hand, answered by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from support.bench import Bench, delivers

from drivers.events import NO_RECEIPT, DeliverReceived, ModemState, ModemStatus
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Heard, Inbox
from gateway.inbound.replies import Replies
from gateway.message import PartEvent, Status
from gateway.outbound.gate import Marked
from gateway.people.aside import Aside
from gateway.people.audience import Audience
from gateway.people.rendering import Renderer
from gateway.people.templates import TemplateBook
from gateway.requests import Principal
from gateway.ring import NewRing, RingView, Rung
from gateway.services.rings import Hall, Rings
from gateway.store import events

ORIGIN = Origin("sim1", "test-1", "8933")


def number(at: int) -> str:
    """The number of the person of that place."""
    return f"+33639{98 * 10_000 + 100 + at:06}"


@dataclass
class Ringing:
    """Rings, with the modems that a test says can send. `aside` is to be closed after segments or templates."""

    bench: Bench
    states: dict[str, ModemState] = field(default_factory=lambda: {"sim1": ModemState.READY})
    nudges: int = 0

    def __post_init__(self) -> None:
        bench = self.bench
        self.inbox = Inbox(bench.ids, Replies(bench.settings, bench.ids, shared=bench.store.engine.shared))
        hall = Hall(bench.settings, bench.store, bench.clock, bench.ids, bench.intake, self._nudge, self._statuses)
        self.aside = Aside()
        audience = Audience(bench.settings, bench.store, bench.clock, self.aside)
        self.rings = Rings(
            hall, audience, TemplateBook(bench.settings, bench.store, Renderer(self.aside, bench.settings))
        )

    def _nudge(self, _earliest_us: int | None = None) -> None:
        self.nudges += 1

    def _statuses(self) -> list[ModemStatus]:
        return [ModemStatus(name, state, None, "simulated:") for name, state in self.states.items()]

    async def ring(self, *to: str, text: str = "Fire", key: str | None = None, **fields: Any) -> Rung:
        return await self.rings.create(self.bench.principal, NewRing(to, text, **fields), key)

    async def get(self, ring_id: str, principal: Principal | None = None) -> RingView:
        return await self.rings.get(principal or self.bench.principal, ring_id)

    async def counts(self, ring_id: str) -> dict[Status, int]:
        return dict((await self.get(ring_id)).tally.counts)

    async def look(self, ring_id: str) -> None:
        """What the task that looks after rings does."""
        await self.rings.keeper.look(ring_id)

    async def send(self, most: int = 10_000) -> list[Marked]:
        """Let so many parts leave."""
        sent: list[Marked] = []
        while len(sent) < most and (marked := await self.bench.next()):
            await self.bench.settle(marked, PartEvent.ACCEPTED, tp_mr=len(sent) % 256)
            sent.append(marked)
        return sent

    async def reply(self, sender: str, text: str) -> None:
        """Somebody writes, a second later."""
        self.bench.clock.advance(timedelta(seconds=1))
        now_us = self.bench.clock.now_us()
        heard = [
            Heard(arrival, self.bench.store.fingerprint(arrival.sender), ORIGIN)
            for deliver, raw in delivers(sender, text, now_us)
            for arrival in (arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), ORIGIN, "FR"),)
        ]
        await self.bench.store.write(lambda connection: self.inbox.take_all(connection, heard, now_us))

    async def told(self) -> list[Any]:
        """Every `alert.progress`, in its order."""
        rows, _ = await self.bench.store.read(
            lambda connection: events.among(connection, ("alert.progress",), events.Cursor(), 1000)
        )
        return [row.facts for row in rows]

    def limited(self, **fields: Any) -> Principal:
        """The token with further fields."""
        return replace(self.bench.principal, **fields)
