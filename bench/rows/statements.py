"""Flushes and statements a message, on acceptance, on the way out, for a report, and on the way in.

The whole gateway runs in this process, and SQLite itself says which statements it runs: nothing is left out because
somebody forgot to count it. A flush is a commit that has something to commit.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, event

from bench.figures import Figure, Goal, at_most
from bench.filling import fill, settings_in
from bench.plan import Plan
from bench.processes import looked_at, process, python
from bench.statement_names import FRAME, describe
from bench.tapped import TappedModem, tapped_modem
from bench.waiting import PATIENCE_S, until
from drivers.sim import SimSettings
from gateway.daemon import Gateway, running_gateway
from gateway.requests import MessageFilter, Principal

_REPORTS_AFTER_S = 3.0
_REST_S = 0.2
_SELDOM = 0.05
# Where a group shares its statements they are rare, and meant all the same.
_SHARED = 0.01
_READER = Principal(0, "bench", frozenset({"admin"}))


async def measure(plan: Plan) -> list[Figure]:
    """Figures of acceptance, of the way out, of reports, of the way in."""
    with traced() as trace:
        return [*await _acceptance(plan, trace), *await _way_out(plan, trace), *await _way_in(plan, trace)]


class Trace:
    """What SQLite ran since `take` was last asked. It is told by several threads; appending is safe."""

    def __init__(self) -> None:
        self._said: list[tuple[str, bool]] = []
        self._changed: dict[int, bool] = {}

    def hear(self, connection: int, sql: str) -> None:
        """One statement of one connection, with its values in it."""
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self._changed[connection] = True
        # A commit of nothing is not flushed.
        flushes = sql.startswith("COMMIT") and self._changed.pop(connection, False)
        self._said.append((sql, flushes))

    def take(self) -> tuple[int, Counter[str]]:
        """Flushes, and statements by description; begins anew."""
        said, self._said = self._said, []
        return sum(flushes for _, flushes in said), Counter(describe(sql) for sql, _ in said)


@contextmanager
def traced() -> Iterator[Trace]:
    """Every SQLite connection that is opened meanwhile tells what it runs."""
    trace = Trace()

    def connected(raw: sqlite3.Connection, _record: object) -> None:
        raw.set_trace_callback(partial(trace.hear, id(raw)))

    event.listen(Engine, "connect", connected)
    try:
        yield trace
    finally:
        event.remove(Engine, "connect", connected)


async def _acceptance(plan: Plan, trace: Trace) -> list[Figure]:
    found: list[Figure] = []
    for clients in plan.accept_clients:
        folder = plan.folder / f"accepted{clients}"
        # A modem that is not there: nothing is sent meanwhile.
        settings = settings_in(folder, {"modem0": str(folder / "none")})
        async with running_gateway(settings) as gateway:
            trace.take()
            count = await _post(folder, gateway, clients, min(plan.accept_s, 1.0))
            flushes, statements = trace.take()
        goals = [at_most(0.1)] if clients >= 32 else []
        word = f"acceptance, {clients} client{'s' * (clients > 1)}"
        found += _figures(word, flushes, statements, count, goals)
    return found


async def _post(folder: Path, gateway: Gateway, clients: int, seconds: float) -> int:
    """Let the client process post; how many messages there are then."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    words = (host, port, gateway.admin_token, str(clients), str(seconds))
    async with process(*python("bench.http_load"), *words, log=folder / "client.log") as client:
        said, _ = await client.communicate()
    if client.returncode or json.loads(said)["refused"]:
        raise RuntimeError("the client was refused")
    with closing(looked_at(folder / "state")) as store:
        return store.execute("SELECT count(*) FROM message").fetchone()[0]


async def _way_out(plan: Plan, trace: Trace) -> list[Figure]:
    folder = plan.folder / "counted"
    settings = SimSettings(report_delay=_REPORTS_AFTER_S)
    async with tapped_modem(folder / "modems", settings) as (modem, port):
        await fill(folder, {"modem0": str(port)}, queued=plan.counted)
        async with running_gateway(settings_in(folder, {"modem0": str(port)})) as gateway:
            out, count = await _between_submits(modem, trace, plan.counted)
            await until(lambda: modem.ledger.count >= plan.counted)
            await asyncio.sleep(_REST_S)
            trace.take()
            await _delivered(gateway, plan.counted)
            reports = trace.take()
    return [
        *_figures("way out, 1 part, busy", *out, count, [at_most(1)]),
        *_figures("status report", *reports, plan.counted, []),
    ]


async def _way_in(plan: Plan, trace: Trace) -> list[Figure]:
    """From people who are known, as replies are: one at a time, and all at once."""
    folder = plan.folder / "counted-in"
    found: list[Figure] = []
    async with (
        tapped_modem(folder / "modems") as (modem, port),
        running_gateway(settings_in(folder, {"modem0": str(port)})),
    ):
        with closing(looked_at(folder / "state")) as store:
            await _arrive(modem, store, range(plan.counted), apart=False)
            await asyncio.sleep(_REST_S)
            for word, apart in (("one at a time", True), (f"{plan.counted} at once", False)):
                trace.take()
                await _arrive(modem, store, range(plan.counted), apart=apart)
                counted = trace.take()
                found += _figures(f"inbound, {word}", *counted, plan.counted, [], seldom=_SHARED)
    return found


async def _arrive(modem: TappedModem, store: sqlite3.Connection, people: Sequence[int], *, apart: bool) -> None:
    """Let each of these people write, all at once or when the one before is committed and freed."""
    memory = modem.station.equipment.memory
    least = _received(store)
    for number in people:
        modem.inject_sms(f"+336{14_000_000 + number}", f"Message number {number} after {least}")
        if apart:
            await until(lambda wanted=least + number + 1: _received(store) >= wanted and not memory.used, step_s=0.002)
    await until(lambda: _received(store) >= least + len(people))


def _received(store: sqlite3.Connection) -> int:
    return store.execute("SELECT count(*) FROM inbox").fetchone()[0]


async def _between_submits(modem: TappedModem, trace: Trace, count: int) -> tuple[tuple[int, Counter[str]], int]:
    """What is run between two AT+CMGS that lie apart, and how many parts apart they are: the busy middle."""
    first, last = count // 5 + 1, count - count // 5
    seen = 0
    done: asyncio.Future[tuple[int, Counter[str]]] = asyncio.get_running_loop().create_future()

    def submitted(_instant: float) -> None:
        nonlocal seen
        seen += 1
        if seen == first:
            trace.take()
        elif seen == last:
            done.set_result(trace.take())

    modem.on_submit = submitted
    async with asyncio.timeout(PATIENCE_S):
        return await done, last - first


async def _delivered(gateway: Gateway, count: int) -> None:
    """Wait for the last report; asked for seldom, since asking is a statement too."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(1.0)
            page = await gateway.services.messages.list(
                _READER, MessageFilter(status=("delivered",)), limit=1000, cursor=None
            )
            if len(page.items) >= min(count, 1000):
                return


def _figures(
    work: str, flushes: int, statements: Counter[str], count: int, goals: Sequence[Goal], *, seldom: float = _SELDOM
) -> list[Figure]:
    # What is rarer than that is not of each message: a modem that opens, upkeep, the list that was asked for.
    each = {text: round(number / count, 2) for text, number in statements.most_common() if number / count >= seldom}
    rows = sum(number for text, number in each.items() if not text.startswith(FRAME))
    return [
        Figure(f"flushes/message, {work}", "", flushes / count, goals=goals, details={"messages": count}),
        Figure(f"statements/message, {work}", "", rows, note="named below", details={"each": each}),
    ]
