"""Several hosts on one PostgreSQL, each with modems of its own: what they send together, and how soon one host sends
what another has accepted.

The server of the tests runs on this machine, every commit flushed; so do all hosts, on the same cores.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from bench import postgresql
from bench.figures import Figure, at_least, at_most, spread
from bench.filling import fill
from bench.plan import Plan
from bench.processes import Daemon, Modems, daemon, modems
from bench.rows.wire_latency import samples
from bench.tapped import tapped_modem
from gateway.store.opening import KEY_NAME

_LATENCY_S = 0.2
_MODEMS = 8
_SHARE = 2.9
# Starting takes some seconds, in which is sent as well.
_BEFORE_S = 10.0
_SETTLE_S = 1.0


async def measure(plan: Plan) -> list[Figure]:
    """Three figures; none where no server is installed."""
    if not postgresql.is_installed():
        return []
    with postgresql.server() as database:
        one = await _rate(plan, plan.folder / "hosts1", database("one"), 1)
        several = await _rate(plan, plan.folder / "hosts3", database("several"), plan.hosts)
        work = f"hosts × {_MODEMS} modems, latency {_LATENCY_S:g} s, PostgreSQL"
        full = _MODEMS / _LATENCY_S
        return [
            Figure(f"parts/s, 1 host{work[5:]}", "1/s", one, limit=full, limit_is="modems that wait for nobody"),
            Figure(
                f"parts/s, {plan.hosts} {work}", "1/s", several, goals=[at_least(_SHARE / 3 * plan.hosts * one)],
                limit=plan.hosts * full, limit_is="modems that wait for nobody", note=f"goal: {_SHARE} × one host",
            ),
            await _elsewhere(plan, plan.folder / "elsewhere", database("elsewhere")),
        ]  # fmt: skip


async def _rate(plan: Plan, folder: Path, url: str, hosts: int) -> float:
    """Parts a second, by the simulated network's own count, once every modem is at work."""
    async with modems(folder / "modems", hosts * _MODEMS, latency_s=_LATENCY_S) as simulated:
        ports = [_ports_of(simulated, host) for host in range(hosts)]
        queued = int((plan.hosts_s + _BEFORE_S) * hosts * _MODEMS / _LATENCY_S)
        await fill(folder / "a", ports[0], queued=queued, url=url)
        async with AsyncExitStack() as stack:
            started = [
                await stack.enter_async_context(_host(folder, host, each, url)) for host, each in enumerate(ports)
            ]
            await started[0].modems_ready(hosts * _MODEMS)
            await asyncio.sleep(_SETTLE_S)
            sent, began = simulated.sent(), time.monotonic()
            await asyncio.sleep(plan.hosts_s)
            rate = (simulated.sent() - sent) / (time.monotonic() - began)
    shutil.rmtree(folder)
    return rate


def _ports_of(simulated: Modems, host: int) -> dict[str, str]:
    mine = simulated.ports[host * _MODEMS : (host + 1) * _MODEMS]
    return {f"m{number}": str(port) for number, port in enumerate(mine)}


def _host(folder: Path, number: int, ports: Mapping[str, str], url: str) -> AbstractAsyncContextManager[Daemon]:
    """Host `a`, `b`, …; those after the first have its key."""
    node = chr(ord("a") + number)
    state = folder / node / "state"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if number:
        shutil.copy(folder / "a" / "state" / KEY_NAME, state / KEY_NAME)
    return daemon(folder / node, ports, url=url, node=node)


async def _elsewhere(plan: Plan, folder: Path, url: str) -> Figure:
    """Accepted by one host for the modem of another."""
    async with tapped_modem(folder / "modems") as (modem, port), modems(folder / "others", 1) as others:
        await fill(folder / "a", others.configured, queued=0, url=url)
        async with _host(folder, 0, others.configured, url) as a, _host(folder, 1, {"m0": str(port)}, url) as b:
            await b.modems_ready(2)
            await a.modems_ready(2)
            pairs = await samples(a, modem, plan.wire_samples, modem="b:m0")
    shutil.rmtree(folder)
    return spread(
        "accepted (202) by one host to AT+CMGS at another, idle", "ms", [after * 1000 for _, after in pairs],
        goals=[at_most(50, "p99")],
    )  # fmt: skip
