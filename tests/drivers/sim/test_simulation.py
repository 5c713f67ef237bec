"""Several modems at once: links, pipe, ledger file, and the two command lines."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial
from click.testing import CliRunner
from support.simulation import running
from support.waiting import eventually, eventually_sync

from drivers.sim import SIM_PROFILES, SimSettings, Simulation, SimulationOptions, simulate
from drivers.sim.command_line import address, main, options_from, profiles, seconds, ussd
from drivers.sim.simulation import MAX_CONTROL_LINE
from drivers.tpdu import Address, SmsSubmit, UserData
from gateway.cli.simulate import simulate as tocsin_simulate

TOCSIN = str(Path(sys.executable).with_name("tocsin"))


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


@pytest.fixture
def options(tmp_path: Path) -> SimulationOptions:
    return SimulationOptions(2, tmp_path / "modems", ledger=tmp_path / "ledger", settings=SimSettings(echo=False))


async def test_a_line_written_to_the_pipe_arrives(options: SimulationOptions):
    complaints = []
    simulation = Simulation(options, complaints.append)
    await simulation.open()
    assert options.directory
    control = options.directory / "control"
    try:
        with control.open("w") as pipe:
            pipe.write("modem1 +33612345678   Hello  there\n\nmodem0 +336123")
            pipe.flush()
            await eventually(lambda: simulation.modems[1].station.equipment.memory.used == 1)
            pipe.write("45678 é\n")
        await eventually(lambda: simulation.modems[0].station.equipment.memory.used == 1)
        assert complaints == []
        control.write_bytes(b"modem9 +336 x\nmodem0 +336\nmodem0 far-too-long-a-name x\n\xff\n")
        await eventually(lambda: len(complaints) == 4)
        assert "MODEM SENDER TEXT" in complaints[0]
        assert "name" not in complaints[2]
    finally:
        await simulation.close()
    assert files_in(options.directory) == []


async def test_words_of_the_pipe(options: SimulationOptions):
    complaints: list[str] = []
    simulation = Simulation(options, complaints.append)
    await simulation.open()
    station = simulation.modems[1].station
    try:
        simulation.obey("modem1 call +33612345678")
        assert station.call.ringing
        simulation.obey("modem1 remove-sim")
        assert not station.call.ringing
        assert station.equipment.pin_word == "ABSENT"
        simulation.obey("modem1 insert-sim 8933990000000000991")
        assert station.card.iccid == "8933990000000000991"
        simulation.obey("modem1 pdu 0004049121430000622150010000000241E1")
        assert station.equipment.memory.used == 1
        simulation.obey("modem1 call")
        assert station.call.ringing
        simulation.obey("modem1 restart")
        assert not station.equipment.powered
        assert complaints == []
    finally:
        await simulation.close()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("modem0", "MODEM SENDER TEXT"),
        ("modem0 call me", "MODEM call [NUMBER]: no such number can call"),
        ("modem0 pdu xyz", "MODEM pdu HEX: a PDU is hexadecimal"),
        ("modem0 pdu", "MODEM pdu HEX: "),
        ("modem0 insert-sim", "MODEM insert-sim [ICCID]: there is a SIM in the modem already"),
        ("modem0 insert-sim 12", "MODEM insert-sim [ICCID]: there is a SIM in the modem already"),
        ("modem9 remove-sim", "MODEM SENDER TEXT"),
    ],
)
async def test_words_that_cannot_be_obeyed(options: SimulationOptions, line: str, told: str):
    complaints: list[str] = []
    Simulation(options, complaints.append).obey(line)
    assert len(complaints) == 1
    assert complaints[0].startswith("control: ")
    assert told in complaints[0]


def test_the_modems_play_families_in_turn(tmp_path: Path):
    options = options_from(5, tmp_path, None, None, (0, 0), families=profiles("huawei,tc35"))
    played = [modem.settings.profile for modem in Simulation(options).modems]
    assert played == ["huawei", "tc35", "huawei", "tc35", "huawei"]
    options = options_from(12, tmp_path, None, None, (0, 0), families=profiles("all"), answers=[ussd("*100#=a=b")])
    modems = Simulation(options).modems
    assert [modem.settings.profile for modem in modems] == [*SIM_PROFILES, "generic", "huawei"]
    assert modems[3].settings.ussd == {"*100#": "a=b"}
    assert {modem.settings.profile for modem in Simulation(SimulationOptions(3, tmp_path)).modems} == {"generic"}


async def test_a_line_without_end_is_bounded(options: SimulationOptions):
    simulation = Simulation(options)
    await simulation.open()
    assert options.directory
    assert simulation._control
    pipe = os.open(options.directory / "control", os.O_WRONLY | os.O_NONBLOCK)
    for _ in range(3):
        os.write(pipe, b"x" * MAX_CONTROL_LINE)
        await eventually(lambda: len(simulation._control._buffer) == MAX_CONTROL_LINE)
    os.write(pipe, b"\nmodem0 +336 x\n")
    await eventually(lambda: simulation.modems[0].station.equipment.memory.used == 1)
    os.close(pipe)
    await simulation.close()


async def test_submissions_are_appended_to_the_ledger_file(options: SimulationOptions):
    assert options.ledger
    options.ledger.write_text("{}\n")
    simulation = Simulation(options)
    await simulation.open()
    tpdu = SmsSubmit(tp_da=Address.from_text("+33639985555"), tp_ud=UserData(text="Hello")).to_bytes()
    simulation.modems[1].receive_data(f"AT+CMGS={len(tpdu)}\r00{tpdu.hex()}\x1a".encode())
    _before, entry = map(json.loads, options.ledger.read_text().splitlines())
    assert (entry["modem"], entry["to"], entry["tp_mr"]) == ("modem1", "+33639985555", 0)
    assert SmsSubmit.from_bytes(bytes.fromhex(entry["tpdu"])).tp_ud.text == "Hello"
    await simulation.close()


async def test_modems_on_tcp_ports(tmp_path: Path):
    simulation = Simulation(SimulationOptions(2, tcp=("127.0.0.1", 0)))
    await simulation.open()
    assert len(set(simulation.ports)) == 2
    taken = int(simulation.ports[0].rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Simulation(SimulationOptions(1, tmp_path, tcp=("127.0.0.1", taken))).open()
    assert files_in(tmp_path) == []
    await simulation.close()


async def test_a_file_in_the_way_leaves_nothing_open(options: SimulationOptions):
    assert options.directory
    options.directory.mkdir()
    (options.directory / "control").write_text("precious")
    with pytest.raises(FileExistsError):
        await Simulation(options).open()
    assert files_in(options.directory) == ["control"]


async def test_an_earlier_pipe_is_replaced(options: SimulationOptions):
    assert options.directory
    options.directory.mkdir()
    os.mkfifo(options.directory / "control")
    simulation = Simulation(options)
    await simulation.open()
    await simulation.close()
    assert files_in(options.directory) == []


def test_modems_need_a_place():
    with pytest.raises(ValueError, match="directory"):
        Simulation(SimulationOptions())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_runs_until_a_signal(options: SimulationOptions, number: signal.Signals):
    said = []
    task = asyncio.create_task(simulate(options, said.append, said.append))
    await eventually(lambda: len(said) == 2)
    assert said == [f"ready {options.directory}/modem0", f"ready {options.directory}/modem1"]
    os.kill(os.getpid(), number)
    await task
    assert options.directory
    assert files_in(options.directory) == []


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("200ms", 0.2), ("3s", 3), ("1.5s", 1.5), ("2m", 120)])
def test_durations(text: str, value: float):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "3", "-1s", "s", "1h", "1e3s", "١s"])
def test_no_durations(text: str):
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"), [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:7000", ("::1", 7000)), ("box:65535", ("box", 65535))]
)
def test_addresses(text: str, value: tuple[str, int]):
    assert address(text) == value


@pytest.mark.parametrize("text", ["", "7000", ":7000", "box:", "box:65536", "box:x"])
def test_no_addresses(text: str):
    with pytest.raises(ValueError, match="address"):
        address(text)


WRONG = [
    (["--count", "0", "--dir", "x"], "between 1 and 256"),
    (["--count", "257", "--dir", "x"], "between 1 and 256"),
    ([], "--dir DIR or --tcp HOST:PORT"),
    (["--tcp", "nowhere"], "no address"),
    (["--count", "3", "--tcp", "127.0.0.1:65534"], "not so many ports"),
    (["--dir", "x", "--latency", "soon"], "no duration"),
    (["--dir", "x", "--refuse", "+33612345678"], "no refusal"),
    (["--dir", "x", "--refuse", "+33612345678=9999"], "no refusal"),
    (["--dir", "x", "--refuse", "=42"], "no refusal"),
    (["--dir", "x", "--profile", "nokia"], "no modem that can be played: generic, huawei"),
    (["--dir", "x", "--profile", "huawei,"], "no modem that can be played"),
    (["--dir", "x", "--ussd", "*100#"], "no answer such as"),
    (["--dir", "x", "--ussd", "balance=1"], "no answer such as"),
    (["--dir", "x", "--pin", "123"], "a PIN has 4 to 8 digits"),
    (["--dir", "x", "--pin", "123456789"], "a PIN has 4 to 8 digits"),
    (["--dir", "x", "--pin", "12a4"], "a PIN has 4 to 8 digits"),
    (["--dir", "x", "--pin", "١٢٣٤"], "a PIN has 4 to 8 digits"),
    (["--dir", "x", "--trouble", "pin-again"], "this SIM has no PIN"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_wrong_usage_of_the_module(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_wrong_usage_of_the_command(arguments: list[str], told: str):
    result = CliRunner().invoke(tocsin_simulate, arguments)
    assert result.exit_code == 2
    assert told in result.output


def test_the_last_ports_can_be_used():
    assert options_from(2, None, ("127.0.0.1", 65534), None, (0, 0)).count == 2


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    assert main(["--dir", str(tmp_path / "file" / "x")]) == 1
    assert capsys.readouterr().err.startswith("the modems cannot be plugged in: Not a directory: ")
    result = CliRunner().invoke(tocsin_simulate, ["--dir", str(tmp_path / "file" / "x")])
    assert result.exit_code == 1


def test_help_tells_how_a_message_arrives():
    result = CliRunner().invoke(tocsin_simulate, ["--help"])
    assert "echo 'modem0 +33612345678 Hello' > DIR/control" in result.output
    assert "tocsin simulate --count 2" in result.output


@pytest.mark.parametrize("program", ["module", "command"])
def test_the_sims_want_the_pin(tmp_path: Path, program: str):
    start = [sys.executable, "-m", "drivers.sim"] if program == "module" else [TOCSIN, "simulate"]
    words = tmp_path / "words"
    rest = ["--dir", str(tmp_path), "--pin", "4711", "--trouble", "pin-again@50m"]
    with running([*start, *rest], words):
        eventually_sync(lambda: words.read_text() == f"ready {tmp_path}/modem0\n", timeout=30)
        with serial.Serial(str(tmp_path / "modem0"), timeout=10) as port:
            for command, told in (
                ("AT+CPIN?", b"+CPIN: SIM PIN"),
                ('AT+CPIN="1234"', b"ERROR"),
                ('AT+CPIN="4711"', b"OK"),
                ("AT+CPIN?", b"+CPIN: READY"),
            ):
                port.write(f"{command}\r".encode())
                assert told in port.read_until(told)


def test_as_a_program(tmp_path: Path):
    words = tmp_path / "words"
    with words.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "drivers.sim", "--dir", str(tmp_path)], stdout=output)
        eventually_sync(lambda: words.read_text() == f"ready {tmp_path}/modem0\n", timeout=10)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert files_in(tmp_path) == ["words"]
