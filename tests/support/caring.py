"""Everything that works while a gateway runs: a real store, simulated modems of one network, and a test's clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from support.bench import Bench
from support.clock import ManualClock
from support.place import Place
from support.rigs import QUICK
from support.settings import settings_in
from support.waiting import eventually

from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings, SimulatedModem, SimulatedPort
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import numbered
from gateway.clock import SECOND_US, boot_id, to_datetime
from gateway.config.settings import ModemConfig, Settings
from gateway.crew import Crew
from gateway.ids import IdSource
from gateway.message import Message
from gateway.outbound.gate import Gate
from gateway.outbound.journal import Journals
from gateway.requests import MessageFilter
from gateway.store import care, messages, pauses
from gateway.store.care import Care
from gateway.store.database import Store

NUMBERS = [numbered(SimSettings(), index).number for index in range(256)]
# As many trips to the store as whoever is due makes, one after the other, before it waits again.
_TRIPS = 4


class AskedModem(ModemSupervisor):
    """Keeps the codes that it was told to ask the network for."""

    def __init__(self, settings: ModemSettings, simulated: SimulatedModem) -> None:
        super().__init__(settings, lambda: SimulatedPort(simulated, settings.port), simulator=simulated)
        self.asked: list[str] = []
        #: How many of them await their answer.
        self.asking = 0

    async def ussd(self, code: str, seconds: float = 60.0) -> str:
        self.asked.append(code)
        self.asking += 1
        try:
            return await super().ussd(code, seconds)
        finally:
            self.asking -= 1


@dataclass
class Caring:
    """A host's crew with its modems `m0`, `m1`…; stopped and started again by `running`."""

    place: Place
    store: Store
    clock: ManualClock
    settings: Settings
    network: SimulatedNetwork
    simulated: dict[str, SimulatedModem]
    #: By modem: what the network answers to codes. Without any there is no such service.
    codes: dict[str, dict[str, str]]
    modems: dict[str, AskedModem] = field(default_factory=dict)
    crew: Crew | None = None
    bench: Bench | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Crew]:
        """Start everything, and stop it in order."""
        ids = IdSource(self.clock)
        gate = Gate(self.settings)
        node = self.settings.gateway.node
        journals = Journals(self.place.folder, node, boot_id())
        self.modems = {
            name: AskedModem(ModemSettings(name, modem.port, deadlines=QUICK), self.simulated[name])
            for name, modem in self.settings.modems.items()
        }
        async with AsyncExitStack() as stack:
            opened = {name: journals.open(name) for name in self.modems}
            for journal in opened.values():
                stack.callback(journal.close)
            crew = Crew(self.settings, self.store, self.clock, ids, gate=gate, modems=self.modems, journals=opened)
            stack.push_async_callback(crew.stop)
            crew.start()
            for modem in self.modems.values():
                await modem.start()
                stack.push_async_callback(modem.stop)
            stack.push_async_callback(crew.drain)
            await asyncio.wait_for(asyncio.gather(*(modem.wait_ready() for modem in self.modems.values())), 20)
            await eventually(self._planned, 10, "the tests to be planned")
            self.crew = crew
            await self.settled()
            yield crew

    async def _planned(self) -> bool:
        rows = dict(await self.rows("SELECT modem, test_due_us FROM modem_care WHERE test_due_us IS NOT NULL"))
        tested = [name for name, modem in self.settings.modems.items() if modem.self_test_us and modem.number]
        return all(name in rows and rows[name] >= self.clock.now_us() for name in tested)

    async def pass_time(self, span: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass in steps; whoever waits for an instant has his turn at each."""
        until_us = self.clock.now_us() + span // timedelta(microseconds=1)
        while self.clock.now_us() < until_us:
            self.clock.advance(step)
            await self.settled()

    async def settled(self) -> None:
        """Wait until what has become due is done: who reads and writes now has come to wait for a later instant."""

        async def quiet() -> bool:
            for _ in range(_TRIPS):
                await self.store.write(lambda _connection: None)
                await self.store.read(lambda _connection: None)
                due_us = self.clock.next_wake_us
                asking = any(modem.asking for modem in self.modems.values())
                if asking or due_us is None or due_us <= self.clock.now_us():
                    return False
            # A submit that the clock jumped over would be taken back.
            return self.crew is None or all(sender.idle for sender in self.crew._senders.values())

        await eventually(quiet, 20, "what is due to be done")

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        def work(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

        return await self.store.read(work)

    async def events(self, kind: str) -> list[str]:
        """The details of the events of a kind, in their order."""
        return [row[0] for row in await self.rows(f"SELECT detail FROM event WHERE type = '{kind}' ORDER BY id")]

    async def known(self, name: str = "m0") -> Care:
        node = self.settings.gateway.node
        return (await self.store.read(care.known)).get((node, name), Care())

    async def story(self) -> str:
        """What a failure should say: tests, plans, attempts, and the time."""
        asked = [
            "SELECT modem, target, begun_us, ended_us, outcome FROM self_test",
            "SELECT modem, test_due_us FROM modem_care",
            "SELECT modem, state, cause, tp_mr, tp_st FROM attempt",
            "SELECT status, hold_rule, modem, due_us FROM message",
        ]
        return f"{[await self.rows(query) for query in asked]} at {self.clock.now_us()}"

    async def messages(self) -> Sequence[Message]:
        def work(connection: Connection) -> Sequence[Message]:
            found = messages.page(connection, MessageFilter(), recipient_id=None, token_id=None, limit=100, before=None)
            return found.items

        return await self.store.read(work)

    async def pause(self, *, everything: bool) -> None:
        """Set the kill switch, or lift it."""
        now_us = self.clock.now_us()

        def work(connection: Connection) -> None:
            if everything:
                pauses.add(connection, (), now_us, by="a test")
            else:
                pauses.lift(connection, now_us, by="a test")

        await self.store.write(work)

    def until_due(self, due_us: int) -> timedelta:
        return timedelta(microseconds=due_us - self.clock.now_us())


def make_caring(
    place: Place,
    store: Store,
    clock: ManualClock,
    count: int = 1,
    *,
    sim: SimSettings | None = None,
    numbers: Mapping[int, str | None] | None = None,
    untested: Collection[int] = (),
    **keys: object,
) -> Caring:
    """So many modems with the numbers of their SIMs, each tested once a week. `numbers` are what the configuration says
    instead, `untested` those that are not tested, `keys` are fields of each `ModemConfig`."""
    network = SimulatedNetwork(lambda: to_datetime(clock.now_us() // SECOND_US * SECOND_US))
    template = sim or SimSettings(report_delay=0)
    settings = settings_in(place.folder)
    modems: dict[str, ModemConfig] = {}
    simulated: dict[str, SimulatedModem] = {}
    codes: dict[str, dict[str, str]] = {}
    for index in range(count):
        name = f"m{index}"
        number = (numbers or {}).get(index, NUMBERS[index])
        codes[name] = dict(template.ussd)
        simulated[name] = SimulatedModem(replace(numbered(template, index), ussd=codes[name]), network)
        plain = ModemConfig(name, f"loopback:{index}", number, None, None, (), ())
        week_us = None if index in untested else 7 * 86_400 * SECOND_US
        modems[name] = replace(plain, self_test_us=week_us, **keys)  # type: ignore[arg-type]
    return Caring(place, store, clock, replace(settings, modems=modems), network, simulated, codes)
