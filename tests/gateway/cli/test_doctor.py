"""`tocsin doctor`: its judgement by tables, and whole runs with and without a gateway."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import serial
from support.command_line import documents
from support.daemon import daemon
from support.usb import Stick, Usb
from support.waiting import eventually, eventually_sync

from drivers.sim import SimSettings, SimulatedModem, Simulation, SimulationOptions
from drivers.transport.roots import Roots, roots_of
from gateway.cli import doctor_facts
from gateway.cli.doctor_rules import (
    Finding,
    FolderFact,
    Level,
    PortFact,
    of_clock,
    of_configuration,
    of_folder,
    of_modem_manager,
    of_port,
    of_running_modem,
    of_store,
)
from gateway.clock import SystemClock
from gateway.config.loader import load_settings
from gateway.errors import ConfigProblem

Tocsin = Callable[..., Any]
Spawn = Callable[..., Popen[str]]

GOOD = PortFact("m1", "usb:1-1", "serial", device="/dev/ttyUSB2", answers=True, sim="ready", service_centre=True)


def levels(findings: Iterable[Finding]) -> dict[str, str]:
    return {finding.check: finding.level.value for finding in findings}


@pytest.mark.parametrize(
    ("fact", "expected", "mend"),
    [
        (PortFact("m1", "simulated:", "simulated"), {"port": "ok"}, ""),
        (GOOD, {"port": "ok", "sim": "ok", "service_centre": "ok"}, ""),
        (replace(GOOD, answers=False), {"port": "error"}, "tocsin modems probe"),
        (replace(GOOD, missing=True), {"port": "error"}, "plug it in"),
        (replace(GOOD, forbidden=True, group="uucp", user="ada"), {"port": "error"}, "usermod -aG uucp ada"),
        (replace(GOOD, forbidden=True), {"port": "error"}, "usermod -aG dialout USER"),
        (replace(GOOD, problem="held by gammu (pid 7)"), {"port": "error"}, ""),
        (replace(GOOD, answers=None), {"port": "ok"}, ""),
        (
            replace(GOOD, sim="asks for its PIN"),
            {"port": "ok", "sim": "error", "service_centre": "ok"},
            "pin_file under [modems.m1]",
        ),
        (replace(GOOD, sim="asks for its PIN", has_pin=True), {"port": "ok", "sim": "ok", "service_centre": "ok"}, ""),
        (replace(GOOD, sim="asks for its PUK"), {"port": "ok", "sim": "error", "service_centre": "ok"}, "PUK"),
        (replace(GOOD, sim="no SIM"), {"port": "ok", "sim": "error", "service_centre": "ok"}, "tray"),
        (replace(GOOD, sim="busy"), {"port": "ok", "sim": "warning", "service_centre": "ok"}, "tray"),
        (replace(GOOD, service_centre=False), {"port": "ok", "sim": "ok", "service_centre": "error"}, "smsc ="),
        (replace(GOOD, service_centre=None, signal_dbm=-111), {"port": "ok", "sim": "ok", "signal": "warning"}, "move"),
        (replace(GOOD, service_centre=None, signal_dbm=-71), {"port": "ok", "sim": "ok", "signal": "ok"}, ""),
    ],
)
def test_ports(fact: PortFact, expected: dict[str, str], mend: str) -> None:
    found = list(of_port(fact))
    assert levels(found) == expected
    assert mend in " ".join(each.mend or "" for each in found)


def test_configuration_and_limits() -> None:
    warnings = (ConfigProblem("modems.m1", "a real SIM without limits: whatever is queued is sent"),)
    assert levels(of_configuration("x", (), warnings)) == {"configuration": "ok", "limits": "warning"}
    assert "[modems.m1]" in (of_configuration("x", (), warnings)[1].mend or "")
    problems = (ConfigProblem("modems", "is missing"),)
    assert levels(of_configuration("x", problems, ())) == {"configuration": "error"}
    assert levels(of_configuration("x", (), (ConfigProblem("gateway", "x"),))) == {"configuration": "warning"}


@pytest.mark.parametrize(
    ("year", "synchronised", "level"),
    [(2026, True, "ok"), (2026, None, "ok"), (2026, False, "warning"), (1970, True, "error"), (2150, None, "error")],
)
def test_clocks(year: int, synchronised: bool | None, level: str) -> None:
    found = of_clock(year, synchronised=synchronised)
    assert found.level == level
    assert (found.mend is None) == (level == "ok")
    doubted = of_clock(year, synchronised=synchronised, doubt="the clock cannot be trusted: it was set back", floor="x")
    assert (doubted.level, doubted.message) == ("error", "the clock cannot be trusted: it was set back; it has been x")
    assert "tocsin clock confirm" in (doubted.mend or "")


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (FolderFact("s", free_octets=1 << 40, flush_ms=2.0), {"state": "ok", "disk": "ok"}),
        (FolderFact("s", free_octets=1 << 40, open_to_others=True), {"state": "warning", "disk": "ok"}),
        (FolderFact("s", free_octets=1 << 29), {"state": "ok", "disk": "warning"}),
        (FolderFact("s", free_octets=1 << 20), {"state": "ok", "disk": "error"}),
        (FolderFact("s", free_octets=1 << 40, flush_ms=900.0), {"state": "ok", "disk": "warning"}),
        (FolderFact("s", writable=False), {"state": "error"}),
        (FolderFact("s", problem="a flush fails: no room"), {"state": "error"}),
    ],
)
def test_folders(fact: FolderFact, expected: dict[str, str]) -> None:
    assert levels(of_folder(fact)) == expected


def test_modem_manager() -> None:
    who = "ModemManager (pid 7)"
    judged = [
        of_modem_manager(running, real_modems=real, ignored=ignored, mend="stop it").level
        for running, real, ignored in (
            (None, True, False),
            (who, False, False),
            (who, True, True),
            (who, True, False),
        )
    ]
    assert judged == [Level.OK, Level.OK, Level.OK, Level.WARNING]


@pytest.mark.parametrize(
    ("revision", "problem", "current", "level"),
    [
        ("1", None, True, "ok"),
        (None, None, False, "ok"),
        ("1", None, False, "warning"),
        (None, "is gone", False, "error"),
    ],
)
def test_stores(revision: str | None, problem: str | None, current: bool, level: str) -> None:
    assert of_store("x", revision, problem, current=current).level == level


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("ready", "ok"),
        ("busy", "ok"),
        ("absent", "error"),
        ("parked", "error"),
        ("repairing", "warning"),
        ("paused", "warning"),
    ],
)
def test_running_modems(state: str, level: str) -> None:
    (found,) = of_running_modem("m1", state, "why", None, knows_smsc=False)
    assert (found.level, found.message) == (level, f"m1 is {state}: why")


def test_a_running_modem_without_a_service_centre() -> None:
    assert levels(of_running_modem("m1", "ready", None, None, knows_smsc=True))["service_centre"] == "warning"
    assert "service_centre" not in levels(of_running_modem("m1", "ready", None, "+33639980000", knows_smsc=True))


def test_what_is_seen_of_a_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = doctor_facts.folder_fact(tmp_path, SystemClock())
    assert (found.exists, found.writable, found.open_to_others, found.problem) == (True, True, True, None)
    assert found.free_octets > 0
    assert (found.flush_ms or 0) > 0
    assert not [*tmp_path.iterdir()]
    later = doctor_facts.folder_fact(tmp_path / "not" / "yet", SystemClock())
    assert (later.exists, later.writable, later.open_to_others) == (False, True, False)
    (tmp_path / "file").touch()
    assert doctor_facts.folder_fact(tmp_path / "file" / "x", SystemClock()).problem


def test_the_kernel_tells_of_its_clock() -> None:
    assert SystemClock().synchronized() in {True, False, None}


# --- whole runs


def test_a_good_machine(tocsin: Tocsin, tmp_path: Path) -> None:
    """Beside a gateway that runs: it is asked."""
    eventually_sync(lambda: documents(tocsin("modems", "--json"))[0]["state"] == "ready")
    found = documents(tocsin("doctor", "--json", TOCSIN_SYSFS=str(tmp_path)))
    assert {"level", "check", "message", "mend"} == found[0].keys()
    assert not [one for one in found if one["level"] == "error"]
    assert [one["message"] for one in found if one["check"] == "modem"] == ["sim1 is ready"]
    assert {"configuration", "profile", "gateway", "modem", "modemmanager", "state", "disk", "store", "clock"} == {
        one["check"] for one in found
    }


def test_without_a_gateway_and_without_a_store(bare: Tocsin, config: Path, tmp_path: Path) -> None:
    result = bare("doctor", "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == 0
    assert "sim1: simulated: is the simulated modem" in result.stdout
    assert "will be made at the first start" in result.stdout
    assert not (tmp_path / "state").exists()


def test_a_bad_configuration_is_no_end(bare: Tocsin, config: Path, tmp_path: Path) -> None:
    config.write_text("[modems.m1]\nport = 'nothing'\n")
    result = bare("doctor", "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("error   ")
    assert "modems.m1.port" in result.stdout
    assert "the clock" in result.stdout


def test_a_store_that_is_none(bare: Tocsin, config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "tocsin.db").write_text("this is no database, and it is long enough to be seen as none" * 20)
    result = bare("doctor", "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == 1
    assert "tocsin.db cannot be opened: file is not a database" in result.stdout


@pytest.mark.parametrize("wrong", ["file", "link", "kernel"])
def test_a_state_directory_that_cannot_be_made(bare: Tocsin, config: Path, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    place = {"file": tmp_path / "file" / "state", "link": tmp_path / "link", "kernel": Path("/proc/tocsin/state")}[
        wrong
    ]
    config.write_text(config.read_text().replace("[gateway]", f'[gateway]\nstate_dir = "{place}"', 1))
    result = bare("doctor", "--json", "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["check"]: one["level"] for one in found if one["check"] in {"state", "store"}} == {
        "state": "error",
        "store": "error",
    }
    assert "will be made" not in result.stdout


@pytest.fixture
async def usb(tmp_path: Path) -> AsyncIterator[Usb]:
    made = Usb(tmp_path / "machine")
    yield made
    made.close()


def written(folder: Path, *ports: str) -> Path:
    path = folder / "config.toml"
    modems = "".join(f'[modems.m{number}]\nport = "{port}"\n' for number, port in enumerate(ports, 1))
    path.write_text(f'[gateway]\nnode = "desk"\n[api]\nlisten = ["127.0.0.1:0"]\n{modems}')
    return path


async def run(spawn: Spawn, config: Path, usb: Usb) -> tuple[int, list[dict[str, Any]]]:
    process = spawn("doctor", "--json", "--config", str(config), **usb.environ)
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert err == ""
    return process.returncode, [json.loads(line) for line in out.splitlines()]


async def test_a_stick_with_a_locked_sim_and_one_that_is_a_disc(usb: Usb, spawn: Spawn, tmp_path: Path) -> None:
    modem = SimulatedModem(SimSettings(pin="1234"))
    usb.plug(Stick(modem), "1-1", 0)
    usb.plug(
        Stick(SimulatedModem(SimSettings(number="+33639981999")), usb_id="12d1:1f01", interfaces=1, at=0), "1-2", 3
    )
    (usb.sys / "class/tty/ttyUSB3").unlink()
    status, found = await run(spawn, written(tmp_path, "usb:1-1", "/dev/ttyUSB8"), usb)
    (usb.sys / "class/tty/ttyUSB3").symlink_to("/nowhere")
    assert status == 1
    told = {(one["check"], one["level"]): one for one in found}
    assert "(12d1:1f01) at 1-2 is in storage mode" in told["stick", "error"]["message"]
    assert "usb_modeswitch -v 12d1 -p 1f01" in told["stick", "error"]["mend"]
    assert "m1: usb:1-1 (/dev/ttyUSB2) answers: Tocsin Simulated modem" in told["port", "ok"]["message"]
    assert "none is configured" in told["sim", "error"]["message"]
    assert "m2: /dev/ttyUSB8" in told["port", "error"]["message"]
    assert ("limits", "warning") in told
    assert modem.station.card.pin_tries == 3


async def test_a_terminal_that_sysfs_does_not_know_is_asked_unless_it_is_held(spawn: Spawn, tmp_path: Path) -> None:
    # Not in tests' own folder, which may lie under /dev: what is there is looked for in the machine of the test.
    folder = Path(tempfile.mkdtemp())
    simulation = Simulation(SimulationOptions(2, folder / "modems"))
    await simulation.open()
    try:
        port, held = simulation.ports
        usb = Usb(tmp_path / "machine")
        with serial.Serial(held, exclusive=True):
            status, found = await run(spawn, written(tmp_path, port, held), usb)
        usb.close()
    finally:
        await simulation.close()
        shutil.rmtree(folder)
    told = [(one["level"], one["message"]) for one in found if one["check"] == "port"]
    assert told[0] == ("ok", f"m1: {port} answers: Tocsin Simulated modem")
    assert told[1][0] == "error"
    assert f"{held} is held by " in told[1][1]
    assert f"(pid {os.getpid()})" in told[1][1]
    assert status == 1


def test_what_is_no_serial_device(bare: Tocsin, tmp_path: Path) -> None:
    config = written(tmp_path, "/dev/null")
    for command, status in (("doctor", 1), ("check-config", 78)):
        result = bare(command, "--config", str(config), TOCSIN_SYSFS=str(tmp_path))
        assert result.exit_code == status
        assert "modems.m1.port: /dev/null is not a serial device" in result.stdout


async def test_a_gateway_on_the_stick_is_asked_and_its_port_left_alone(usb: Usb, spawn: Spawn, tmp_path: Path) -> None:
    stick = Stick(SimulatedModem())
    usb.plug(stick, "1-1", 0)
    config = written(tmp_path, "usb:1-1").read_text()
    async with daemon(tmp_path, config, **usb.environ) as gateway:
        await gateway.start()

        async def ready() -> bool:
            _, found = await run(spawn, gateway.config, usb)
            return any(one["message"] == "m1 is ready" for one in found)

        await eventually(ready, 60, "a modem that is ready")
        quiet = [bytes(line.heard) for line in stick.lines[:2]]
        probed = spawn("modems", "probe", "--json", **usb.environ)
        out, _ = await asyncio.to_thread(probed.communicate, timeout=60)
        last = json.loads(out.splitlines()[2])
        assert (last["answers"], "is held by" in last["problem"]) == (None, True)
        assert quiet == [b"", b""]
        assert await gateway.end() == 0


def test_sticks_that_udev_keeps_from_modem_manager(tmp_path: Path) -> None:
    config = written(tmp_path, "/dev/ttyUSB77")
    settings = load_settings(config, {})
    assert not doctor_facts.left_alone(settings.modems, Roots(sys=tmp_path), tmp_path)


async def test_sticks_that_udev_marks_are_left_alone(usb: Usb, tmp_path: Path) -> None:
    usb.plug(Stick(SimulatedModem()), "1-1", 0)
    settings = load_settings(written(tmp_path, "usb:1-1"), {})
    roots = roots_of(usb.environ)
    assert not doctor_facts.left_alone(settings.modems, roots, tmp_path)
    for number in range(3):
        device = (usb.dev / f"ttyUSB{number}").stat().st_rdev
        (tmp_path / f"c{device >> 8}:{device & 0xFF}").write_text("E:ID_BUS=usb\nE:ID_MM_DEVICE_IGNORE=1\n")
    assert doctor_facts.left_alone(settings.modems, roots, tmp_path)
