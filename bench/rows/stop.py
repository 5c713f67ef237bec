"""From the moment a modem tells of a STOP to the opt-out that others can see: committed, and in force.

From +CMTI on with nothing else to do, so what it takes to read the message from the modem is in it; and, with four
other modems sending as fast as a network of 50 ms lets them, from the line in which the message is read.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.figures import Figure, at_most, spread
from bench.filling import fill
from bench.plan import Plan
from bench.processes import Daemon, daemon, modems
from bench.tapped import TappedModem, tapped_modem
from bench.waiting import until
from drivers.sim import SimSettings, numbered

_REST_S = 0.05
_SENDING = 4
_LATENCY_S = 0.05
# More than leaves while the STOPs come, each of which takes its rest and less than that besides.
_ENOUGH = 2.0 * _SENDING / _LATENCY_S * _REST_S
_GOAL = at_most(50, "p99")


async def measure(plan: Plan) -> list[Figure]:
    """Two figures of many STOPs, one after the other, each of another person."""
    return [await _idle(plan.folder / "stop", plan.stops), await _busy(plan.folder / "stop-busy", plan.stops_busy)]


async def _idle(folder: Path, stops: int) -> Figure:
    async with tapped_modem(folder / "modems") as (modem, port), daemon(folder, {"modem0": str(port)}) as gateway:
        await gateway.modems_ready(1)
        samples = await _samples(gateway, modem, stops, _told)
    return spread("STOP in force, from +CMTI", "ms", samples, goals=[_GOAL])


async def _busy(folder: Path, stops: int) -> Figure:
    # The one that hears sends too.
    hears = numbered(SimSettings(latency=_LATENCY_S, report_delay=3600.0), 99)
    async with (
        modems(folder / "sending", _SENDING, latency_s=_LATENCY_S) as sending,
        tapped_modem(folder / "modems", hears) as (modem, port),
    ):
        ports = {f"sending{at}": str(each) for at, each in enumerate(sending.ports)} | {"modem0": str(port)}
        await fill(folder, ports, queued=500 + round(stops * _ENOUGH))
        async with daemon(folder, ports) as gateway:
            await gateway.modems_ready(_SENDING + 1)
            before = sending.sent()
            samples = await _samples(gateway, modem, stops, _read)
            parts = sending.sent() - before
    note = f"{parts} parts were sent meanwhile" if parts else "nothing was sent meanwhile"
    return spread(f"STOP in force, from its line, {_SENDING} modems sending", "ms", samples, goals=[_GOAL], note=note)


async def _samples(
    gateway: Daemon, modem: TappedModem, stops: int, instant_of: Callable[[TappedModem], asyncio.Future[float]]
) -> list[float]:
    """Milliseconds of each."""
    samples: list[float] = []
    with closing(gateway.store()) as store:
        for count in range(1, stops + 1):
            instant = instant_of(modem)
            modem.inject_sms(f"+336{13_000_000 + count}", "STOP")
            in_force = await until(lambda least=count: _optouts(store) >= least, step_s=0.0005)
            samples.append(1000 * (in_force - await instant))
            # The confirmation goes out before the next one comes.
            await asyncio.sleep(_REST_S)
    return samples


def _optouts(store: sqlite3.Connection) -> int:
    return store.execute("SELECT count(*) FROM optout").fetchone()[0]


def _told(modem: TappedModem) -> asyncio.Future[float]:
    """The instant at which the modem tells of the next message."""
    instant: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    modem.on_told = lambda now: instant.done() or instant.set_result(now)
    return instant


def _read(modem: TappedModem) -> asyncio.Future[float]:
    """The instant at which the next message is read from the modem."""
    instant: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    modem.on_read = lambda now: instant.done() or instant.set_result(now)
    return instant
