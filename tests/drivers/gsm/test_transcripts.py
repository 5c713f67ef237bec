"""M25: recorded dialogues are played to the parser and the driver, and nothing else comes of them than before.

What is frozen, and how it is frozen anew, is said in `support.replay`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.replay import FROZEN, drive, names, parse, replay, transcript
from support.replay_lines import Replaying

from drivers.sim.profiles import SIM_PROFILES
from drivers.trace.records import parse_trace

EXPECTED = json.loads(FROZEN.read_text("utf-8"))
AGAIN = "if the driver is right: PYTHONPATH=.:tests .venv/bin/python -m support.replay, and read the difference"


@pytest.mark.parametrize("name", [*names("real"), *names("sim")])
def test_the_parser_makes_the_same_of_a_dialogue(name: str) -> None:
    assert parse(transcript(name)).events == EXPECTED[name]["parsed"], AGAIN


@pytest.mark.parametrize("name", names("real"))
async def test_the_driver_makes_the_same_of_a_real_modems_words(name: str) -> None:
    assert await drive(parse(transcript(name))) == EXPECTED[name]["driver"], AGAIN


@pytest.mark.parametrize("name", names("sim"))
async def test_the_driver_says_and_tells_the_same_on_its_own_trace(name: str) -> None:
    assert await replay(transcript(name)) == EXPECTED[name]["driver"], AGAIN


def test_every_family_and_many_real_modems_are_there(tell: Callable[[str], None]) -> None:
    assert names("sim") == [f"sim-{name}" for name in sorted(SIM_PROFILES)]
    real = names("real")
    assert len(real) >= 8
    for name in real:
        notes = [record.text for record in transcript(name) if record.direction == "#"]
        assert any(note.startswith("source: https://") for note in notes), name
    assert set(EXPECTED) == {*names("sim"), *real}
    events = sum(len(frozen["parsed"]) for frozen in EXPECTED.values())
    tell(f"M25: {len(real)} real and {len(SIM_PROFILES)} simulated modems, {events} events of the parser frozen")


class Heard:
    """A receiver that keeps everything."""

    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data

    def transport_lost(self, error: Exception) -> None:
        raise AssertionError(error)


TRACE = """\
> AT<CR>
< <CR><LF>OK<CR><LF>
# any order
> AT+CSQ<CR>
< <CR><LF>+CSQ: 21,99<CR><LF><CR><LF>OK<CR><LF>
> AT+CREG?<CR>
< <CR><LF>+CREG: 0,1<CR><LF><CR><LF>OK<CR><LF>
# in order
> AT+COPS?<CR>
"""


async def test_a_replay_takes_the_commands_of_the_trace_and_no_others() -> None:
    line = Replaying(parse_trace(TRACE))
    await line.open(Heard())
    await line.write(b"A")
    await line.write(b"T\r")
    assert not line.problem
    await line.write(b"AT+COPS?\r")
    assert "AT+COPS?" in line.problem


async def test_where_it_is_allowed_in_any_order() -> None:
    line, heard = Replaying(parse_trace(TRACE)), Heard()
    await line.open(heard)
    for command in (b"AT\r", b"AT+CREG?\r", b"AT+CSQ\r", b"AT+COPS?\r"):
        await line.write(command)
    assert not line.problem
    assert not line.due
    assert heard.data.index(b"+CREG") < heard.data.index(b"+CSQ")
