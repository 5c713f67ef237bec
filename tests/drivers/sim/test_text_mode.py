"""Text mode, for clients that probe it or know nothing else."""

from __future__ import annotations

import asyncio

import pytest

from drivers.tpdu import SmsSubmit

SENDER = "+33612345678"
STAMP = '"26/01/05,10:00:00+00"'


@pytest.fixture
def text_terminal(terminal):
    terminal.command("AT+CMGF=1")
    return terminal


async def test_a_text_is_sent(text_terminal):
    text_terminal.command("AT+CSMP=49,167,0,0")
    assert text_terminal.say('AT+CMGS="+33639985555"\r', "Hello\x1a") == ["> ", "+CMGS: 0", "OK"]
    submit = SmsSubmit.from_bytes(text_terminal.modem.submissions[0].tpdu)
    assert (submit.tp_da.text, submit.tp_ud.text, submit.tp_srr) == ("+33639985555", "Hello", True)
    assert submit.tp_vp is not None


def test_a_text_is_sent_in_each_character_set(text_terminal):
    text_terminal.command('AT+CSMP=1;+CSCS="GSM"')
    text_terminal.say('AT+CMGS="123"\r', "\x05t\x00\x1a")
    text_terminal.command('AT+CSMP=1,0,0,8;+CSCS="UCS2"')
    text_terminal.say(f'AT+CMGS="{"123".encode("utf-16-be").hex()}"\r', "D83DDE00\x1a")
    submits = [SmsSubmit.from_bytes(entry.tpdu) for entry in text_terminal.modem.submissions]
    assert [(one.tp_da.text, one.tp_ud.text) for one in submits] == [("123", "ét@"), ("123", "😀")]


@pytest.mark.parametrize(
    ("settings", "number", "typed"),
    [
        ("+CSMP=17", "+33639985555", "é"),
        ("+CSMP=17", "+33639985555", "x" * 161),
        ("+CSMP=17", "+336 39", "x"),
        ('+CSMP=17;+CSCS="UCS2"', "0031", "zz"),
        ("+CSMP=17,0,0,4", "+33639985555", "octets"),
    ],
)
def test_what_cannot_be_sent_is_refused(text_terminal, settings: str, number: str, typed: str):
    text_terminal.command(f"AT{settings}")
    assert text_terminal.say(f'AT+CMGS="{number}"\r', f"{typed}\x1a") == ["> ", "+CMS ERROR: 305"]


@pytest.mark.parametrize("line", ['AT+CMGS=""', "AT+CMGS=", 'AT+CMGW="1",129,"ALL"', 'AT+CMGL="SOME"'])
def test_a_wrong_parameter_is_refused(text_terminal, line: str):
    assert text_terminal.say(f"{line}\r") == ["+CMS ERROR: 305"]


def test_a_number_that_is_no_ucs2_is_refused(text_terminal):
    text_terminal.command('AT+CSCS="UCS2"')
    assert text_terminal.say('AT+CMGS="123"\r') == ["+CMS ERROR: 305"]


def test_reading_and_listing(text_terminal):
    text_terminal.modem.inject_sms(SENDER, "Price 5€ or ´ é")
    text_terminal.modem.inject_sms("Clinic", "Hello [é]")
    assert text_terminal.command('AT+CMGL="ALL"')[2:] == [f'+CMGL: 2,"REC UNREAD","Clinic",,{STAMP}', "Hello [?]"]
    assert text_terminal.command("AT+CMGR=1")[0] == f'+CMGR: "REC READ","{SENDER}",,{STAMP}'
    assert text_terminal.command("AT+CMGL") == []
    assert text_terminal.command("AT+CMGL=?") == ['+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")']


@pytest.mark.parametrize(
    ("character_set", "shown"),
    [("IRA", "[?@"), ("GSM", "\x1b<\x05\x00"), ("UCS2", "005B00E90040")],
)
def test_a_text_is_shown_in_the_character_set(text_terminal, character_set: str, shown: str):
    text_terminal.modem.inject_sms(SENDER, "[é@")
    text_terminal.command(f'AT+CSCS="{character_set}"')
    assert text_terminal.command("AT+CMGR=1")[1] == shown


