"""Signals between hosts are hints: without them work is found by looking, and too many of them change nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from support.daemon import Client
from support.database_proxy import Proxy, door_to
from support.hosts import HostProcess, Hosts, can_reach, hosts_on
from support.postgresql import Database
from support.storm import storm
from support.waiting import eventually

#: How long a signal can be missed for (`gateway.outbound.dispatcher.LOOK_US`), and what a busy machine adds.
LOOK_S, MARGIN_S = 5.0, 1.5
#: Between two messages, so that they are accepted at any moment between two looks.
PACE_S = 0.25
MESSAGES = 24
#: What is sent without and within a storm, and for how long it blows over a host that has nothing to do.
PARTS, IDLE_S = 150, 1.5
TOPICS = ("work", "commands", "tokens", "hosts", "?")
#: What a host with nothing to do may ask of the database for signals of that many topics, in trips a second.
MOST_TRIPS = {1: 600, len(TOPICS): 1200}


def people(count: int) -> list[str]:
    return [f"+336399846{each:02}" for each in range(count)]


@pytest.mark.parametrize(
    "half_open",
    [pytest.param(False, id="suppressed"), pytest.param(True, id="half-open", marks=pytest.mark.long)],
)
async def test_d08_work_is_found_by_looking_when_no_signal_comes(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], half_open: bool
) -> None:
    with door_to(postgresql_database.server.folder) as proxy:
        urls = {"b": postgresql_database.url_through(proxy.folder)}
        async with hosts_on(tmp_path, postgresql_database, modems=1, urls=urls) as hosts:
            await hosts.start()
            async with hosts["a"].client() as a:
                await eventually(lambda: can_reach(a, "b:m0"), 30, "a modem of the other host")
                proxy.deafen(half_open=half_open)
                for number, to in enumerate(people(MESSAGES)):
                    await a.send(to, f"number {number}", modem="b:m0")
                    await asyncio.sleep(PACE_S)
            await hosts.drained(LOOK_S + MARGIN_S)
            query = "SELECT marked_us - created_us FROM attempt JOIN message ON message.id = message_id"
            waits = sorted(us / 1e6 for (us,) in hosts.rows(query))
            await hosts.end()
    what = "listening connection dead and nobody told" if half_open else "every signal suppressed"
    tell(f"D08: {what}: {len(waits)} messages found by looking, p50 {median(waits):.2f} s, longest {waits[-1]:.2f} s")
    assert len(waits) == MESSAGES
    assert median(waits) > 0.5, "a signal was heard"
    assert waits[-1] <= LOOK_S + MARGIN_S


def _cpu_s(host: HostProcess) -> float:
    """What the process has used of the processors."""
    assert host.gateway.process is not None
    fields = Path(f"/proc/{host.gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _parts_a_second(hosts: Hosts, client: Client, name: str) -> float:
    """Send so many, and see how fast they leave."""
    goal = hosts.texts().total() + PARTS
    began = time.monotonic()
    batch = [{"to": to, "text": f"{name} {each}"} for each, to in enumerate(people(100) * 2)][:PARTS]
    await client.ok("POST", "/v1/messages/batch", {"messages": batch})
    await eventually(lambda: hosts.texts().total() >= goal, 60, "all of them on the air")
    return PARTS / (time.monotonic() - began)


async def _idle(host: HostProcess, proxy: Proxy) -> tuple[float, float]:
    """What a host with nothing to do asks of the database, in trips a second, and of the processor."""
    trips, cpu_s, began = proxy.trips, _cpu_s(host), time.monotonic()
    await asyncio.sleep(IDLE_S)
    took = time.monotonic() - began
    return (proxy.trips - trips) / took, (_cpu_s(host) - cpu_s) / took


@pytest.mark.parametrize(
    "topics", [pytest.param(TOPICS[:1], id="work", marks=pytest.mark.long), pytest.param(TOPICS, id="all")]
)
async def test_d09_a_storm_of_signals_is_a_look_now_and_then(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], topics: tuple[str, ...]
) -> None:
    with door_to(postgresql_database.server.folder) as proxy:
        urls = {"a": postgresql_database.url_through(proxy.folder)}
        async with hosts_on(tmp_path, postgresql_database, hosts=1, modems=2, urls=urls) as hosts:
            await hosts.start()
            host = hosts["a"]
            async with host.client() as client:
                before = await _parts_a_second(hosts, client, "calm")
                told = "SELECT 1 FROM message WHERE status <> 'delivered'"
                await eventually(lambda: not hosts.rows(told), 20, "the report of each")
                calm = await _idle(host, proxy)
                with storm(postgresql_database, *topics) as blowing:
                    trips, cpu = await _idle(host, proxy)
                    within = await _parts_a_second(hosts, client, "storm")
                    rate = blowing.rate
                await hosts.drained()
            assert max(hosts.texts().values()) == 1
            await hosts.end()
    tell(
        f"D09: {rate:.0f} signals/s ({', '.join(topics)}): {within:.0f} parts/s, {before:.0f} without; idle host: "
        f"{trips:.0f} trips/s and {cpu:.0%} of a processor, {calm[0]:.0f} and {calm[1]:.0%} without"
    )
    assert trips <= MOST_TRIPS[len(topics)]
