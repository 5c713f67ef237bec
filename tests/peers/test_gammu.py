"""gammu, a client of twenty years of phones, on simulated modems: identify, send, read."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from support.peers import program
from support.simulation import PATIENCE_S, Modem, running

pytestmark = pytest.mark.peer("gammu")

NUMBER = "+33612345678"
SHORT = "Hello, it is {10:30} & 5€"
LONG = "A long text, part after part. " * 11 + "End"
UNICODE = "Żółć 你好 😀"


@pytest.fixture(scope="module")
def said(modems: list[Modem], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What gammu said in each run. It mostly sleeps, so the runs are done side by side, each on a modem of its own."""
    folder = tmp_path_factory.mktemp("gammu")
    for sender, text in ((NUMBER, SHORT), (NUMBER, LONG), ("Clinic", UNICODE)):
        modems[4].arrive(sender, text)
    commands = {
        "identify": ["identify"],
        "short": ["sendsms", "TEXT", NUMBER, "-text", SHORT],
        "long": ["sendsms", "TEXT", NUMBER, "-autolen", "1000", "-text", LONG],
        "unicode": ["sendsms", "TEXT", NUMBER, "-unicode", "-text", UNICODE],
        "read": ["geteachsms"],
    }
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(running([*gammu_on(modem, folder), *words], folder / f"{name}.log"))
            for modem, (name, words) in zip(modems, commands.items(), strict=False)
        ]
        for process in processes:
            process.wait(PATIENCE_S)
    return {name: (folder / f"{name}.log").read_text() for name in commands}


def gammu_on(modem: Modem, folder: Path) -> list[str]:
    """The command line of gammu for one modem."""
    settings = folder / f"{modem.name}.conf"
    settings.write_text(f"[gammu]\ndevice = {modem.device}\nconnection = at\n")
    return [program("gammu") or "gammu", "-c", str(settings)]


def test_identify(said: dict[str, str]):
    lines = {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in said["identify"].splitlines())
    }
    assert lines["Manufacturer"] == "Tocsin"
    assert lines["IMEI"] == "350000000000014"
    assert lines["SIM IMSI"] == "208990000000001"


@pytest.mark.parametrize(("run", "index", "text"), [("short", 1, SHORT), ("long", 2, LONG), ("unicode", 3, UNICODE)])
def test_what_it_sends_is_on_the_air(said: dict[str, str], modems: list[Modem], run: str, index: int, text: str):
    assert "OK, message reference=" in said[run], said[run]
    assert modems[index].texts_sent() == {text}
    assert {submit.tp_da.text for submit in modems[index].submits()} == {NUMBER}


def test_a_long_text_goes_in_parts(said: dict[str, str], modems: list[Modem]):
    assert "OK" in said["long"]
    concatenations = [submit.tp_ud.concatenation for submit in modems[2].submits()]
    assert [(one.sequence, one.total) for one in concatenations if one] == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("text", [SHORT, LONG, UNICODE])
def test_it_reads_what_arrived(said: dict[str, str], text: str):
    assert text in said["read"].splitlines()


def test_reading_tells_number_and_name_of_the_senders(said: dict[str, str]):
    assert f'"{NUMBER}"' in said["read"]
    assert '"Clinic"' in said["read"]
    assert "5 SMS parts in 3 SMS sequences" in said["read"]
