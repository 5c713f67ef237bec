"""A receiver of webhooks that is down, or that hangs, while very much is owed to it: whether it slows anybody.

Gateways on the same store, one after the other, and all of them again: in one the receiver is well and is owed nothing
(calm), in the next it refuses connections, in the next it accepts them and never answers; and one has no such receiver
at all, and so nothing to write down for it. Another endpoint, which is well, is told of each acceptance in all of them.
A figure's limit is that of the calm one, so its ratio is what the receiver costs the others by being out of order.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Final

import aiohttp

from bench import owing
from bench.figures import Figure, Goal, at_least, at_most, number, percentile
from bench.filling import fill_open, settings_in, works_on
from bench.machine import cpu_seconds
from bench.many_load import BATCH
from bench.owing import Healthy
from bench.plan import Plan
from bench.processes import Daemon, Modems, daemon, modems, process, python
from bench.waiting import until
from bench.wire import TEXT
from gateway.store.opening import open_configured

#: How a receiver that is owed much behaves, and the words for it.
_BADLY: Final = {"down": "receiver down", "hanging": "receiver hanging"}
_CALM: Final = "calm"
_ALONE: Final = "alone"
#: Of one finished message so many events are told of.
_EVENTS: Final = 3
# More than that is no noise.
_WORST: Final = 1.2
_APART_S: Final = 0.02
# A busy machine sends a few dozen a second.
_PATIENCE_S: Final = 240.0
_FIRST_NUMBER: Final = 33_640_000_000


@dataclass(slots=True)
class _Seen:
    """Of one case, over all its turns."""

    posts: list[Mapping[str, float]] = field(default_factory=list[Mapping[str, float]])
    submits: list[float] = field(default_factory=list[float])
    late_ms: list[float] = field(default_factory=list[float])
    processor_ms: list[float] = field(default_factory=list[float])
    left: int = 0


async def measure(plan: Plan) -> Sequence[Figure]:
    """Six figures of each way to be bad."""
    folder = plan.folder / "owed"
    seen = {case: _Seen() for case in (_ALONE, _CALM, *_BADLY)}
    async with AsyncExitStack() as stack:
        simulated = await stack.enter_async_context(modems(folder / "modems", 1))
        well = await stack.enter_async_context(owing.healthy())
        other = {
            _CALM: (await stack.enter_async_context(owing.healthy())).url,
            "down": await stack.enter_async_context(owing.down()),
            "hanging": await stack.enter_async_context(owing.hanging()),
        }
        for case in seen:
            urls = [well.url] + ([other[case]] if case in other else [])
            await _prepared(folder / case, simulated, urls, plan.owed, plan.owed if case in _BADLY else 0)
        for _ in range(plan.owed_turns):
            for case, found in seen.items():
                await _turn(plan, folder / case, simulated, well, found)
    shutil.rmtree(folder)
    return [figure for case in _BADLY for figure in _figures(case, seen)]


async def _prepared(folder: Path, simulated: Modems, urls: Sequence[str], events: int, owed: int) -> None:
    """The store of a case: so many events, and endpoints at these addresses, of which the second is owed so much."""
    settings = settings_in(folder, simulated.configured)
    store = await asyncio.to_thread(open_configured, settings)
    try:
        works = await works_on(settings, store)
        await fill_open(works, queued=0, finished=events // _EVENTS + 1)
        await owing.endpoint(works, urls[0], "message.queued")
        for other in urls[1:]:
            found = await owing.owe(works, await owing.endpoint(works, other, "*"), owed)
            assert found == owed, "there are events enough"
    finally:
        await store.close()


async def _turn(plan: Plan, folder: Path, simulated: Modems, well: Healthy, found: _Seen) -> None:
    async with daemon(folder, simulated.configured) as gateway:
        await gateway.modems_ready(1)
        with closing(gateway.store()) as store:
            quiet, began_s = _Quiet(store, well), cpu_seconds(gateway.pid)
            found.posts.append(await _posted(plan, gateway))
            await quiet.wait()
            found.submits.append(await _submitted(plan, gateway, simulated))
            await quiet.wait()
            found.late_ms += await _told(plan, gateway, well)
            await quiet.wait()
            found.processor_ms.append(1000 * (cpu_seconds(gateway.pid) - began_s) / quiet.accepted)
            ((found.left,),) = store.execute("SELECT count(*) FROM delivery").fetchall()


class _Quiet:
    """Whether all that was accepted since this was made has left, and was told to the receiver that is well."""

    def __init__(self, store: sqlite3.Connection, well: Healthy) -> None:
        self._store = store
        self._well = well
        well.told.clear()
        self._before = self._count("")

    def _count(self, which: str) -> int:
        ((count,),) = self._store.execute(f"SELECT count(*) FROM message{which}").fetchall()
        return count

    def _holds(self) -> bool:
        waiting = self._count(" WHERE status IN ('queued', 'sending')")
        return waiting == 0 and len(self._well.told) == self.accepted

    @property
    def accepted(self) -> int:
        """How many that are."""
        return self._count("") - self._before

    async def wait(self) -> None:
        """Until it holds."""
        await until(self._holds, step_s=0.1, patience_s=_PATIENCE_S)


async def _posted(plan: Plan, gateway: Daemon) -> Mapping[str, float]:
    """What a client says that posts as soon as it was answered, while the modem sends what it posts."""
    host, port = gateway.address
    words = (host, str(port), gateway.token, "1", str(plan.owed_s))
    log = gateway.folder / "client.log"
    async with process(*python("bench.http_load"), *words, log=log) as client:
        said, _ = await client.communicate()
    if client.returncode:
        raise RuntimeError(f"the client failed: {log.read_text(errors='replace')[-500:]}")
    return json.loads(said)


async def _submitted(plan: Plan, gateway: Daemon, simulated: Modems) -> float:
    """Parts a second, from handing in very many messages to the last part of them."""
    messages = [{"to": f"+{_FIRST_NUMBER + at}", "text": f"{TEXT} {at}"} for at in range(plan.owed_submits)]
    wanted, began = simulated.sent() + len(messages), time.monotonic()
    async with _asking(gateway) as session:
        for at in range(0, len(messages), BATCH):
            body = {"messages": messages[at : at + BATCH]}
            async with session.post(f"{gateway.url}/v1/messages/batch", json=body) as answer:
                answer.raise_for_status()
    ended = await until(lambda: simulated.sent() >= wanted, patience_s=_PATIENCE_S)
    return len(messages) / (ended - began)


async def _told(plan: Plan, gateway: Daemon, well: Healthy) -> list[float]:
    """Milliseconds from the request of a message to when the endpoint that is well is told of it."""
    asked: dict[str, float] = {}
    async with _asking(gateway) as session:
        for at in range(plan.owed_told):
            began = time.monotonic()
            body = {"to": f"+{_FIRST_NUMBER + at}", "text": TEXT}
            async with session.post(f"{gateway.url}/v1/messages", json=body) as answer:
                answer.raise_for_status()
                asked[(await answer.json())["id"]] = began
            await asyncio.sleep(_APART_S)
    await until(lambda: asked.keys() <= well.told.keys())
    return [1000 * (well.told[each] - began) for each, began in asked.items()]


def _asking(gateway: Daemon) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {gateway.token}"})


def _figures(case: str, seen: Mapping[str, _Seen]) -> list[Figure]:
    words = f"{_BADLY[case]}, {number(seen[case].left)} owed"
    three = [_values(seen[each]) for each in (case, _CALM, _ALONE)]
    return [
        Figure(
            f"{work}, {words}", unit, value, goals=[_goal(unit, calm)], limit=calm,
            limit_is="the receiver is well", note=f"{value / alone:.2f} × without that receiver",
        )
        for (work, unit), value, calm, alone in zip(_FIGURES, *three, strict=True)
    ]  # fmt: skip


_FIGURES: Final = (
    ("POST /v1/messages, median", "ms"),
    ("POST /v1/messages, p99", "ms"),
    ("submits/s", "1/s"),
    ("another endpoint told, median", "ms"),
    ("another endpoint told, p99", "ms"),
    ("processor of the gateway for a message", "ms"),
)


def _values(seen: _Seen) -> tuple[float, ...]:
    """Those of `_FIGURES`."""
    late_ms = sorted(seen.late_ms)
    return (
        mean(each["p50"] for each in seen.posts),
        mean(each["p99"] for each in seen.posts),
        mean(seen.submits),
        median(late_ms),
        percentile(late_ms, 99),
        mean(seen.processor_ms),
    )


def _goal(unit: str, limit: float) -> Goal:
    return at_least(limit / _WORST) if unit == "1/s" else at_most(limit * _WORST)
