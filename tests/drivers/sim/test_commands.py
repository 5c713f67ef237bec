"""What the modem says of itself, its SIM and its network, and what it can be told."""

from __future__ import annotations

import pytest

from drivers.sim import SimSettings, numbered
from drivers.sim.settings import _with_check_digit


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT", []),
        ("AT+CGMI", ["Tocsin"]),
        ("AT+GMI", ["Tocsin"]),
        ("AT+CGMM", ["Simulated modem"]),
        ("AT+GMM", ["Simulated modem"]),
        ("AT+CGMR", ["1.0"]),
        ("AT+GMR", ["1.0"]),
        ("AT+CGSN", ["350000000000010"]),
        ("AT+GSN", ["350000000000010"]),
        ("AT+CGSN=?", []),
        ("AT+CIMI", ["208990000000001"]),
        ("AT+CCID", ["+CCID: 8933990000000000017"]),
        ("AT+CCID?", ["+CCID: 8933990000000000017"]),
        ("AT^ICCID?", ["^ICCID: 8933990000000000017"]),
        ("AT+CNUM", ['+CNUM: "","+33639981001",145']),
        ("AT+CPIN?", ["+CPIN: READY"]),
        ("AT+CPINR", ["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10"]),
        ('AT+CLCK="SC",2', ["+CLCK: 0"]),
        ("AT+CSQ", ["+CSQ: 21,99"]),
        ("AT+CREG?", ["+CREG: 0,1"]),
        ("AT+CGREG?", ["+CGREG: 0,1"]),
        ("AT+CEREG=2;+CEREG?", ['+CEREG: 2,1,"00A1","0000B2C3",2']),
        ("AT+CREG=?", ["+CREG: (0-2)"]),
        ("AT+COPS?", ['+COPS: 0,0,"Tocsin Sim",2']),
        ("AT+COPS=3,2;+COPS?", ['+COPS: 0,2,"20899",2']),
        ("AT+COPS=0", []),
        ("AT+COPS=?", ['+COPS: (2,"Tocsin Sim","Tocsin Sim","20899",2),,(0,3),(0-2)']),
        ("AT+CFUN?", ["+CFUN: 1"]),
        ("AT+CGATT?", ["+CGATT: 1"]),
        ("ATX4&C1&D2+CLIP=1;+CRC=1;^CURC=0", []),
        ("AT+CUSD=2;+CUSD=?", ["+CUSD: (0-2)"]),
        ("AT+CMEE=2;+CMEE?;+CMEE=?", ["+CMEE: 2", "+CMEE: (0-2)"]),
        ('AT+CSCS="UCS2";+CSCS?', ['+CSCS: "UCS2"']),
        ("AT+CSMS?;+CSMS=?", ["+CSMS: 0,1,1,1", "+CSMS: (0,1)"]),
        ("AT+CSMS=1", ["+CSMS: 1,1,1"]),
        ("AT+CMGF?", ["+CMGF: 0"]),
        ("AT+CPMS=?", ['+CPMS: ("SM","ME","MT","SR"),("SM","ME","MT"),("SM","ME","MT")']),
        ('AT+CPMS="MT",,"ME"', ["+CPMS: 0,150,0,50,0,100"]),
        ("AT+CNMI=3,1;+CNMI?", ["+CNMI: 3,1,0,0,0"]),
        ("AT+CNMI=?", ["+CNMI: (0-3),(0-3),(0-3),(0-2),(0,1)"]),
        ("AT+CSCA?", ['+CSCA: "+33639980000",145']),
        ('AT+CSCA="336399",145;+CSCA?', ['+CSCA: "+336399",145']),
        ('AT+CSCA="0639";+CSCA?', ['+CSCA: "0639",129']),
        ("AT+CSMP=49,169,0,0;+CSMP?", ["+CSMP: 49,169,0,0"]),
        ("AT+CSDH=1;+CSDH?", ["+CSDH: 1"]),
        ("AT+CMMS=2;+CMMS?", ["+CMMS: 2"]),
        ("AT+CMGL=?", ["+CMGL: (0-4)"]),
        ("AT+CNMA=?", ["+CNMA: (0-2)"]),
    ],
)
def test_an_answer(terminal, line: str, answer: list[str]):
    assert terminal.command(line) == answer


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("AT+NOTHING", "ERROR"),
        ("AT+CSQ?", "ERROR"),
        ('AT+CSCS="KLINGON"', "ERROR"),
        ("ATD+33612345678;", "+CME ERROR: 4"),
        ('AT+CLCK="SC",1,"1234"', "+CME ERROR: 50"),
        ('AT+CLCK="PN",2', "+CME ERROR: 4"),
        ("AT+CMEE=3", "+CME ERROR: 50"),
        ("AT+CMEE=é", "+CME ERROR: 50"),
        ("AT+COPS=1", "+CME ERROR: 50"),
        ("AT+CFUN=2", "+CME ERROR: 50"),
        ('AT+CUSD=1,"*100#"', "+CME ERROR: 4"),
        ('AT+CPIN="1234"', "+CME ERROR: 3"),
        ("AT+CSMS=2", "+CMS ERROR: 303"),
        ("AT+CMGF=2", "+CMS ERROR: 303"),
        ("AT+CNMI=2,4", "+CMS ERROR: 303"),
        ('AT+CPMS="XX"', "+CMS ERROR: 302"),
        ('AT+CPMS="SM","SR"', "+CMS ERROR: 302"),
        ('AT+CPMS="SM","SM","SM","SM"', "+CMS ERROR: 302"),
        ('AT+CSCA="Clinic"', "+CMS ERROR: 305"),
        ("AT+CSMP=64", "+CMS ERROR: 303"),
    ],
)
def test_a_refusal(terminal, line: str, result: str):
    terminal.command("AT+CMEE=1")
    assert terminal.say(f"{line}\r") == [result]


