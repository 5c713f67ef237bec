"""One campaign on two hosts that share a database: one of them queues it, whichever is asked, and whichever dies."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.daemon import Client
from support.hosts import Hosts, hosts_on
from support.postgresql import Database
from support.waiting import eventually

CAMPAIGNS = "/v1/campaigns"
VARIANTS = [{"name": "tu", "text": "Viens, {{ number }}"}, {"name": "vous", "text": "Venez, {{ number }}"}]


def people(count: int) -> list[str]:
    """So many numbers."""
    return [f"+33{640_000_000 + at}" for at in range(count)]


async def _start(client: Client, count: int, **fields: object) -> str:
    numbers = people(count)
    # A segment of all of them, and each by name besides.
    for number in numbers[:3]:
        await client.ok("POST", "/v1/contacts", {"number": number})
    await client.ok("POST", "/v1/segments", {"name": "known", "filter": "true"})
    body = {"name": "c", "to": ["known", *numbers], "variants": VARIANTS, "start": True, **fields}
    return (await client.ok("POST", CAMPAIGNS, body))["id"]


def _queued(hosts: Hosts) -> int:
    return int(hosts.rows("SELECT queued FROM campaign")[0][0])


def _worker(hosts: Hosts) -> str | None:
    """The host that works on the campaign."""
    worker = hosts.rows("SELECT worker FROM campaign")[0][0]
    return None if worker is None else str(worker).partition("/")[0]


async def _counts(client: Client, campaign_id: str) -> Any:
    return (await client.ok("GET", f"{CAMPAIGNS}/{campaign_id}"))["counts"]


def _each_once(hosts: Hosts, count: int) -> None:
    """Everybody has one message, and nobody heard it twice."""
    rows = hosts.rows(
        "SELECT number, status FROM message JOIN recipient ON recipient.id = recipient_id WHERE campaign_id IS NOT NULL"
    )
    assert Counter(number for number, _ in rows) == Counter(people(count))
    heard = Counter(text.partition(", ")[2] for text in hosts.texts().elements() if ", " in text)
    assert max(heard.values()) == 1
    doubtful = {number for number, status in rows if status == "uncertain"}
    assert set(people(count)) - set(heard) <= doubtful
    # One part that was marked when its host died, at most.
    assert len(doubtful) <= 1


async def test_one_of_two_hosts_queues_it_and_both_send_and_stop_it(
    tmp_path: Path, postgresql_database: Database
) -> None:
    async with hosts_on(tmp_path, postgresql_database, "--latency", "10ms", modems=1) as hosts:
        await hosts.start()
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            b.token = a.token
            campaign_id = await _start(a, 90, pace={"per_minute": 3000})
            seen: set[str | None] = set()

            async def some() -> bool:
                seen.add(_worker(hosts))
                return _queued(hosts) >= 30

            await eventually(some, 20, "a part of it")
            # Whichever works on it, the other is asked to stop it.
            other = b if _worker(hosts) == "a" else a
            paused = await other.ok("POST", f"{CAMPAIGNS}/{campaign_id}/pause")
            counted = paused["counts"]["queued"]
            marked = "SELECT count(*) FROM attempt"
            ((before,),) = hosts.rows(marked)
            await a.until((await a.send("+33639980142", "Other", modem="b:m0"))["id"], "delivered")
            assert hosts.rows(marked)[0][0] == before + 1, "only what is no part of it"
            assert (await _counts(a, campaign_id))["queued"] == counted
            assert (await a.ok("GET", f"{CAMPAIGNS}/{campaign_id}"))["status"] == "paused"
            await other.ok("POST", f"{CAMPAIGNS}/{campaign_id}/resume")

            async def whole() -> bool:
                return (await _counts(b, campaign_id)) == {"members": 90, "queued": 90, "left_out": 0, "waiting": 0}

            await eventually(whole, 30, "all of it queued")
            await hosts.drained()
            assert len(seen - {None}) == 1
        _each_once(hosts, 90)
        nodes = Counter(node for (node,) in hosts.rows("SELECT node FROM attempt"))
        assert set(nodes) == {"a", "b"}
        await hosts.end()


@pytest.mark.long
async def test_the_host_that_queues_it_is_killed_and_the_other_goes_on(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    environ = {"TOCSIN_LEASE_SECONDS": "3", "TOCSIN_PATIENCE_SECONDS": "3"}
    count = 300
    async with hosts_on(tmp_path, postgresql_database, modems=1, environ=environ) as hosts:
        await hosts.start()
        async with hosts["a"].client() as a, hosts["b"].client() as b:
            b.token = a.token
            campaign_id = await _start(a, count, pace={"per_minute": 1200})
            await eventually(lambda: _queued(hosts) >= 40, 60, "a part of it")
            first = _worker(hosts)
            assert first in {"a", "b"}
            alive, other = (b, "b") if first == "a" else (a, "a")
            hosts[first].signal(signal.SIGKILL)
            await hosts[first].died()
            killed, queued = asyncio.get_running_loop().time(), _queued(hosts)
            await eventually(lambda: _queued(hosts) > queued, 60, "the other host")
            took = asyncio.get_running_loop().time() - killed
            tell(f"killed with {queued} of {count} queued: the other host went on after {took:.0f} s")
            assert (_worker(hosts), queued < count) == (other, True)
            assert took < 45

            async def whole() -> bool:
                wanted = {"members": count, "queued": count, "left_out": 0, "waiting": 0}
                return (await _counts(alive, campaign_id)) == wanted

            await eventually(whole, 60, "all of it queued")
            await hosts.drained()
        _each_once(hosts, count)
        await hosts.end()
