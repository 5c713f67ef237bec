"""A gateway on PostgreSQL whose way to the database is cut at every trip, and at the commits that matter most."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from support.checker import Sent, Verdict
from support.crash import CrashRig, crash_rig
from support.crash_load import all_settled
from support.daemon import client_of
from support.database_proxy import Cut, Proxy, door_to
from support.postgresql import Database
from support.waiting import eventually

NUMBERS = [f"+336399843{number:02}" for number in range(100)]
#: The trips of one part take longer than its mark may be old.
TOO_SLOW_S = 1.0
#: More than one part, and its second try, take.
MANY_TRIPS = 20
PATIENCE_S = 30.0


@asynccontextmanager
async def rig_behind_a_proxy(
    folder: Path, database: Database, *options: str, production: bool = False, trip_seconds: float | None = None
) -> AsyncIterator[tuple[CrashRig, Proxy]]:
    """A gateway that reaches its database through a door."""
    with door_to(database.server.folder) as proxy:
        async with crash_rig(
            folder,
            *options,
            database=database,
            through=proxy.folder,
            submit_seconds=5,
            production=production,
            trip_seconds=trip_seconds,
        ) as rig:
            await rig.gateway.start()
            await rig.ready()
            yield rig, proxy
            proxy.be_slow(0)
            proxy.thaw()
            proxy.lets_in.set()
            assert await rig.gateway.end() == 0


async def persist(rig: CrashRig, sent: Sent) -> None:
    """Send until it was accepted, each time with the same key, as a client does that wants to be sure."""

    async def accepted() -> bool:
        async with client_of(rig.gateway.url, rig.gateway.token) as client:
            client.key = sent.key
            body = {"to": sent.to, "text": sent.text, "category": "emergency", "on_uncertain": sent.policy}
            status, answer = await client.call("POST", "/v1/messages", body)
        assert status in {202, 503}, answer
        sent.id = answer["id"] if status == 202 else None
        return status == 202

    await eventually(accepted, PATIENCE_S, "a message that is accepted")


async def settled(rig: CrashRig, sent: Sequence[Sent]) -> list[Verdict]:
    """Wait until nothing more happens, and compare the histories."""
    await eventually(lambda: all_settled(rig), PATIENCE_S, "everything settled")
    await eventually(lambda: all(rig.settled(each) for each in sent), PATIENCE_S, "every message settled")
    ledger = rig.ledger()
    return [rig.verdict(each, ledger) for each in sent]


async def cut_at_every_trip(rig: CrashRig, proxy: Proxy, how: Cut, *, step: int = 1) -> list[Verdict]:
    """D05: cut the connections at the first trip of a send, at the next of the next one, and so on to its end."""
    sent: list[Sent] = []
    while not sent or proxy.was_cut.is_set():
        trip = len(sent) * step + 1
        each = Sent(NUMBERS[len(sent)], f"cut {how.name} at {trip}", "hold", key=f"{how.name} {trip}")
        sent.append(each)
        proxy.cut_trip(trip, how)
        await persist(rig, each)
        await rig.until(each, "delivered", timeout=PATIENCE_S)
    return await settled(rig, sent)


async def cut_at_the_mark(rig: CrashRig, proxy: Proxy, how: Cut) -> tuple[Verdict, int]:
    """D06: cut while the COMMIT of a mark is in flight, with the database away; also the copies that left meanwhile."""
    sent = Sent(NUMBERS[50 + (how is Cut.AFTER)], f"mark {how.name}", "hold")
    await rig.halt_at_the_mark(sent)
    await _cut_and_go_on(rig, proxy, how)
    left = len([copy for copy in rig.ledger() if copy.text == sent.text])
    proxy.lets_in.set()
    await rig.resume()
    await rig.until(sent, "delivered", timeout=PATIENCE_S)
    return (await settled(rig, [sent]))[0], left


async def freeze_at_the_mark(rig: CrashRig, proxy: Proxy, how: Cut) -> tuple[Verdict, int]:
    """D06, frozen: nothing passes from the COMMIT of a mark on, longer than a trip may take; as `cut_at_the_mark`."""
    sent = Sent(NUMBERS[52 + (how is Cut.AFTER)], f"frozen {how.name}", "hold")
    await rig.halt_at_the_mark(sent)
    proxy.freeze_at_commit(how)
    rig.signal(signal.SIGCONT)
    await eventually(proxy.was_cut.is_set, PATIENCE_S, "the frost")
    await eventually(lambda: _gone(rig), PATIENCE_S, "a gateway that is not ready")
    left = len([copy for copy in rig.ledger() if copy.text == sent.text])
    proxy.thaw()
    await rig.resume()
    await rig.until(sent, "delivered", timeout=PATIENCE_S)
    return (await settled(rig, [sent]))[0], left


async def _gone(rig: CrashRig) -> bool:
    return not await rig.is_ready()


async def cut_at_the_result(rig: CrashRig, proxy: Proxy, how: Cut) -> tuple[Verdict, int]:
    """D07: cut while the COMMIT of a result is in flight; also how many events of the message there are twice."""
    sent = Sent(NUMBERS[60 + (how is Cut.AFTER)], f"result {how.name}", "hold")
    rig.arm("answered 1 stop")
    await rig.send(sent)
    await rig.halted()
    await _cut_and_go_on(rig, proxy, how)
    proxy.lets_in.set()
    await rig.until(sent, "delivered", timeout=PATIENCE_S)
    query = "SELECT type FROM event WHERE message_id = ? GROUP BY type HAVING count(*) > 1"
    return (await settled(rig, [sent]))[0], len(rig.rows(query, sent.id))


async def _cut_and_go_on(rig: CrashRig, proxy: Proxy, how: Cut) -> None:
    """Let the stopped process go on and cut at its next COMMIT; wait until it was sent away once, as everybody is."""
    proxy.sent_away = 0
    proxy.cut_next_commit(how, shut=True)
    rig.signal(signal.SIGCONT)
    await eventually(proxy.was_cut.is_set, PATIENCE_S, "the cut")
    await eventually(lambda: proxy.sent_away > 0, PATIENCE_S, "a gateway that looks for its database")


async def end_sessions_under_load(rig: CrashRig, database: Database, times: int) -> tuple[list[Verdict], float]:
    """D12: end all sessions so many times while messages come in; also the longest time until one was accepted."""
    sent: list[Sent] = []
    going = True

    async def client() -> None:
        while going:
            each = Sent(NUMBERS[len(sent) % len(NUMBERS)], f"session {len(sent)}", "hold", key=f"session {len(sent)}")
            sent.append(each)
            await persist(rig, each)

    sending = asyncio.create_task(client())
    outages: list[float] = []
    for _ in range(times):
        goal = len(sent) + 2
        await asyncio.to_thread(end_sessions, database)
        began = time.monotonic()
        await eventually(lambda goal=goal: len(sent) >= goal, PATIENCE_S, "a message that is accepted")
        outages.append(time.monotonic() - began)
    going = False
    await sending
    return await settled(rig, sent), max(outages)


def end_sessions(database: Database) -> None:
    """End every session of every gateway, as a restart of the server does."""
    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'tocsin%' AND datname = current_database()"
    )


async def slow_database(rig: CrashRig, proxy: Proxy, seconds: float) -> list[Verdict]:
    """D13: every trip takes so long. Where one part's take longer than a mark may be old, none leaves until it ends."""
    proxy.be_slow(seconds)
    sent = [Sent(NUMBERS[80 + number], f"slow {number}", "hold", key=f"slow {number}") for number in range(2)]
    await asyncio.gather(*[persist(rig, each) for each in sent])
    if seconds < TOO_SLOW_S:
        for each in sent:
            await rig.until(each, "delivered", timeout=120)
    else:
        begun = proxy.trips
        await eventually(lambda: proxy.trips >= begun + MANY_TRIPS, 120, "many slow trips")
    proxy.be_slow(0)
    return await settled(rig, sent)


