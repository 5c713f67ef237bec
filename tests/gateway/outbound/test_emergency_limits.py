"""Four hundred emergencies on two SIMs whose limits are spent: all leave, each limit is told of once, others wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from support.bench import SIM1, Bench, make_bench
from support.clock import ManualClock
from support.settings import settings_in

from gateway.config.limits import SimLimits
from gateway.message import Message, PartEvent, Rule, Status
from gateway.outbound.waits import Waits
from gateway.store import messages
from gateway.store.database import Store
from gateway.store.outcomes import Outcome
from gateway.store.schema import event

ALARMS, SPENT, WAITING = 400, 5, 20
MODEMS = {name: replace(SIM1, name=name, iccid=f"8933{name}") for name in ("sim1", "sim2")}
#: By the name of a case: the limits of both SIMs, and what is told of each when emergencies go beyond.
LIMITS: dict[str, tuple[SimLimits, tuple[str, ...]]] = {
    "per_day": (SimLimits(per_day=SPENT), ("parts a day",)),
    "per_month": (SimLimits(per_month=SPENT), ("parts a month",)),
    "recipients_per_month": (SimLimits(recipients_per_month=SPENT), ("recipients a month",)),
    "all": (
        SimLimits(per_day=SPENT, per_month=SPENT, recipients_per_month=SPENT),
        ("parts a day", "parts a month", "recipients a month"),
    ),
}


def _send_and_ask(bench: Bench, connection: Connection) -> Counter[str]:
    """Let both modems send in turn until neither has anything; how many parts each sent."""
    sent: Counter[str] = Counter()
    now_us, before = bench.clock.now_us(), -1
    while before < sent.total():
        before = sent.total()
        for name, facts in MODEMS.items():
            marked = bench.gate.next(connection, facts, now_us)
            if marked is not None:
                outcome = Outcome(marked.attempt_id, PartEvent.ACCEPTED, tp_mr=marked.attempt_id % 256)
                bench.gate.settle(connection, outcome, name, now_us)
                sent[name] += 1
    return sent


async def _send_all(bench: Bench) -> Counter[str]:
    """The same, in one transaction: its flushes would be most of what this test does."""
    return await bench.store.write(lambda connection: _send_and_ask(bench, connection))


async def _accept(bench: Bench, beginning: str, count: int, **fields: object) -> list[Message]:
    """So many messages at one moment, each to somebody else."""
    numbers = [f"{beginning}{at:08}" for at in range(count)]
    return await asyncio.gather(*[bench.accept(each, **fields) for each in numbers])


async def _told(bench: Bench) -> Counter[str]:
    query = select(event.c.detail).where(event.c.type == "sim.limit")
    rows = await bench.store.read(lambda connection: connection.execute(query).all())
    return Counter(row.detail for row in rows)


#: On PostgreSQL all limits at once: what differs by limit is no matter of the engine.
CASES = [("sqlite", case) for case in LIMITS] + [("postgresql", "all")]


@pytest.mark.parametrize(("place", "case"), CASES, indirect=["place"])
async def test_all_leave_and_each_limit_is_told_of_once(
    store: Store, tmp_path: Path, clock: ManualClock, case: str, tell: Callable[[str], None]
) -> None:
    limits, whats = LIMITS[case]
    base = settings_in(tmp_path, ports=dict.fromkeys(MODEMS, "simulated:"))
    modems = {name: replace(modem, limits=limits) for name, modem in base.modems.items()}
    bench = await make_bench(replace(base, modems=modems), store, clock)
    notices = await _accept(bench, "+336", 2 * SPENT + WAITING, text="notice")
    assert await _send_all(bench) == dict.fromkeys(MODEMS, SPENT)
    reached = {f"{name}: the limit of {SPENT} {what} is reached" for name in MODEMS for what in whats}
    assert await _told(bench) == dict.fromkeys(reached, 1)

    alarms = await _accept(bench, "+337", ALARMS, text="fire", category="emergency")
    assert {each.status for each in alarms} == {Status.QUEUED}
    sent = await _send_all(bench)
    ended = Counter([(await bench.get(each.id)).status for each in alarms])
    beyond = {
        f"{name}: messages that nothing holds go beyond the limit of {SPENT} {what}"
        for name in MODEMS
        for what in whats
    }
    told = await _told(bench) - Counter(reached)
    tell(f"{ALARMS} emergencies, two SIMs, {case} spent: {ended.total()} left {dict(sent)}, {told.total()} alarms")
    assert ended == {Status.SENT: ALARMS}
    assert sent.total() == ALARMS
    assert set(sent) == set(MODEMS)
    assert told == dict.fromkeys(beyond, 1)

    def holds(connection: Connection) -> Counter[tuple[str, str | None]]:
        waiting = Waits(bench.settings).standing(connection, clock.now_us())
        found = [messages.get(connection, each.id, waiting=waiting) for each in notices]
        return Counter((each.status, each.hold.rule if each.hold else None) for each in found if each is not None)

    assert await bench.store.read(holds) == {
        (Status.SENT, None): 2 * SPENT,
        (Status.HELD, Rule.SIM_LIMIT): WAITING,
    }
