"""Calls that come in, and codes that the network answers."""

from __future__ import annotations

import pytest
from support.waiting import eventually

from drivers.sim import SIM_PROFILES, VARIANTS
from drivers.sim.ussd import packed
from drivers.tpdu.gsm7 import DEFAULT
from drivers.tpdu.septets import unpack

CALLER = "+33612345678"
USSD = {"#123#": "Solde: 4.20 @", "#124#": "Żółć", "*100#": "x" * 7}

#: By family: what the first ring says with +CLIP=1, then what a rejected call adds, and a lost one.
HEARD = {
    "generic": (["RING", f'+CLIP: "{CALLER}",145,,,,0'], [], ["NO CARRIER"]),
    "huawei": (
        ["RING", f'+CLIP: "{CALLER}",145,,,,0'],
        ["^CEND:1,0,104,21"],
        ["^CEND:1,0,104,31", "NO CARRIER"],
    ),
    "zte": (["RING", f'+CLIP: "{CALLER}",145,,,,0'], [], ["+ZEND", "NO CARRIER"]),
    "simcom": (["RING", f'+CLIP: "{CALLER}",145,"",0,"",0'], [], ["NO CARRIER"]),
    "telit": (["RING", f'+CLIP: "{CALLER}",145,"",128,"",0'], [], ["NO CARRIER"]),
    "ublox": (
        ["+UCALLSTAT: 1,4", "RING", f'+CLIP: "{CALLER}",145,,,,0'],
        ["+UCALLSTAT: 1,6"],
        ["+UCALLSTAT: 1,6", "NO CARRIER"],
    ),
    "wavecom": (
        ["RING", f'+CLIP: "{CALLER}",145,,,,0'],
        ["+WIND: 6,1"],
        ["NO CARRIER", "+WIND: 6,1"],
    ),
    "sim7600": (
        ["RING", f'+CLIP: "{CALLER}",145,,,,0'],
        [],
        ["VOICE CALL: END: 000000", f"MISSED_CALL: 10:00AM {CALLER}"],
    ),
}


async def started(terminal_for, **settings: object):
    terminal = terminal_for(**{"start_seconds": 0, "chatter_every": 0, **settings})
    await eventually(lambda: terminal.modem.station.start_up.over)
    terminal.heard()
    return terminal


@pytest.mark.parametrize("profile", HEARD)
@pytest.mark.parametrize("command", ["ATH", "AT+CHUP"])
async def test_a_call_rings_and_is_rejected(terminal_for, profile: str, command: str):
    terminal = await started(terminal_for, profile=profile)
    terminal.command("AT+CLIP=1")
    assert terminal.modem.call(CALLER)
    ring, rejected, _lost = HEARD[profile]
    assert terminal.heard() == ring
    assert not terminal.modem.call("+33600000000"), "the line is busy"
    assert terminal.say(f"{command}\r") == [*rejected, "OK"]
    assert not terminal.modem.station.call.ringing
    assert terminal.say(f"{command}\r") == ["OK"], "and there is no call any more"


@pytest.mark.parametrize("profile", HEARD)
async def test_a_caller_gives_up(terminal_for, profile: str):
    terminal = await started(terminal_for, profile=profile, ring_every=0.005, call_seconds=0.05)
    terminal.command("AT+CLIP=1")
    terminal.modem.call(CALLER)
    said: list[str] = []
    ring, _rejected, lost = HEARD[profile]
    await eventually(lambda: said.extend(terminal.heard()) or said[-len(lost) :] == lost)
    assert said[: 2 * len(ring)] == ring * 2


async def test_what_is_told_of_a_call_is_chosen(terminal_for):
    terminal = await started(terminal_for)
    terminal.modem.call(CALLER)
    assert terminal.heard() == ["RING"]
    terminal.command("ATH")
    terminal.command("AT+CRC=1;+CLIP=1")
    terminal.modem.call(None)
    assert terminal.heard() == ["+CRING: VOICE", '+CLIP: "",128,,,,0']
    terminal.modem.station.call.lose()
    terminal.modem.call("0612345678")
    assert '+CLIP: "0612345678",129,,,,0' in terminal.heard()
    terminal.command("AT+CHUP")
    answers = ["+CLIP: 1,1", "+CLIP: (0,1)", "+CRC: 1", "+CRC: (0,1)", "+CUSD: 0", "+CUSD: (0-2)"]
    assert terminal.command("AT+CLIP?;+CLIP=?;+CRC?;+CRC=?;+CUSD?;+CUSD=?;+CHUP=?") == answers