async def _d05(how: Cut, rig: CrashRig, proxy: Proxy, _: Database) -> list[Verdict]:
    return await cut_at_every_trip(rig, proxy, how)


async def _d06(how: Cut, rig: CrashRig, proxy: Proxy, _: Database) -> list[Verdict]:
    return [(await cut_at_the_mark(rig, proxy, how))[0]]


async def _d07(how: Cut, rig: CrashRig, proxy: Proxy, _: Database) -> list[Verdict]:
    return [(await cut_at_the_result(rig, proxy, how))[0]]


async def _d12(rig: CrashRig, _: Proxy, database: Database) -> list[Verdict]:
    return (await end_sessions_under_load(rig, database, 15))[0]


async def _d13(rig: CrashRig, proxy: Proxy, _: Database) -> list[Verdict]:
    return await slow_database(rig, proxy, 0.3)


Case = tuple[Sequence[str], Callable[[CrashRig, Proxy, Database], Awaitable[list[Verdict]]]]
#: What the table of cuts shows: options of the simulation, and what is done.
CUTS: dict[str, Case] = {
    "D05: cut before each trip of a send": ((), partial(_d05, Cut.BEFORE)),
    "D05: cut after each trip of a send, its answer lost": ((), partial(_d05, Cut.AFTER)),
    "D06: cut before the commit of the mark": ((), partial(_d06, Cut.BEFORE)),
    "D06: cut after the commit of the mark, its answer lost": ((), partial(_d06, Cut.AFTER)),
    "D07: cut before the commit of the result": (("--report-delay", "1s"), partial(_d07, Cut.BEFORE)),
    "D07: cut after the commit of the result, its answer lost": (("--report-delay", "1s"), partial(_d07, Cut.AFTER)),
    "D12: every session ended, 15 times": ((), _d12),
    "D13: every trip takes 0.3 s": ((), _d13),
}
