"""`tocsin modems probe` as a process, on a USB of files and pseudo-terminals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from support.usb import Stick, Usb

from drivers.sim import SimulatedModem, Simulation, SimulationOptions

Spawn = Callable[..., Popen[str]]
Tocsin = Callable[..., Any]


@pytest.fixture
async def usb(tmp_path: Path) -> AsyncIterator[Usb]:
    made = Usb(tmp_path / "machine")
    yield made
    made.close()


async def output_of(process: Popen[str], status: int = 0) -> str:
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert (process.returncode, err) == (status, "")
    return out


async def test_ports_modems_and_the_lines_to_write(usb: Usb, spawn: Spawn) -> None:
    modem = SimulatedModem()
    usb.plug(Stick(modem), "1-1.4", 0)
    lines = (await output_of(spawn("modems", "probe", **usb.environ))).splitlines()
    assert lines[0].split() == ["PORT", "USB", "STICK", "AT", "MODEL", "IMEI", "SIM", "SIGNAL", "NOTE"]
    assert [line.split()[:2] for line in lines[1:4]] == [[f"ttyUSB{n}", f"1-1.4:1.{n}"] for n in range(3)]
    assert "yes" in lines[3]
    assert modem.settings.imei in lines[3]
    assert lines[4:] == ["", "[modems.stick1]    # Tocsin Simulated modem, ttyUSB2", f'port = "{lines_port(lines)}"']
    assert lines_port(lines) in {f"imei:{modem.settings.imei}", "usb:1-1.4:1.2"}


def lines_port(lines: list[str]) -> str:
    return lines[-1].removeprefix('port = "').removesuffix('"')


async def test_json_is_one_document_a_port(usb: Usb, spawn: Spawn) -> None:
    modem = SimulatedModem()
    usb.plug(Stick(modem), "1-1.4", 7)
    found = [
        json.loads(line) for line in (await output_of(spawn("modems", "probe", "--json", **usb.environ))).splitlines()
    ]
    assert [(one["device"], one["answers"]) for one in found] == [
        ("/dev/ttyUSB7", False),
        ("/dev/ttyUSB8", False),
        ("/dev/ttyUSB9", True),
    ]
    assert (found[2]["usb"], found[2]["usb_id"], found[2]["driver"]) == ("1-1.4:1.2", "12d1:1001", "option")
    assert (found[2]["imei"], found[2]["sim"], found[2]["signal_dbm"]) == (modem.settings.imei, "ready", -71)


async def test_a_stick_that_is_a_disc_is_told(usb: Usb, spawn: Spawn) -> None:
    usb.plug(Stick(SimulatedModem(), usb_id="12d1:1f01", interfaces=1, at=0), "1-2", 0)
    (usb.sys / "class/tty/ttyUSB0").unlink()
    process = spawn("modems", "probe", **usb.environ)
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    (usb.sys / "class/tty/ttyUSB0").symlink_to("/nowhere")
    assert (process.returncode, err) == (0, "no serial ports\n")
    assert "HUAWEI Technology HUAWEI Mobile (12d1:1f01) at 1-2 is in storage mode" in out
    assert "usb_modeswitch -v 12d1 -p 1f01 -M " in out


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """A simulated modem on a pseudo-terminal, and one behind an address."""
    on_terminal = Simulation(SimulationOptions(1, tmp_path / "modems"))
    on_network = Simulation(SimulationOptions(1, tcp=("127.0.0.1", 0)))
    await on_terminal.open()
    await on_network.open()
    yield on_terminal.ports[0], on_network.ports[0]
    await on_terminal.close()
    await on_network.close()


async def test_a_port_that_is_given_is_asked_whatever_it_is(
    ports: tuple[str, str], tmp_path: Path, spawn: Spawn
) -> None:
    process = spawn("modems", "probe", "--json", *ports, "/nope", TOCSIN_SYSFS=str(tmp_path))
    found = [json.loads(line) for line in (await output_of(process)).splitlines()]
    assert [(one["device"], one["answers"], one["port"]) for one in found] == [
        (ports[0], True, ports[0]),
        (ports[1], True, ports[1]),
        ("/nope", None, None),
    ]
    assert found[2]["problem"] == "there is no device /nope"
    shown = await output_of(spawn("modems", "probe", ports[0], TOCSIN_SYSFS=str(tmp_path)))
    assert f'port = "{ports[0]}"' in shown


@pytest.mark.parametrize(
    ("port", "status", "told"),
    [
        ("/nope", 1, "there is no device /nope"),
        ("nope", 1, "there is no device /dev/nope"),
        ("/dev/null", 1, "/dev/null is not a serial device"),
        ("/etc/passwd", 1, "/etc/passwd is not a serial device"),
        ("socket://nowhere", 1, "is not of the form socket://host:port"),
        ("usb:1-9", 1, "usb:1-9: there is no such port"),
        ("usb:x", 2, "usb: takes a place"),
    ],
)
def test_a_port_that_cannot_be_asked_is_told(tmp_path: Path, bare: Tocsin, port: str, status: int, told: str) -> None:
    result = bare("modems", "probe", port, TOCSIN_SYSFS=str(tmp_path))
    assert result.exit_code == status
    assert told in result.output


async def test_a_machine_without_ports(tmp_path: Path, spawn: Spawn) -> None:
    process = spawn("modems", "probe", TOCSIN_SYSFS=str(tmp_path))
    assert await asyncio.to_thread(process.communicate, timeout=60) == ("", "no serial ports\n")
    assert process.returncode == 0
