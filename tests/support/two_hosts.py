"""Two hosts on one PostgreSQL in one process: a store, a gate and a lease each, moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from support.bench import SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import settings_in

from gateway.config.settings import Category, Settings
from gateway.ids import IdSource
from gateway.message import PartEvent
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.gate import Gate, Marked
from gateway.outbound.intake import Intake
from gateway.outbound.lease import Identity, Lease
from gateway.store.outcomes import Outcome


@dataclass
class BenchHost:
    """One of them."""

    node: str
    bench: Bench
    lease: Lease
    elsewhere: Elsewhere

    async def next(self, modem: str = "sim1") -> Marked | None:
        """What this host's modem marks next."""
        facts = replace(SIM1, name=modem, node=self.node, iccid=f"8933{self.node}{modem}")
        return await self.bench.next(facts)

    async def settle(self, marked: Marked, event: PartEvent, **fields: object) -> None:
        """What this host's modem answered."""
        outcome = Outcome(marked.attempt_id, event, **fields)  # type: ignore[arg-type]
        bench = self.bench
        await bench.store.write(lambda c: bench.gate.settle(c, outcome, "sim1", bench.clock.now_us()))

    async def renew(self) -> None:
        """What its lease does every few seconds."""
        await self.lease._renew()


@dataclass
class TwoHosts:
    """Both, and the database they share."""

    place: Place
    clock: ManualClock
    a: BenchHost
    b: BenchHost

    def age(self, node: str, seconds: float) -> None:
        """Let the lease of a host have been renewed so much earlier."""
        assert self.place.database is not None
        self.place.database.run(f"UPDATE host SET lease_us = lease_us - {int(seconds * 1e6)} WHERE node = '{node}'")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Of the database."""
        assert self.place.database is not None
        return self.place.database.run(query)


@asynccontextmanager
async def two_hosts(
    place: Place,
    folder: Path,
    clock: ManualClock,
    rules: tuple[str, str] = ("1", "1"),
    *,
    categories: tuple[Category, ...] = (),
    settings: Settings | None = None,
) -> AsyncIterator[TwoHosts]:
    """Both with their lease taken; `settings` are those of both but for their node."""
    opened = [place.open("a"), place.open("b")]
    settings = settings or settings_in(folder, categories=categories)
    settings = replace(settings, gateway=replace(settings.gateway, node="a"))
    first = await make_bench(settings, opened[0], clock)
    gate = Gate(settings)
    other = replace(settings, gateway=replace(settings.gateway, node="b"))
    ids = IdSource(clock)
    second = Bench(other, opened[1], clock, ids, gate, Intake(other, opened[1], clock, ids), first.principal)
    made: list[BenchHost] = []
    for node, bench, its_rules in zip("ab", (first, second), rules, strict=True):
        elsewhere = Elsewhere()
        lease = Lease(bench.store, clock, bench.gate, Identity(node, "0.1", its_rules), elsewhere)
        await lease.take()
        made.append(BenchHost(node, bench, lease, elsewhere))
    try:
        yield TwoHosts(place, clock, *made)
    finally:
        for store in opened:
            await store.close()
