"""A SIM that is taken out, put back, or put into another modem."""

from __future__ import annotations

import pytest
from support.waiting import eventually

from drivers.sim import SIM_PROFILES
from drivers.tpdu import Address, SmsStatusReport, SmsSubmit, UserData

SENDER, OTHER = "+33612345678", "+33639981009"
NEW = "8933990000000000991"


def reference_of(answer: list[str]) -> int:
    return int(answer[1].removeprefix("+CMGS: "))


def test_without_a_sim_nothing_about_it_is_answered(terminal):
    terminal.command("AT+CMEE=1;+CREG=1")
    terminal.modem.remove_sim()
    assert terminal.heard() == ["+CREG: 0"]
    for line in ("AT+CPIN?", "AT+CCID", "AT^ICCID?", "AT+CPINR", "AT+CIMI", "AT+COPS?", 'AT+CPIN="1234"'):
        assert terminal.say(f"{line}\r") == ["+CME ERROR: 10"], line
    for line in ("AT+CMGL=4", "AT+CPMS?", "AT+CNMI?", "AT+CMGR=1"):
        assert terminal.say(f"{line}\r") == ["+CMS ERROR: 310"], line
    assert terminal.command("AT+CGSN;+CSQ;+CMGF=0") == ["350000000000010", "+CSQ: 99,99"]
    with pytest.raises(ValueError, match="no SIM"):
        terminal.modem.remove_sim()


def test_the_same_sim_comes_back_with_its_messages_and_tries(terminal_for):
    terminal = terminal_for(pin="1234")
    terminal.command('AT+CPIN="1234"')
    terminal.modem.inject_sms(SENDER, "kept")
    terminal.modem.remove_sim()
    terminal.modem.inject_sms(SENDER, "waits")
    assert terminal.modem.waiting == 1
    terminal.modem.insert_sim()
    assert terminal.command("AT+CPIN?") == ["+CPIN: SIM PIN"]
    terminal.say('AT+CPIN="0000"\r')
    terminal.modem.remove_sim()
    terminal.modem.insert_sim()
    assert terminal.command("AT+CPINR")[0] == "+CPINR: SIM PIN,2,3"
    terminal.command('AT+CPIN="1234"')
    assert len(terminal.command("AT+CMGL=4")) == 4
    assert terminal.modem.waiting == 0
    with pytest.raises(ValueError, match="already"):
        terminal.modem.insert_sim()


async def test_two_modems_swap_their_sims(terminal_for):
    one = terminal_for(name="one", sm_capacity=5)
    two = terminal_for(name="two", number=OTHER, iccid=NEW, profile="huawei", chatter_every=0)
    tpdu = SmsSubmit(tp_da=Address.from_text(SENDER), tp_ud=UserData(text="x"), tp_srr=True).to_bytes()
    assert [reference_of(one.submit(tpdu)) for _ in range(2)] == [0, 1]
    one.modem.inject_sms(SENDER, "in one")
    for modem in (one.modem, two.modem):
        modem.remove_sim()
    one.modem.insert_sim(NEW)
    two.modem.insert_sim("8933990000000000017")
    assert one.command("AT+CCID;+CNUM;+CPMS?")[:2] == [f"+CCID: {NEW}", f'+CNUM: "","{OTHER}",145']
    await eventually(lambda: two.modem.station.start_up.over)
    two.heard()
    assert two.command("AT^ICCID?") == ["^ICCID: 8933990000000000017"]
    assert two.command("AT+CMGL=4")[0].startswith("+CMGL: 0,"), "its slots are counted as this modem counts"
    assert reference_of(two.submit(tpdu)) == 2, "TP-MR goes with the SIM"
    two.command("AT+CNMI=2,1,0,1,0")
    two.modem.inject_sms(SENDER, "to the number")
    assert two.heard()[0].startswith("+CMTI:")


async def test_a_report_follows_its_sim(terminal_for):
    one = terminal_for(name="one")
    two = terminal_for(name="two", number=OTHER, iccid=NEW)
    one.submit(SmsSubmit(tp_da=Address.from_text(SENDER), tp_ud=UserData(text="x"), tp_srr=True).to_bytes())
    one.modem.remove_sim()
    two.modem.remove_sim()
    two.command("AT+CMEE=1")
    two.modem.insert_sim("8933990000000000017")
    two.command("AT+CNMI=2,1,0,1,0")
    said: list[str] = []
    await eventually(lambda: said.extend(two.heard()) or len(said) == 2)
    octets = bytes.fromhex(said[1])
    assert SmsStatusReport.from_bytes(octets[1 + octets[0] :]).tp_ra.text == SENDER


def test_a_new_sim_is_empty_and_somebody_else(terminal):
    terminal.modem.inject_sms(SENDER, "old")
    terminal.modem.remove_sim()
    terminal.modem.insert_sim(NEW, pin="4321")
    terminal.command('AT+CPIN="4321"')
    assert terminal.command("AT+CCID;+CMGL=4") == [f"+CCID: {NEW}"]
    number = terminal.command("AT+CNUM")[0].split(",")[1].strip('"')
    assert number == "+33639989999"
    terminal.modem.inject_sms(SENDER, "new")
    assert len(terminal.command("AT+CMGL=4")) == 2