def test_a_text_beyond_the_default_alphabet_is_shown_in_octets(text_terminal):
    text_terminal.modem.inject_sms(SENDER, "你😀")
    assert text_terminal.command("AT+CMGR=1")[1] == "4F60D83DDE00"


def test_a_sender_beyond_the_character_set_is_shown_with_question_marks(text_terminal):
    text_terminal.modem.inject_sms("Café", "x")
    text_terminal.command('AT+CSCS="GSM"')
    assert text_terminal.command("AT+CMGR=1")[0].startswith('+CMGR: "REC UNREAD","Caf\x05"')


def test_a_broken_time_stamp_is_left_out(text_terminal):
    pdu = "0004039121F30000" + "FF" * 7 + "00"
    text_terminal.command("AT+CMGF=0")
    text_terminal.say(f"AT+CMGW={len(pdu) // 2 - 1},0\r", f"{pdu}\x1a")
    assert text_terminal.command("AT+CMGF=1;+CMGR=1") == ['+CMGR: "REC UNREAD","+123",,""']


def test_all_parameters_are_shown_on_demand(text_terminal):
    text_terminal.command("AT+CSDH=1;+CSMP=17,167,0,0")
    text_terminal.modem.inject_sms(SENDER, "Hello")
    text_terminal.say('AT+CMGW="123"\r', "Later\x1a")
    assert text_terminal.command("AT+CMGR=1") == [
        f'+CMGR: "REC UNREAD","{SENDER}",,{STAMP},145,4,0,0,"+33639980000",145,5',
        "Hello",
    ]
    assert text_terminal.command("AT+CMGR=2") == ['+CMGR: "STO UNSENT","123",,129,17,0,0,167,,,5', "Later"]
    assert text_terminal.command('AT+CMGL="STO UNSENT"') == ['+CMGL: 2,"STO UNSENT","123",,129,5', "Later"]


def test_a_stored_text_is_sent(text_terminal):
    text_terminal.command("AT+CSMP=1")
    assert text_terminal.say('AT+CMGW="123",129,"STO UNSENT"\r', "Later\x1a")[1] == "+CMGW: 1"
    assert text_terminal.command("AT+CMSS=1") == ["+CMSS: 0"]
    assert text_terminal.command("AT+CSDH=1;+CMGR=1") == ['+CMGR: "STO SENT","123",,129,1,0,0,,,,5', "Later"]


def test_octets_and_rubbish_in_a_slot_are_shown_as_hexadecimal(text_terminal):
    for pdu in ("00010003912143000402BEEF", "0001FF", "000000"):
        text_terminal.command("AT+CMGF=0")
        text_terminal.say(f"AT+CMGW={len(pdu) // 2 - 1}\r", f"{pdu}\x1a")
    text_terminal.command("AT+CMGF=1")
    assert text_terminal.command('AT+CMGL="ALL"') == [
        '+CMGL: 1,"STO UNSENT","+123",',
        "BEEF",
        '+CMGL: 2,"STO UNSENT","",',
        "0001FF",
        '+CMGL: 3,"STO UNSENT","",',
        "0000",
    ]


async def test_messages_and_reports_are_routed_as_text(text_terminal):
    text_terminal.command("AT+CNMI=2,2,0,1,0;+CSMP=33")
    text_terminal.modem.inject_sms(SENDER, "Hello")
    assert text_terminal.heard() == [f'+CMT: "{SENDER}",,{STAMP}', "Hello"]
    text_terminal.say('AT+CMGS="+33639985555"\r', "Hello\x1a")
    await asyncio.sleep(0)
    assert text_terminal.heard() == [f'+CDS: 6,0,"+33639985555",145,{STAMP},{STAMP},0']
