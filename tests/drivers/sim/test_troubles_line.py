"""Troubles of the line as a terminal sees them: silence, unsolicited lines, noise, pace, and a port that vanishes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.terminal import TPDU, Terminal, happened
from support.waiting import eventually

from drivers.sim import SIM_PROFILES
from drivers.sim.troubles.ports import STEPS, Step

ANSWER = b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"


async def test_silence_for_a_while(terminal: Terminal):
    terminal.modem.trouble("silence", lasting=0.02)
    assert terminal.say("AT+CMEE=2\r", "AT\r") == []
    await eventually(lambda: not terminal.modem.troubles.on)
    assert terminal.command("AT+CMEE?") == ["+CMEE: 0"]


async def test_silence_that_obeys_all_the_same(terminal: Terminal):
    trouble = terminal.modem.trouble("silence", lasting=0, deaf=False)
    assert terminal.submit(TPDU) == []
    assert len(terminal.modem.submissions) == 1
    terminal.modem.troubles.end(trouble)
    assert terminal.heard() == []
    assert terminal.command("AT+CSQ") == ["+CSQ: 21,99"]


async def test_silence_until_the_port_is_opened_again(terminal: Terminal):
    terminal.modem.trouble("silence", lasting=0, until="reopen")
    assert terminal.say("AT\r") == []
    terminal.attach()
    assert terminal.command("AT") == []


@pytest.mark.parametrize("reset", ["AT+CFUN=1,1\r", "AT^RESET\r", "AT#REBOOT\r"])
async def test_silence_until_a_reset(terminal_for: Callable[..., Terminal], reset: str):
    terminal = terminal_for(restart_seconds=0.001)
    terminal.command("AT+CMEE=2")
    terminal.modem.trouble("silence", lasting=0, until="reset")
    assert terminal.say("AT\r", "AT+CFUN?\r" * 9, reset) == []
    await eventually(lambda: terminal.say("AT+CMEE?\r") == ["+CMEE: 0", "OK"])


async def test_a_storm_between_the_blocks_of_answers(terminal: Terminal):
    terminal.modem.trouble("urc-storm", lines=2, typing=False, urc=("^A", "^B"))
    assert terminal.say("AT+CSQ\r") == ["^A", "^B", "+CSQ: 21,99", "^A", "^B", "OK", "^A", "^B"]
    assert terminal.submit(TPDU) == ["^A", "^B", "> ", "^A", "^B", "+CMGS: 0", "^A", "^B", "OK", "^A", "^B"]


async def test_a_storm_while_something_is_typed(terminal: Terminal):
    terminal.modem.trouble("urc-storm", urc=("^A",))
    said = terminal.submit(TPDU)
    assert said.count("^A") > 2 * len(TPDU)
    assert set(said) == {"^A", "> ", "+CMGS: 0", "OK"}
    assert len(terminal.modem.submissions) == 1


async def test_a_storm_between_lines_and_between_octets(terminal: Terminal):
    trouble = terminal.modem.trouble("urc-storm", typing=False, urc=("^A",), between="lines")
    terminal.modem.inject_sms("+33612345678", "Hello")
    said = terminal.say("AT+CMGL=4\r")
    header = next(at for at, line in enumerate(said) if line.startswith("+CMGL:"))
    assert said[header + 1] == "^A"
    terminal.modem.troubles.end(trouble)
    terminal.modem.trouble("urc-storm", typing=False, urc=("^A",), between="octets")
    terminal.say()
    terminal.modem.receive_data(b"AT+CSQ\r")
    said = terminal.octets()
    assert said.replace(b"\r\n^A\r\n", b"") == ANSWER
    assert said.count(b"^A") == len(ANSWER) + 1


@pytest.mark.parametrize("on", [True, False])
async def test_an_echo_that_does_not_obey(terminal: Terminal, on: bool):
    trouble = terminal.modem.trouble("echo", on=on)
    for command in (b"ATE0\r", b"ATE1\r"):
        terminal.modem.receive_data(command)
        assert terminal.octets() == (command if on else b"") + b"\r\nOK\r\n"
    terminal.modem.receive_data(b"ATE0\r" if on else b"ATE1\r")
    terminal.modem.troubles.end(trouble)
    terminal.octets()
    terminal.modem.receive_data(b"AT\r")
    assert terminal.octets() == (b"" if on else b"AT\r") + b"\r\nOK\r\n"


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("cr", ANSWER.replace(b"\n", b"")),
        ("lf", ANSWER.replace(b"\r", b"")),
        ("doubled", ANSWER.replace(b"\r\n", b"\r\n\r\n")),
        ("nul", ANSWER.replace(b"\r\n", b"\0\r\n\0")),
        ("repeated", b"\r\n+CSQ: 21,99\r\n" + ANSWER),
        ("bare-prompt", ANSWER),
    ],
)
async def test_line_ends(terminal: Terminal, style: str, said: bytes):
    terminal.modem.trouble("line-ends", style=style)
    terminal.modem.receive_data(b"AT+CSQ\r")
    assert terminal.octets() == said
    terminal.modem.receive_data(b"AT+CMGS=20\r")
    assert terminal.octets().endswith(b">" if style == "bare-prompt" else b"> ")


async def test_noise_has_no_line_end_and_comes_to_an_end(terminal: Terminal):
    terminal.modem.trouble("noise", octets=300_000, rate=100_000_000, seed=3)
    await eventually(lambda: not terminal.modem.troubles.on)
    noise = terminal.octets()
    assert len(noise) == 300_000
    assert not re.search(rb"[\r\n]", noise)
    assert len(set(noise)) == 254
    assert terminal.command("AT") == []


async def test_the_same_seed_makes_the_same_noise(terminal: Terminal):
    heard = []
    for seed in (1, 1, 2):
        terminal.modem.trouble("noise", octets=100, seed=seed)
        await eventually(lambda: not terminal.modem.troubles.on)
        heard.append(terminal.octets())
    assert heard[0] == heard[1] != heard[2]


async def test_octets_come_one_by_one(terminal: Terminal):
    writes = []
    terminal.modem.attach(writes.append)
    terminal.modem.trouble("slow", every=0.001)
    terminal.modem.receive_data(b"AT+CSQ\r")
    assert writes == []
    await eventually(lambda: b"".join(writes) == ANSWER)
    assert len(writes) == len(ANSWER)


async def test_answers_come_all_in_one(terminal: Terminal):
    writes = []
    terminal.modem.attach(writes.append)
    trouble = terminal.modem.trouble("burst", gather=0.01)
    terminal.modem.receive_data(b"AT+CSQ\r")
    terminal.modem.receive_data(b"AT+CSQ\r")
    await eventually(lambda: writes)
    assert writes == [ANSWER * 2]
    terminal.modem.receive_data(b"AT+CSQ\r")
    terminal.modem.troubles.end(trouble)
    assert writes == [ANSWER * 2, ANSWER]


async def test_what_was_held_back_is_not_told_to_the_next_terminal(terminal: Terminal):
    terminal.modem.trouble("slow", every=0.001)
    terminal.modem.receive_data(b"AT+CSQ\r")
    terminal.attach()
    terminal.modem.troubles.end_all()
    assert terminal.octets() == b""


LEAVES = {Step.END: (True, False), Step.ANSWER: (True,)}


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("latency", [0.0, 0.01])
@pytest.mark.parametrize(("step", "left"), [(step, left) for step in STEPS for left in LEAVES.get(step, (False,))])
async def test_the_port_vanishes_at_a_step(
    terminal_for: Callable[..., Terminal], step: str, *, left: bool, latency: float, power: bool
):
    terminal = terminal_for(latency=latency)
    terminal.command("AT+CMEE=2")
    modem = terminal.modem
    modem.trouble("unplug", step=step, left=left, power=power, away=0.01)
    said = terminal.submit(TPDU)
    await eventually(lambda: not modem.plugged or len(modem.troubles.history) == 3)
    await eventually(lambda: modem.plugged)
    assert said in ([], ["> "])
    assert bool(said) is (step not in (Step.NOW, Step.COMMAND))
    assert terminal.heard() == []
    assert len(modem.submissions) == left
    note = "struck" if step == Step.NOW else "left" if left else "not left"
    assert happened(modem) == ["began", note, "ended"]
    terminal.attach()
    terminal.say("\x1b")
    assert terminal.command("AT+CMEE?") == ["+CMEE: 0" if power else "+CMEE: 2"]
    assert len(modem.submissions) == left


async def test_an_octet_of_the_pdu(terminal: Terminal):
    terminal.modem.trouble("unplug", step="octet", octet=5, away=0)
    terminal.say(f"AT+CMGS={len(TPDU)}\r", "0011")
    assert terminal.modem.plugged
    terminal.say("0")
    assert not terminal.modem.plugged
    await eventually(lambda: terminal.modem.plugged)


@pytest.mark.parametrize(("step", "left"), [(step, left) for step in STEPS for left in LEAVES.get(step, (False,))])
@pytest.mark.parametrize("text_mode", [False, True])
async def test_a_reboot_at_a_step(terminal_for: Callable[..., Terminal], step: str, *, left: bool, text_mode: bool):
    terminal = terminal_for(pin="1234")
    terminal.command('AT+CPIN="1234";+CMEE=2')
    modem = terminal.modem
    modem.trouble("reboot", step=step, left=left, text_mode=text_mode, away=0.01, lines=("RDY", "+CPIN: {pin}"))
    said = terminal.submit(TPDU)
    assert said in ([], ["> "])
    assert terminal.say("AT\r") == []
    await eventually(lambda: not modem.troubles.on)
    assert terminal.heard() == ["RDY", "+CPIN: SIM PIN"]
    assert len(modem.submissions) == left
    assert terminal.command("AT+CMEE?;+CMGF?") == ["+CMEE: 0", f"+CMGF: {int(text_mode)}"]
    assert terminal.say("AT+CMGS=20\r") == ["+CMS ERROR: 311"]


@pytest.mark.parametrize("family", [name for name, profile in SIM_PROFILES.items() if profile.boot])
async def test_a_reboot_says_what_the_family_says(terminal_for: Callable[..., Terminal], family: str):
    terminal = terminal_for(profile=family, chatter_every=0)
    terminal.heard()
    terminal.modem.trouble("reboot", away=0.01)
    await eventually(lambda: not terminal.modem.troubles.on)
    assert terminal.heard()[: len(SIM_PROFILES[family].boot)] == list(SIM_PROFILES[family].boot)


async def test_a_reboot_forgets_what_it_was_about_to_answer(terminal_for: Callable[..., Terminal]):
    terminal = terminal_for(latency=0.01)
    terminal.submit(TPDU)
    terminal.modem.trouble("reboot", away=0.03, lines=("^SYSSTART",))
    await eventually(lambda: not terminal.modem.troubles.on)
    assert terminal.heard() == ["^SYSSTART"]
    assert terminal.modem.submissions == ()


async def test_ended_early_the_port_is_back(terminal: Terminal):
    trouble = terminal.modem.trouble("unplug", away=60)
    terminal.modem.troubles.end(trouble)
    assert terminal.modem.plugged
    assert happened(terminal.modem) == ["began", "struck", "ended"]