@pytest.mark.parametrize(
    ("cmee", "cme", "cms"),
    [
        (0, "ERROR", "+CMS ERROR: 303"),
        (1, "+CME ERROR: 4", "+CMS ERROR: 303"),
        (2, "+CME ERROR: operation not supported", "+CMS ERROR: operation not supported"),
    ],
)
def test_errors_in_the_form_that_was_chosen(terminal, cmee: int, cme: str, cms: str):
    terminal.command(f"AT+CMEE={cmee}")
    assert terminal.say("ATD1\r") == [cme]
    assert terminal.say("AT+CSMS=2\r") == [cms]


def test_identification_in_one_command(terminal):
    assert terminal.command("ATI") == [
        "Manufacturer: Tocsin",
        "Model: Simulated modem",
        "Revision: 1.0",
        "IMEI: 350000000000010",
        "+GCAP: +CGSM,+FCLASS",
    ]


def test_radio_off_and_on_is_told(terminal):
    terminal.command("AT+CREG=2")
    assert terminal.say("AT+CFUN=4\r") == ["+CREG: 0", "OK"]
    assert terminal.command("AT+CSQ;+COPS?") == ["+CSQ: 99,99", "+COPS: 0"]
    assert terminal.command("AT+COPS=?")[0].startswith('+COPS: (1,"Tocsin Sim"')
    assert terminal.say("AT+CFUN=1\r") == ['+CREG: 1,"00A1","0000B2C3",2', "OK"]


def test_a_locked_sim_wants_its_pin(terminal_for):
    terminal = terminal_for(pin="1234")
    terminal.modem.inject_sms("+33612345678", "Hello")
    terminal.command("AT+CMEE=1")
    assert terminal.command("AT+CPIN?;+CREG?") == ["+CPIN: SIM PIN", "+CREG: 0,0"]
    assert terminal.command("AT+CGSN;+CMGF=0") == ["350000000000010"]
    assert terminal.say("AT+CIMI\r") == ["+CME ERROR: 11"]
    assert terminal.say("AT+CMGL=4\r") == ["+CMS ERROR: 311"]
    assert terminal.say("AT+CPIN\r", 'AT+CPIN="0000"\r') == ["ERROR", "+CME ERROR: 16"]
    assert terminal.command("AT+CPINR")[0] == "+CPINR: SIM PIN,2,3"
    terminal.command('AT+CPIN="1234"')
    assert terminal.command('AT+CPIN?;+CPINR;+CLCK="SC",2')[0] == "+CPIN: READY"
    assert len(terminal.command("AT+CMGL=4")) == 2, "what waited has come in"
    assert terminal.say("AT+CFUN=1,1\r", "AT+CPIN?\r") == ["OK", "+CPIN: SIM PIN", "OK"]


def test_three_wrong_pins_block_the_sim(terminal_for):
    terminal = terminal_for(pin="1234")
    terminal.command("AT+CMEE=1")
    for result in ("16", "16", "12", "12"):
        assert terminal.say("AT+CPIN=0000\r") == [f"+CME ERROR: {result}"]
    assert terminal.command("AT+CPIN?") == ["+CPIN: SIM PUK"]
    assert terminal.say('AT+CPIN="1234"\r', "AT+CIMI\r", "AT+CMGL\r") == [
        "+CME ERROR: 12",
        "+CME ERROR: 12",
        "+CMS ERROR: 316",
    ]


def test_every_modem_of_a_simulation_is_somebody_else():
    several = [numbered(SimSettings(latency=1.5), index) for index in range(300)]
    for name in ("name", "number", "imei", "imsi", "iccid"):
        assert len({getattr(one, name) for one in several}) == 300
    assert {(one.latency, len(one.imei), len(one.iccid), len(one.imsi)) for one in several} == {(1.5, 15, 19, 15)}


def test_the_check_digit_of_the_example_in_the_standard():
    # 3GPP TS 23.003, annex B.3.
    assert _with_check_digit("26053179311383") == "260531793113837"


def test_echo_is_the_factory_setting(terminal_for):
    terminal = terminal_for(echo=True)
    assert terminal.say("AT\r") == ["AT\r", "OK"]


def test_a_modem_nobody_listens_to_goes_on(terminal):
    heard = bytearray()
    terminal.modem.attach(heard.extend)
    terminal.modem.detach(print)
    terminal.modem.receive_data(b"AT\r")
    assert heard == b"\r\nOK\r\n"
    terminal.modem.detach()
    terminal.modem.receive_data(b"AT+CMEE=2\r")
    assert terminal.heard() == []
    terminal.modem.attach(heard.extend)
    terminal.modem.receive_data(b"AT+CMEE?\r")
    assert b"+CMEE: 2" in heard
