"""A wrong PIN is given to a SIM once, however often and badly the daemon ends: S01 to S04 with real processes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.daemon import Client, DaemonProcess, client_of, daemon
from support.locked_sim import LockedSim, locked_sim
from support.tree import ROOT
from support.waiting import eventually

WRONG = "7351"
RIGHT = "2846"
FAILING = (sys.executable, "-m", "support.failing_daemon")
CONFIG = """
[gateway]
node = "desk"
country = "FR"
[api]
listen = ["127.0.0.1:0"]
[modems.locked]
port = "{port}"
pin_file = "locked.pin"
[modems.other]
port = "simulated:"
"""


def _with_pin(folder: Path, sim: LockedSim, pin: str) -> str:
    """The configuration, with the PIN in its file."""
    file = folder / "locked.pin"
    file.write_text(f"{pin}\n")
    file.chmod(0o600)
    return CONFIG.format(port=sim.port)


async def _modem(client: Client, name: str) -> dict[str, Any]:
    return next(each for each in (await client.ok("GET", "/v1/modems"))["items"] if each["name"] == name)


async def _until(client: Client, name: str, *states: str) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        modem = await _modem(client, name)
        return modem if modem["state"] in states else None

    return await eventually(reached, 60, f"{name} in {states}")


@asynccontextmanager
async def _running(gateway: DaemonProcess) -> AsyncIterator[Client]:
    await gateway.start()
    async with client_of(gateway.url, gateway.token) as client:
        yield client


async def _restart_often(folder: Path, seeded: random.Random, count: int) -> tuple[int, int, str]:
    """Start and end the daemon so often; the wrong PINs that the SIM counted, the kills among the ends, the reason."""
    kills = 0
    async with locked_sim(folder / "sim", RIGHT) as sim, daemon(folder, _with_pin(folder, sim, WRONG)) as gateway:
        async with _running(gateway) as client:
            await _until(client, "locked", "parked")
        await gateway.end(signal.SIGKILL)
        for index in range(count - 2):
            number = (signal.SIGTERM, signal.SIGKILL)[index % 2]
            kills += number is signal.SIGKILL
            if seeded.random() < 0.5:
                await gateway.start()
            else:
                await gateway.spawn()
                await asyncio.sleep(seeded.uniform(0, 1.5))
            await gateway.end(number, 60)
        async with _running(gateway) as client:
            reason = (await _until(client, "locked", "parked"))["reason"]
            assert (await _until(client, "other", "ready"))["reason"] is None
        await gateway.end(signal.SIGTERM, 60)
        return await sim.presented_wrongly(), kills + 1, reason


async def test_a_wrong_pin_and_six_restarts(tmp_path: Path, seeded: random.Random, tell) -> None:
    attempts, kills, reason = await _restart_often(tmp_path, seeded, 6)
    tell(f"S01: wrong PIN, 6 starts of the daemon of which {kills} ended by SIGKILL: {attempts} attempt")
    assert attempts == 1
    assert "tocsin modems unlock locked" in reason


@pytest.mark.long
async def test_a_wrong_pin_and_a_hundred_restarts(tmp_path: Path, seeded: random.Random, tell) -> None:
    attempts, kills, _ = await _restart_often(tmp_path, seeded, 100)
    tell(f"S01: wrong PIN, 100 starts of the daemon of which {kills} ended by SIGKILL: {attempts} attempt")
    assert attempts == 1


@pytest.mark.parametrize(("place", "attempts"), [("pin_recorded", 0), ("pin_answered", 1)])
async def test_a_kill_between_record_and_answer(tmp_path: Path, tell, place: str, attempts: int) -> None:
    """Nobody knows then whether the SIM was given it, so it is not."""
    failpoint = tmp_path / "failpoint"
    environ = {"TOCSIN_FAILPOINT": str(failpoint), "TOCSIN_SUBMIT_SECONDS": "2"}
    environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    async with locked_sim(tmp_path / "sim", RIGHT) as sim:
        config = _with_pin(tmp_path, sim, WRONG)
        async with daemon(tmp_path, config, FAILING, **environ) as gateway:
            failpoint.write_text(place)
            process = await gateway.spawn()
            assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL
            await gateway.end()
            for _ in range(2):
                async with _running(gateway) as client:
                    assert "not known" in (await _until(client, "locked", "parked"))["reason"]
                await gateway.end(signal.SIGKILL)
        found = await sim.presented_wrongly()
    tell(f"S01: killed at {place}, then two more starts: {found} attempts")
    assert found == attempts
