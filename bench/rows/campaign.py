"""A campaign to many people: how long until all of it is queued, what requests feel of it, what memory it takes.

The text is a template with each person's own name and city; the audience is a segment that is worked out for each. A
client posts messages at a steady pace before it and meanwhile: what is compared is how long its answers take.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.contacts import SEGMENT, fill_contacts
from bench.figures import Figure, at_most, number, percentile
from bench.machine import memory_mb
from bench.plan import Plan
from bench.processes import Daemon, daemon, line_of, modems, process, python

_PER_SECOND = 50
_LOOK_S = 0.1
_PATIENCE_S = 600.0
_TEXT = "Bonjour {{ name }}, votre centre de {{ attributes.city }} ouvre samedi de 9 h a 12 h. Repondez OUI pour venir."


@dataclass
class _Heard:
    """Milliseconds of every answer, in order."""

    took: list[float] = field(default_factory=list[float])

    def p99(self) -> float:
        return percentile(sorted(self.took), 99) if self.took else float("nan")


async def measure(plan: Plan) -> list[Figure]:
    """Figures of one daemon."""
    folder, count = plan.folder / "campaign", plan.campaign
    async with modems(folder / "modems", 1, latency_s=3.0) as simulated:
        await fill_contacts(folder, simulated.configured, count)
        async with daemon(folder, simulated.configured) as gateway, _session(gateway) as session:
            await gateway.modems_ready(1)
            counted_s = await _count(session, count)
            calm, during = _Heard(), _Heard()
            async with _client(gateway, folder, calm):
                await asyncio.sleep(plan.campaign_calm_s)
            async with _client(gateway, folder, during):
                started_s, queued_s = await _run(session, count)
            memory = memory_mb(gateway.pid, highest=True)
    shutil.rmtree(folder)
    return _figures(count, (counted_s, started_s, queued_s), calm, during, memory)


def _figures(count: int, took: tuple[float, float, float], calm: _Heard, during: _Heard, memory: float) -> list[Figure]:
    size, (counted_s, started_s, queued_s) = number(count), took
    details = {"start_s": started_s, "answers": len(during.took)}
    return [
        Figure(f"segment counted, {size} contacts", "s", counted_s, goals=[at_most(5)]),
        Figure(
            f"campaign to {size} queued", "s", queued_s, goals=[at_most(30)],
            note=f"from the request to start, which took {started_s:.1f} s to answer", details=details,
        ),
        Figure(
            "answer of POST /v1/messages meanwhile, p99", "ms", during.p99(), p50=_p50(during), p99=during.p99(),
            goals=[at_most(2 * calm.p99())],
            note=f"{_PER_SECOND}/s; calm p99 {calm.p99():.1f}, p50 {_p50(calm):.1f} ms",
        ),
        Figure(f"memory after a campaign to {size}", "MB", memory, goals=[at_most(300)], note="highest so far"),
    ]  # fmt: skip


def _p50(heard: _Heard) -> float:
    return percentile(sorted(heard.took), 50) if heard.took else float("nan")


@asynccontextmanager
async def _session(gateway: Daemon) -> AsyncIterator[aiohttp.ClientSession]:
    header = {"Authorization": f"Bearer {gateway.token}"}
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(gateway.url, headers=header, timeout=timeout) as session:
        yield session


async def _ask(session: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    async with session.request(method, path, json=body) as answer:
        document = await answer.json()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {document}")
        return document


async def _count(session: aiohttp.ClientSession, count: int) -> float:
    began = time.perf_counter()
    counted = await _ask(session, "POST", f"/v1/segments/{SEGMENT}/count", {})
    assert counted["count"] == count, counted
    return time.perf_counter() - began


async def _run(session: aiohttp.ClientSession, count: int) -> tuple[float, float]:
    """Seconds until it was started, and until all was queued, from the request to start."""
    made = await _ask(session, "POST", "/v1/campaigns", {"name": "bench", "to": [SEGMENT], "text": _TEXT})
    began = time.perf_counter()
    await _ask(session, "POST", f"/v1/campaigns/{made['id']}/start", {"force": True})
    started_s = time.perf_counter() - began
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            seen = await _ask(session, "GET", f"/v1/campaigns/{made['id']}")
            if seen["counts"]["queued"] + seen["counts"]["left_out"] >= count:
                return started_s, time.perf_counter() - began
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def _client(gateway: Daemon, folder: Path, heard: _Heard) -> AsyncIterator[None]:
    host, port = gateway.address
    words = (host, str(port), gateway.token, str(_PER_SECOND))
    log = folder / "client.log"
    async with process(*python("bench.steady_load"), *words, log=log) as client:
        await line_of(client, "ready", log)
        try:
            yield
        finally:
            client.terminate()
            said, _ = await client.communicate()
        if client.returncode:
            raise RuntimeError(f"the client failed: {log.read_text(errors='replace')[-500:]}")
        heard.took = json.loads(said)
