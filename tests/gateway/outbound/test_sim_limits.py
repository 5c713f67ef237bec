"""S07: a SIM's limits hold under restarts, jumps of the clock, two hosts and a change of month; each has its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from support.bench import SIM1, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import settings_in

from drivers.catalogue import ModemSettings, build_modem
from gateway.config.limits import SimLimits
from gateway.message import PartEvent
from gateway.outbound.gate import Gate
from gateway.rules.sim_limits import spans_at
from gateway.services.modems import Fleet, Modems
from gateway.store.database import Store
from gateway.store.schema import attempt, event
from gateway.store.sim_counts import sim_of

PARIS = ZoneInfo("Europe/Paris")
PER_DAY, PER_MONTH = 5, 12
LIMITS = SimLimits(per_day=PER_DAY, per_month=PER_MONTH, billing_day=8)
STEPS = 120


class Hosts:
    """One SIM in modems of two hosts, each with a gate of its own."""

    def __init__(self, place: Place, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        settings = settings_in(folder)
        self.settings = replace(settings, modems={"sim1": replace(settings.modems["sim1"], limits=LIMITS)})
        self.place = place
        self.stores: dict[str, Store] = {}
        self.benches: dict[str, Bench] = {}

    async def open(self) -> None:
        """The first host; the second where the store can have one."""
        self.stores["a"] = self.place.open("a")
        self.benches["a"] = await make_bench(self.settings, self.stores["a"], self.clock)
        self.stores["b"] = self.place.open("b") if self.place.database is not None else self.stores["a"]
        self.benches["b"] = replace(self.benches["a"], store=self.stores["b"])
        for node in "ab":
            self.restart(node)

    def restart(self, node: str) -> None:
        """Everything that a gate remembers is forgotten."""
        modems = self.settings.modems
        self.benches[node].gate = Gate(replace(self.settings, modems=modems))

    async def send(self, node: str) -> bool:
        """One part, if the SIM has room."""
        bench = self.benches[node]
        marked = await bench.next(replace(SIM1, node=node))
        if marked is not None:
            await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=marked.attempt_id % 256)
        return marked is not None

    async def close(self) -> None:
        for store in set(self.stores.values()):
            await store.close()


@pytest.fixture
async def hosts(place: Place, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Hosts]:
    made = Hosts(place, tmp_path, clock)
    await made.open()
    yield made
    await made.close()


async def test_limits_hold_whatever_happens(
    hosts: Hosts, place: Place, clock: ManualClock, seeded: random.Random, tell
) -> None:
    for _ in range(STEPS):
        await hosts.benches["a"].accept(expires_us=clock.now_us() + 90 * 86_400_000_000)
    days, months, done = set[int](), set[int](), Counter[str]()

    def advance() -> None:
        clock.advance(timedelta(hours=seeded.uniform(1, 30)))

    def back() -> None:
        clock.set_wall(clock.now_us() - round(seeded.uniform(60, 100_000)) * 1_000_000)

    def restart() -> None:
        hosts.restart(seeded.choice("ab"))

    acts = {"restart": restart, "advance": advance, "set back": back}
    for _ in range(STEPS):
        word = seeded.choices([*acts, "send"], weights=[2, 2, 1, 8])[0]
        done[word] += 1
        if word != "send":
            acts[word]()
        spans = spans_at(clock.now_us(), LIMITS.billing_day, PARIS)
        days.add(spans.day_us)
        months.add(spans.month_us)
        while word == "send" and await hosts.send(seeded.choice("ab")):
            pass
    sent = await hosts.stores["a"].read(lambda connection: len(connection.execute(select(attempt.c.id)).all()))
    most = min(PER_DAY * len(days), PER_MONTH * len(months))
    kind, over = "PostgreSQL, two hosts" if place.database else "SQLite, two modems", max(sent - most, 0)
    tell(f"S07: {kind}, one SIM, {dict(done)}: {sent} parts in {len(days)} days, {len(months)} months, overruns {over}")
    assert PER_DAY < sent <= most


async def test_a_month_begins_on_the_billing_day_and_not_before(hosts: Hosts, clock: ManualClock, tell) -> None:
    for _ in range(40):
        await hosts.benches["a"].accept(expires_us=clock.now_us() + 30 * 86_400_000_000)
    by_month: Counter[int] = Counter()
    for _ in range(12):
        month_us = spans_at(clock.now_us(), LIMITS.billing_day, PARIS).month_us
        while await hosts.send("a") or await hosts.send("b"):
            by_month[month_us] += 1
        clock.advance(timedelta(hours=12))
    tell(f"S07: a month's change with billing_day 8: {sorted(by_month.values())} parts of {PER_MONTH} in each month")
    assert max(by_month.values()) <= PER_MONTH
    assert len(by_month) == 2


async def test_a_swapped_sim_has_its_own_counts(hosts: Hosts, tell) -> None:
    bench = hosts.benches["a"]
    for _ in range(3 * PER_DAY):
        await bench.accept()
    other = replace(SIM1, iccid="8944")

    async def until_full(modem) -> int:
        count = 0
        while (marked := await bench.next(modem)) is not None:
            await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=count)
            count += 1
        return count

    counts = [await until_full(SIM1), await until_full(other), await until_full(SIM1)]
    # It is known again in another modem, and counted on.
    counts.append(await until_full(replace(SIM1, name="sim1", node="c")))
    tell(f"S07: a SIM swapped for another and back, then moved to another host: {counts} parts of {PER_DAY} a day")
    assert counts == [PER_DAY, PER_DAY, 0, 0]


@pytest.mark.parametrize("known", [True, False])
async def test_used_and_limit_are_shown(hosts: Hosts, clock: ManualClock, *, known: bool) -> None:
    bench = hosts.benches["a"]
    settings = replace(hosts.settings, gateway=replace(hosts.settings.gateway, node="a"))
    modem = build_modem(ModemSettings("sim1", "simulated:"))
    if known:
        await modem.start()
        await modem.wait_ready()
    facts = replace(SIM1, node="a", iccid=modem.status().iccid)
    modems = Modems(bench.store, clock, Fleet({"sim1": modem}, {}), settings)
    (view,) = await modems.list(bench.principal)
    written = {"per_day": PER_DAY, "per_month": PER_MONTH, "billing_day": 8}
    assert view.limits == {**written, "used": None}
    for _ in range(4):
        await bench.accept()
        marked = await bench.next(facts)
        assert marked is not None
        await bench.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
    (view,) = await modems.list(bench.principal)
    assert view.limits == {**written, "used": {"per_day": 4, "per_month": 4}}
    told = await bench.store.read(
        lambda connection: connection.execute(
            select(event.c.type, event.c.detail).where(event.c.type.like("sim.%"))
        ).all()
    )
    assert [tuple(row) for row in told] == [("sim.limit_near", f"sim1: 4 of {PER_DAY} parts a day are used")]
    clock.advance(timedelta(days=1))
    (view,) = await modems.list(bench.principal)
    assert view.limits == {**written, "used": {"per_day": 0, "per_month": 4}}
    assert (sim_of(facts) == "a:sim1") is not known
    await modem.stop()