async def test_nobody_reaches_a_modem_without_service(terminal_for):
    terminal = await started(terminal_for)
    terminal.modem.call(CALLER)
    terminal.command("AT+CFUN=4")
    assert not terminal.modem.station.call.ringing, "the radio carried it"
    assert not terminal.modem.call(CALLER)


@pytest.mark.parametrize("profile", [*SIM_PROFILES, *VARIANTS])
async def test_the_network_answers_a_code(terminal_for, profile: str):
    terminal = await started(terminal_for, profile=profile, ussd=USSD, ussd_seconds=0.001)
    terminal.command("AT+CFUN=1" if profile == "dwm157" else "AT")
    for code in ("#123#", "#124#", "*100#", "#999#"):
        text = USSD.get(code)
        typed = packed(DEFAULT.encode(code)).hex().upper() if profile == "huawei" else code
        assert terminal.say(f'AT+CUSD=1,"{typed}",15\r') == ["OK"]
        said: list[str] = []
        await eventually(lambda said=said: said.extend(terminal.heard()) or said)
        assert said == [written(profile, text)]


def written(profile: str, text: str | None) -> str:
    if text is None:
        return "+CUSD: 2" if profile == "huawei" else "+CUSD: 4"
    spaced = profile in ("simcom", "sim7600", "a7670", "sim7000")
    if text == "Żółć" or profile == "zte":
        shown, scheme = text.encode("utf-16-be").hex().upper(), 72
    elif profile == "huawei":
        shown, scheme = packed(DEFAULT.encode(text)).hex().upper(), 15
    else:
        shown, scheme = text.replace("@", "\0") if profile == "telit" else text, 15
    return f'+CUSD: 0, "{shown}", {scheme}' if spaced else f'+CUSD: 0,"{shown}",{scheme}'


def test_seven_characters_are_filled_up():
    """23.038, 6.1.2.3.1: the seven bits that are left would read as `@`."""
    assert packed(b"1234567").hex() == "31d98c56b3dd1a"
    assert unpack(packed(b"1234567"), 8) == b"1234567\r"
    assert packed(b"12345678") == bytes.fromhex("31d98c56b3dd70")
    assert packed(b"x" * 9)[:7] == packed(b"x" * 8)


def test_a_code_as_it_is_typed_at_a_stick():
    """AT+CUSD=1,"AA188D3602",15 is *144# (mybroadband.co.za, thread 361998)."""
    assert packed(DEFAULT.encode("*144#")).hex().upper() == "AA188D3602"


async def test_a_code_in_the_terminals_set(terminal_for):
    terminal = await started(terminal_for, ussd=USSD, ussd_seconds=0.001)
    terminal.command('AT+CSCS="UCS2"')
    terminal.command('AT+CUSD=1,"00230031003200330023",15')
    said: list[str] = []
    await eventually(lambda: said.extend(terminal.heard()) or said)
    assert said == [f'+CUSD: 0,"{USSD["#123#"].encode("utf-16-be").hex().upper()}",15']


async def test_codes_that_cannot_be_sent(terminal_for):
    terminal = await started(terminal_for, profile="huawei", ussd=USSD)
    terminal.command("AT+CMEE=1")
    assert terminal.say('AT+CUSD=1,"#123#",15\r') == ["+CME ERROR: 50"], "this family takes packed octets alone"
    terminal.command("AT+CFUN=4")
    assert terminal.say('AT+CUSD=1,"A3986C3602",15\r') == ["+CME ERROR: 30"]


async def test_a_dialogue_can_be_ended_or_left_unshown(terminal_for):
    terminal = await started(terminal_for, ussd=USSD, ussd_seconds=0)
    terminal.command('AT+CUSD=1,"#123#",15')
    terminal.command("AT+CUSD=2")
    terminal.command('AT+CUSD=0,"#123#",15')
    terminal.command('AT+CUSD=1,"#124#",15')
    said: list[str] = []
    await eventually(lambda: said.extend(terminal.heard()) or said)
    assert len(said) == 1
    assert said[0].endswith(",72")
