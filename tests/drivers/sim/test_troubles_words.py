"""Troubles as words: specifications, the two command lines, and lines of the control pipe."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.waiting import eventually

from drivers.sim import TROUBLES, Simulation, SimulationOptions, parse_trouble
from drivers.sim.command_line import main, options_from
from drivers.sim.durations import duration_text, seconds
from drivers.sim.troubles import make_trouble
from drivers.sim.troubles.options import options_of
from gateway.cli.simulate import simulate as tocsin_simulate


@pytest.mark.parametrize(
    ("words", "options", "when"),
    [
        ("lies", {}, 0),
        ("silence:for=20s@30s", {"lasting": 20.0}, 30),
        ("unplug:step=before-end,for=1.5s,link=modem7", {"step": "before-end", "away": 1.5, "link": "modem7"}, 0),
        ("random:seed=7,every=20s", {"seed": 7, "every": 20.0}, 0),
        ("random:only=lies|echo@2m", {"only": ("lies", "echo")}, 120),
        ("noise:octets=100MB", {"octets": 100_000_000}, 0),
        ("reboot:text-mode=yes,lines=A|B", {"text_mode": True, "lines": ("A", "B")}, 0),
        ("reboot:lines=+CPIN: {pin}", {"lines": ("+CPIN: {pin}",)}, 0),
    ],
)
def test_specifications(words: str, options: dict[str, object], when: float):
    spec = parse_trouble(words)
    assert (spec.name, spec.options, spec.when) == (words.partition(":")[0].partition("@")[0], options, when)
    assert make_trouble(spec.name, spec.options).words() == words.rpartition("@")[0] or words


WRONG = [
    ("", "there is no trouble ''"),
    ("silense", "did you mean silence?"),
    ("xyzzy:for=1s", "there is no trouble 'xyzzy'"),
    ("silence:", "'' is no option such as key=value"),
    ("silence:20s", "'20s' is no option such as key=value"),
    ("silence:far=20s", "silence has no option 'far', but for, deaf, until"),
    ("silence:for=20", "silence: for: '20' is no duration"),
    ("silence:deaf=maybe", "silence: deaf: 'maybe' is neither yes nor no"),
    ("silence:until=dawn", "'dawn' is none of time, reopen, reset"),
    ("silence@soon", "'soon' is no duration"),
    ("silence@", "'' is no duration"),
    ("cms-error:code=many", "'many' is no number from 0 to 9999"),
    ("unplug:octet=0", "'0' is no number from 1 to 999"),
    ("noise:octets=1GB", "'1GB' is no number of octets"),
    ("noise:octets=999999MB", "is no number of octets"),
    ("pin-again", "this SIM has no PIN"),
    ("random:only=nothing", "there is no trouble nothing"),
    ("random:every=0", "must be more than 0"),
]


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_wrong_usage_of_the_command(words: str, told: str):
    result = CliRunner().invoke(tocsin_simulate, ["--dir", "x", "--trouble", words])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_wrong_usage_of_the_module(words: str, told: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--dir", "x", "--trouble", words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_every_trouble_is_listed_with_its_options(capsys: pytest.CaptureFixture[str]):
    listed = CliRunner().invoke(tocsin_simulate, ["--list-troubles"])
    assert listed.exit_code == 0
    assert main(["--list-troubles"]) == 0
    assert capsys.readouterr().out == listed.output
    helped = CliRunner().invoke(tocsin_simulate, ["--help"]).output
    for name, kind in TROUBLES.items():
        assert kind.__doc__
        assert f"\n    {name} " in helped
        assert f"{name}: {kind.__doc__}" in listed.output
        for one in options_of(kind).values():
            assert f"    {one.word}={one.kind.what}" in listed.output
            assert one.meaning


def test_one_seed_for_those_that_have_none():
    specs = [parse_trouble(words) for words in ("random", "random:seed=3", "noise", "lies")]
    options = options_from(1, None, ("127.0.0.1", 0), None, (0, 0), troubles=specs, seed=9)
    assert [spec.options.get("seed") for spec in options.troubles] == [9, 3, 9, None]
    options = options_from(1, None, ("127.0.0.1", 0), None, (0, 0), troubles=specs)
    assert [spec.options.get("seed") for spec in options.troubles] == [None, 3, None, None]


@pytest.mark.parametrize("value", [0, 0.002, 0.05, 0.999, 1, 1.5, 20, 121, 3600])
def test_durations_are_written_as_they_are_read(value: float):
    assert seconds(duration_text(value)) == value


async def test_troubles_of_the_command_line_begin_on_every_modem(tmp_path: Path):
    said: list[str] = []
    troubles = tuple(map(parse_trouble, ("lies", "silence:for=10ms@10ms", "echo@20s")))
    simulation = Simulation(SimulationOptions(2, tmp_path, troubles=troubles), said.append)
    await simulation.open()
    for modem in simulation.modems:
        assert [trouble.name for trouble in modem.troubles.on] == ["lies"]
    await eventually(lambda: len(said) == 6)
    await simulation.close()
    for name in ("modem0", "modem1"):
        assert [line for line in said if line.startswith(name)] == [
            f"{name}: trouble lies began",
            f"{name}: trouble silence:for=10ms began",
            f"{name}: trouble silence:for=10ms ended",
            f"{name}: trouble lies ended",
        ]
    assert not [one for one in asyncio.get_running_loop()._scheduled if not one.cancelled()]  # type: ignore[attr-defined]


async def test_troubles_by_the_control_pipe(tmp_path: Path):
    said: list[str] = []
    simulation = Simulation(SimulationOptions(1, tmp_path), said.append)
    await simulation.open()
    modem, link = simulation.modems[0], tmp_path / "modem0"

    async def write(line: str, lines: int) -> list[str]:
        """What is said of it, once there are so many lines."""
        said.clear()
        with (tmp_path / "control").open("w") as pipe:
            pipe.write(line + "\n")
        await eventually(lambda: len(said) >= lines)
        return list(said)

    assert await write("modem0 trouble bare-ok:left=no", 1) == ["modem0: trouble bare-ok:left=no began"]
    assert await write("modem0 trouble off", 1) == ["modem0: trouble bare-ok:left=no ended"]
    assert await write("modem0 trouble cnmi-reset", 2) == [
        "modem0: trouble cnmi-reset began",
        "modem0: trouble cnmi-reset ended",
    ]
    assert await write("modem0 unplug 10ms", 3) == [
        "modem0: trouble unplug:for=10ms began",
        "modem0: trouble unplug:for=10ms struck",
        "modem0: trouble unplug:for=10ms ended",
    ]
    assert modem.plugged
    await write("modem0 unplug", 0)
    await eventually(lambda: not link.is_symlink())
    await write("modem0 plug modem9", 0)
    await eventually((tmp_path / "modem9").is_symlink)
    assert await write("modem0 unplug 5", 2) == [
        "modem0: trouble unplug:for=5s began",
        "modem0: trouble unplug:for=5s struck",
    ]
    await write("modem0 plug modem0", 0)
    await eventually(link.is_symlink)
    assert await write("modem0 trouble off", 1) == ["modem0: trouble unplug:for=5s ended"]
    for line, complaint in (
        ("modem0 trouble", "control: MODEM trouble SPEC|off: there is no trouble ''"),
        ("modem0 trouble pin-again", "control: MODEM trouble SPEC|off: pin-again: this SIM has no PIN"),
        ("modem0 unplug soon", "control: MODEM unplug [SECONDS]: 'soon' is no duration such as 200ms, 3s or 2m"),
    ):
        assert await write(line, 1) == [complaint]
    await write("modem0 unplug", 0)
    await eventually(lambda: not modem.plugged)
    assert "is no name for a port" in (await write("modem0 plug ../x", 1))[0]
    assert await write("modem0 plug control", 1) == ["control: MODEM plug [NAME]: File exists"]
    await simulation.close()
