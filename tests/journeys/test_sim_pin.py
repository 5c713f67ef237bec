"""A wrong PIN is given to a SIM once, however often and badly the daemon ends: S01 to S04 with real processes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.daemon import FAILING, TOCSIN, Client, DaemonProcess, client_of, daemon
from support.locked_sim import LockedSim, locked_sim
from support.tree import ROOT
from support.waiting import eventually

WRONG = "7351"
RIGHT = "2846"
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


async def test_a_person_unlocks_a_sim_once(tmp_path: Path, tell) -> None:
    """Over HTTP: one more try, told with the tries that were left, and not the last one."""
    async with locked_sim(tmp_path / "sim", RIGHT) as sim, daemon(tmp_path, _with_pin(tmp_path, sim, WRONG)) as gateway:
        async with _running(gateway) as client:
            await _until(client, "locked", "parked")
            status, answer = await client.call("POST", "/v1/modems/other/unlock")
            assert (status, answer["code"]) == (409, "modem_not_locked")
            unlocked = await client.ok("POST", "/v1/modems/locked/unlock")
            assert (unlocked["name"], unlocked["pin_tries_left"]) == ("locked", 2)

            async def last() -> bool:
                modem = await _modem(client, "locked")
                return modem["state"] == "parked" and "never taken" in modem["reason"]

            await eventually(last, 30)
            status, answer = await client.call("POST", "/v1/modems/locked/unlock")
            assert (status, answer["code"]) == (409, "pin_last_try")
        await gateway.end()
        counted = await sim.presented_wrongly()
        tell(f"S02: wrong PIN, unlocked once by a person, asked for again with one try left: {counted} attempts")
        assert counted == 2


async def test_a_right_pin_after_a_wrong_one(tmp_path: Path) -> None:
    """The file is corrected: another PIN, and with two tries left it takes a person. Then it is given at each start."""
    async with locked_sim(tmp_path / "sim", RIGHT) as sim, daemon(tmp_path, _with_pin(tmp_path, sim, WRONG)) as gateway:
        async with _running(gateway) as client:
            await _until(client, "locked", "parked")
        await gateway.end()
        _with_pin(tmp_path, sim, RIGHT)
        async with _running(gateway) as client:
            assert "2 of its tries left" in (await _until(client, "locked", "parked"))["reason"]
            assert (await client.ok("POST", "/v1/modems/locked/unlock"))["pin_tries_left"] == 2
            await _until(client, "locked", "ready")
        await gateway.end(signal.SIGKILL)
        await sim.power_cycle()
        async with _running(gateway) as client:
            await _until(client, "locked", "ready")
        await gateway.end()
        assert await sim.presented_wrongly() == 0


async def test_a_blocked_sim_and_another_one_leave_the_other_modem_alone(tmp_path: Path, tell) -> None:
    async with locked_sim(tmp_path / "sim", RIGHT) as sim:
        for _ in range(3):
            await sim.present("0000")
        config = _with_pin(tmp_path, sim, RIGHT)
        async with daemon(tmp_path, config) as gateway:
            async with _running(gateway) as client:
                reason = (await _until(client, "locked", "parked"))["reason"]
                assert "PUK" in reason
                assert "tocsin modems reset locked" in reason
                status, answer = await client.call("POST", "/v1/modems/locked/unlock")
                assert (status, answer["code"]) == (409, "modem_not_locked")
                assert "PUK" in answer["detail"]
                # Beside a real modem the simulated one takes what a test token sends.
                token = {"name": "trial", "scopes": ["send", "read"], "test": True}
                client.token = (await client.ok("POST", "/v1/tokens", token))["token"]
                sent = await client.send("+33639980201", "By the other one")
                assert (await client.until(sent["id"], "sent", "delivered"))["modem"] == "other"
            await gateway.end()
    tell("S03: PUK asked: parked and said, the other modem sends")


async def test_the_pin_is_nowhere(tmp_path: Path, tell) -> None:
    """Given and refused, and given and taken; each under a trace of the wire, redacted and not."""
    hits: dict[str, int] = {}
    for pin in (WRONG, RIGHT):
        folder = tmp_path / pin[::-1]
        folder.mkdir()
        async with locked_sim(folder / "sim", RIGHT) as sim:
            config = _with_pin(folder, sim, pin)
            async with daemon(folder, config, TOCSIN_LOG="debug", TOCSIN_TRACE="1") as gateway:
                async with _running(gateway) as client:
                    await _until(client, "locked", "parked", "ready")
                    await _once_more_unredacted(client, "unlock" if pin == WRONG else "reset")
                    assert gateway.process is not None
                    proc = Path(f"/proc/{gateway.process.pid}")
                    shown = {
                        "process list": (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes(),
                        "answers": json.dumps(await client.ok("GET", "/v1/modems")).encode(),
                        "check-config": await _output(gateway, "check-config"),
                        "modems --json": await _output(gateway, "modems", "--json"),
                        "limits": (proc / "limits").read_bytes(),
                    }
                assert await gateway.end() == 0
            core = next(line for line in shown.pop("limits").splitlines() if line.startswith(b"Max core file size"))
            assert core.split()[4:6] == [b"0", b"0"]
            for path in [*folder.glob("state/**/*"), folder / "stderr.log"]:
                if path.is_file():
                    shown[path.name] = path.read_bytes()
            assert "tocsin.db" in shown
            for trace in ("locked.trace", "locked.unredacted.trace"):
                assert b'AT+CPIN="0000"' in shown[trace]
            for place, octets in shown.items():
                # Not within a longer word: ids and hashes may hold any four digits.
                found = re.findall(rb"(?<![0-9A-Za-z])" + pin.encode() + rb"(?![0-9A-Za-z])", octets)
                hits[place] = hits.get(place, 0) + len(found)
    tell(f"S04: a PIN in {', '.join(hits)}: {sum(hits.values())} hits; core dumps are off")
    assert set(hits.values()) == {0}


async def _once_more_unredacted(client: Client, order: str) -> None:
    """Have the PIN given again, by an operator's `order`, while a trace is on that keeps numbers and texts."""
    trace = await client.ok("POST", "/v1/modems/locked/trace", {"seconds": 600, "unredacted": True})
    await client.ok("POST", f"/v1/modems/locked/{order}")
    await eventually(lambda: "AT+CPIN=" in Path(trace["file"]).read_text(), 30, "the PIN is given again")
    await _until(client, "locked", "parked", "ready")


async def _output(gateway: DaemonProcess, *arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        TOCSIN, *arguments, "--config", str(gateway.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    octets, _ = await process.communicate()
    assert process.returncode == 0, octets
    return octets