def test_what_cannot_be_put_in(terminal_for):
    one, two = terminal_for(name="one"), terminal_for(name="two", number=OTHER, iccid=NEW)
    one.modem.remove_sim()
    with pytest.raises(ValueError, match="another modem"):
        one.modem.insert_sim(NEW)
    with pytest.raises(ValueError, match="18 to 20 digits"):
        one.modem.insert_sim("12")
    with pytest.raises(ValueError, match="same number"):
        one.modem.insert_sim("8933990000000000777", OTHER)
    with pytest.raises(ValueError, match="another number or PIN"):
        one.modem.insert_sim(pin="1234")
    one.modem.insert_sim()
    assert two.command("AT+CCID") == [f"+CCID: {NEW}"]


#: By family: what is said when the SIM goes, and when it comes; and the command that switches it on.
NEWS = {
    "huawei": ("", ["^SIMST:255"], ["^SIMST:1"]),
    "quectel": (
        "",
        ["+CPIN: NOT READY"],
        ["+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE", "+QIND: PB DONE"],
    ),
    "telit": ("AT#QSS=1", ["#QSS: 0"], ["#QSS: 1"]),
    "cinterion": ("AT^SCKS=1", ["^SCKS: 0"], ["^SCKS: 1"]),
    "wavecom": ("", ["+WIND: 0"], ["+WIND: 1", "+WIND: 4"]),
}


@pytest.mark.parametrize("profile", NEWS)
async def test_it_is_told_as_the_family_tells_it(terminal_for, profile: str):
    switch, out, back = NEWS[profile]
    terminal = terminal_for(profile=profile, start_seconds=0.001, chatter_every=0)
    await eventually(lambda: terminal.modem.station.start_up.over)
    terminal.heard()
    if switch:
        terminal.modem.remove_sim()
        terminal.modem.insert_sim()
        assert terminal.heard() == [], "nobody asked for it"
        terminal.command(switch)
    terminal.modem.remove_sim()
    assert terminal.heard() == out
    terminal.command("AT+CMEE=1")
    absent = int(SIM_PROFILES[profile].sim_absent)
    assert terminal.say("AT+CPIN?\r") == [f"+CME ERROR: {absent}"]
    assert absent == (13 if profile == "huawei" else 10)
    terminal.modem.insert_sim()
    await eventually(lambda: terminal.modem.station.start_up.over)
    assert terminal.heard() == back


async def test_a_sim_that_is_seen_after_the_radio_was_off(terminal_for):
    terminal = terminal_for(profile="simcom", start_seconds=0.001, chatter_every=0)
    await eventually(lambda: terminal.modem.station.start_up.over)
    terminal.modem.remove_sim()
    terminal.modem.insert_sim()
    terminal.command("AT+CMEE=1")
    assert terminal.say("AT+CPIN?\r") == ["+CME ERROR: 10"]
    terminal.command("AT+CFUN=0;+CFUN=1")
    await eventually(lambda: terminal.modem.station.start_up.over)
    assert terminal.heard()[-3:] == ["+CPIN: READY", "Call Ready", "SMS Ready"]
    assert terminal.command("AT+CPIN?") == ["+CPIN: READY"]


#: By family: the command, and its answer with three tries left, with two, and with a blocked PIN.
TRIES = {
    "huawei": ("AT^CPIN?", "^CPIN: SIM PIN,,10,3,10,3", "^CPIN: SIM PIN,,10,2,10,3", "^CPIN: SIM PUK,,10,0,10,3"),
    "zte": ("AT+ZPINPUK=?", "+ZPINPUK: 3,10", "+ZPINPUK: 2,10", "+ZPINPUK: 0,10"),
    "simcom": ("AT+SPIC", "+SPIC: 3,10,3,10", "+SPIC: 2,10,3,10", "+SPIC: 0,10,3,10"),
    "quectel": ('AT+QPINC="SC"', '+QPINC: "SC",3,10', '+QPINC: "SC",2,10', '+QPINC: "SC",0,10'),
    "sierra": ("AT+CPINC?", "+CPINC: 3, 3, 10, 10", "+CPINC: 2, 3, 10, 10", "+CPINC: 0, 3, 10, 10"),
    "telit": ("AT#PCT", "#PCT: 3", "#PCT: 2", "#PCT: 10"),
    "ublox": ("AT+UPINCNT", "+UPINCNT: 3,3,10,10", "+UPINCNT: 2,3,10,10", "+UPINCNT: 0,3,10,10"),
    "cinterion": ("AT^SPIC", "^SPIC: 3", "^SPIC: 2", "^SPIC: 10"),
    "wavecom": ("AT+CPINC", "+CPINC: 3,3,10,10", "+CPINC: 2,3,10,10", "+CPINC: 0,3,10,10"),
}


@pytest.mark.parametrize("profile", TRIES)
async def test_the_tries_that_are_left(terminal_for, profile: str):
    asks, full, less, none = TRIES[profile]
    terminal = terminal_for(profile=profile, chatter_every=0, pin="1234")
    terminal.heard()
    assert terminal.command(asks) == [full]
    terminal.say('AT+CPIN="0000"\r')
    assert terminal.command(asks) == [less]
    terminal.say('AT+CPIN="0000"\r', 'AT+CPIN="0000"\r')
    assert terminal.command(asks) == [none]
