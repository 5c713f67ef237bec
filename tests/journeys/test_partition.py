"""Two hosts, of which one is cut off from the database every three seconds, each time in another way: D15."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crash_load import counted
from support.database_proxy import door_to
from support.hosts import Hosts, hosts_on
from support.long_run import hours_asked_for
from support.partition import Nemesis, Senders
from support.postgresql import Database
from support.waiting import eventually

SECONDS = 21 if hours_asked_for() is None else 600
#: Shorter than the longest cut and what it takes to be noticed, so that leases pass and marks are given up.
ENVIRON = {"TOCSIN_LEASE_SECONDS": "1.5", "TOCSIN_PATIENCE_SECONDS": "0.5", "TOCSIN_SUBMIT_SECONDS": "5"}
SETTLED = "SELECT 1 FROM message WHERE status IN ('queued', 'held', 'sending') OR resend_us IS NOT NULL"


async def _knows(hosts: Hosts) -> bool:
    """Whether the other host has heard of the token that is used at both."""
    async with hosts["b"].client() as b:
        b.token = hosts["a"].gateway.token
        return (await b.call("GET", "/v1/messages"))[0] == 200


@pytest.mark.long
async def test_d15_a_partition_that_flaps(
    tmp_path: Path, postgresql_database: Database, seeded: random.Random, seed: int, tell: Callable[[str], None]
) -> None:
    options = ("--latency", "150ms", "--report-delay", "200ms")
    with door_to(postgresql_database.server.folder) as proxy:
        urls = {"b": postgresql_database.url_through(proxy.folder)}
        async with hosts_on(tmp_path, postgresql_database, *options, modems=2, urls=urls, environ=ENVIRON) as hosts:
            await hosts.start()
            await eventually(lambda: _knows(hosts), 20, "a token that both hosts know")
            nemesis, senders = Nemesis(proxy, seeded), Senders(hosts, seeded)
            until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            sending = asyncio.create_task(senders.run(until))
            await nemesis.run(SECONDS)
            until.set_result(None)
            await sending
            await eventually(lambda: not hosts.rows(SETTLED), 60, "everything settled")
            await hosts.end()
            verdicts = hosts.verdicts(senders.sent)
            ((rows, texts),) = hosts.rows("SELECT count(*), count(DISTINCT text) FROM message")
            by = Counter(node for (node,) in hosts.rows("SELECT node FROM attempt"))
    extra = sum(verdict.copies - 1 for verdict in verdicts if verdict.copies > 1)
    recorded = sum(verdict.recorded_uncertain for verdict in verdicts)
    tell(
        f"D15: seed {seed}: cut off {nemesis.done.total()} times in {SECONDS} s, accepted {dict(senders.accepted)}, "
        f"{senders.in_vain} requests in vain: {counted(verdicts)}; {recorded} once uncertain, {extra} further copies "
        f"by policy resend, marked by {dict(by)}"
    )
    assert [(each, verdict) for each, verdict in zip(senders.sent, verdicts, strict=True) if not verdict.sound] == []
    assert rows == texts == len(senders.sent)
    assert set(by) == {"a", "b"}
