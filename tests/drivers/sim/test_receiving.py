"""Messages that arrive: stored or routed as +CNMI says, kept by the network while there is no room."""

from __future__ import annotations

import asyncio

import pytest
from support.waiting import eventually

from drivers.tpdu import Address, SmsDeliver, SmsSubmit, UserData, join_text

SENDER = "+33612345678"


def deliver_in(pdu: str) -> SmsDeliver:
    octets = bytes.fromhex(pdu)
    return SmsDeliver.from_bytes(octets[1 + octets[0] :])


def test_a_message_is_stored_and_told(terminal):
    terminal.command("AT+CNMI=2,1,0,0,0")
    assert terminal.modem.inject_sms(SENDER, "Hello") == 1
    assert terminal.heard() == ['+CMTI: "SM",1']
    head, pdu = terminal.command("AT+CMGR=1")
    assert head == f"+CMGR: 0,,{len(pdu) // 2 - 8}"
    deliver = deliver_in(pdu)
    assert (deliver.tp_oa.text, deliver.tp_ud.text) == (SENDER, "Hello")
    assert terminal.command("AT+CMGR=1")[0].startswith("+CMGR: 1,")


def test_long_and_unicode_texts_come_in_parts(terminal):
    text = "Żółć 你好 😀 " * 20
    parts = terminal.modem.inject_sms("Clinic", text)
    listed = terminal.command("AT+CMGL=4")
    delivers = [deliver_in(pdu) for pdu in listed[1::2]]
    assert len(delivers) == parts > 1
    assert join_text(delivers) == text
    assert {deliver.tp_oa.text for deliver in delivers} == {"Clinic"}
    concatenations = [deliver.tp_ud.concatenation for deliver in delivers]
    assert [one.sequence for one in concatenations if one] == list(range(1, parts + 1))
    terminal.modem.inject_sms("Clinic", text)
    again = deliver_in(terminal.command("AT+CMGL=0")[1]).tp_ud.concatenation
    assert again
    assert concatenations[0]
    assert again.reference != concatenations[0].reference


@pytest.mark.parametrize(
    ("sender", "text"), [("", "x"), ("a name that is too long", "x"), ("+33 6", "x"), ("+336", "x" * 70_000)]
)
def test_what_cannot_arrive_is_refused(terminal, sender: str, text: str):
    with pytest.raises(ValueError, match=r"."):
        terminal.modem.inject_sms(sender, text)


def test_nothing_is_told_unless_asked(terminal):
    terminal.modem.inject_sms(SENDER, "Hello")
    assert terminal.heard() == []
    assert terminal.command("AT+CPMS?") == ['+CPMS: "SM",1,50,"SM",1,50,"SM",1,50']


def test_a_message_is_routed_without_acknowledgement_in_phase_2(terminal):
    terminal.command("AT+CNMI=2,2,0,0,0")
    terminal.modem.inject_sms(SENDER, "one")
    terminal.modem.inject_sms(SENDER, "two")
    said = terminal.heard()
    assert [line for line in said if line.startswith("+CMT: ,")] == said[::2]
    assert [deliver_in(pdu).tp_ud.text for pdu in said[1::2]] == ["one", "two"]
    assert terminal.say("AT+CNMA\r") == ["+CMS ERROR: 340"]


async def test_in_phase_2_plus_each_routed_message_waits_for_its_acknowledgement(terminal):
    terminal.command("AT+CSMS=1;+CNMI=2,2,0,1,0")
    terminal.modem.inject_sms(SENDER, "one")
    terminal.modem.inject_sms(SENDER, "two")
    assert len(terminal.heard()) == 2
    assert terminal.modem.waiting == 2
    said = terminal.say("AT+CNMA\r")
    assert deliver_in(said[1]).tp_ud.text == "two"
    assert terminal.say("AT+CNMA=1,4\r", "00000000\x1a") == ["> ", "OK"]
    assert terminal.modem.waiting == 0


async def test_a_refused_message_comes_again_at_the_next_occasion(terminal):
    terminal.command("AT+CSMS=1;+CNMI=2,2,0,0,0")
    terminal.modem.inject_sms(SENDER, "one")
    terminal.heard()
    assert terminal.say("AT+CNMA=2\r") == ["OK"]
    assert terminal.modem.waiting == 1
    assert deliver_in(terminal.say("AT+CNMI=2,2,0,0,0\r")[1]).tp_ud.text == "one"


async def test_without_acknowledgement_routing_ends_and_the_message_is_stored(terminal_for):
    terminal = terminal_for(acknowledge_within=0.01)
    terminal.command("AT+CSMS=1;+CNMI=2,2,0,1,0")
    terminal.modem.inject_sms(SENDER, "one")
    assert terminal.heard()[0].startswith("+CMT: ")
    await eventually(lambda: terminal.modem.waiting == 0)
    assert terminal.heard() == []
    assert terminal.command("AT+CNMI?") == ["+CNMI: 2,0,0,0,0"]
    assert terminal.command("AT+CMGR=1")[0].startswith("+CMGR: 0,")


async def test_a_closed_modem_takes_back_what_was_not_acknowledged(terminal_for):
    terminal = terminal_for(acknowledge_within=0.01)
    terminal.command("AT+CSMS=1;+CNMI=2,2,0,1,0")
    terminal.modem.inject_sms(SENDER, "one")
    terminal.modem.close()
    await asyncio.sleep(0.02)
    assert terminal.modem.waiting == 1


@pytest.mark.parametrize(
    ("mt", "message_class", "told"),
    [
        (1, 0, "+CMTI"),
        (2, None, "+CMT"),
        (2, 0, "+CMT"),
        (2, 1, "+CMT"),
        (2, 2, "+CMTI"),
        (2, 3, "+CMT"),
        (3, 1, "+CMTI"),
        (3, 3, "+CMT"),
    ],
)
async def test_classes_are_told_as_the_table_of_cnmi_says(terminal_for, mt: int, message_class: int | None, told: str):
    sender, receiver = terminal_for(), terminal_for(name="other", number="+33639985555")
    receiver.command(f"AT+CNMI=2,{mt},0,0,0")
    coding = 0 if message_class is None else 0x10 | message_class
    tpdu = SmsSubmit(tp_da=Address.from_text("+33639985555"), tp_ud=UserData(text="x"), tp_dcs=coding).to_bytes()
    sender.submit(tpdu)
    assert receiver.heard()[0].split(":")[0] == told


def test_a_full_memory_leaves_messages_with_the_network(terminal_for):
    terminal = terminal_for(sm_capacity=2)
    terminal.command("AT+CNMI=2,1,0,0,0")
    for text in ("one", "two", "three", "four"):
        terminal.modem.inject_sms(SENDER, text)
    assert terminal.heard() == ['+CMTI: "SM",1', '+CMTI: "SM",2']
    assert terminal.modem.waiting == 2
    assert terminal.say("AT+CMGD=1\r") == ['+CMTI: "SM",1', "OK"]
    assert terminal.say('AT+CPMS="SM","SM","ME"\r')[0] == '+CMTI: "ME",1'
    assert terminal.modem.waiting == 0


def test_indications_are_kept_or_forgotten_while_the_mode_says_so(terminal):
    terminal.command("AT+CNMI=0,1,0,0,0")
    terminal.modem.inject_sms(SENDER, "one")
    assert terminal.heard() == []
    assert terminal.say("AT+CNMI=2,1,0,0,0\r") == ['+CMTI: "SM",1', "OK"]
    terminal.command("AT+CNMI=0,1,0,0,0")
    terminal.modem.inject_sms(SENDER, "two")
    assert terminal.command("AT+CNMI=2,1,0,0,1") == []
    terminal.command("AT+CNMI=0,2,0,0,0")
    terminal.modem.inject_sms(SENDER, "three")
    assert terminal.modem.waiting == 1, "a routed message cannot be kept in the terminal's place"


def test_a_reset_ends_indications(terminal):
    terminal.command("AT+CNMI=2,1,0,1,0")
    terminal.command("ATZ")
    assert terminal.command("AT+CNMI?") == ["+CNMI: 0,0,0,0,0"]


def test_listing_by_status(terminal):
    for text in ("one", "two"):
        terminal.modem.inject_sms(SENDER, text)
    terminal.command("AT+CMGR=1")
    assert [line.split(",")[0] for line in terminal.command("AT+CMGL=1")[::2]] == ["+CMGL: 1"]
    assert [line.split(",")[:2] for line in terminal.command("AT+CMGL")[::2]] == [["+CMGL: 2", "0"]]
    assert terminal.command("AT+CMGL=0") == []
    assert len(terminal.command("AT+CMGL=4")) == 4
    assert terminal.say("AT+CMGL=5\r") == ["+CMS ERROR: 304"]


@pytest.mark.parametrize(("flag", "left"), [(1, "2,3,4"), (2, "2,4"), (3, "2"), (4, "")])
def test_deleting_by_flag(terminal, flag: int, left: str):
    for status in (1, 0, 3, 2):
        terminal.say(f"AT+CMGW=4,{status}\r", "0001000000\x1a")
    assert terminal.command(f"AT+CMGD=1,{flag}") == []
    assert terminal.command("AT+CMGD=?") == [f"+CMGD: ({left}),(0-4)"]


@pytest.mark.parametrize(
    "line", ["AT+CMGR=2", "AT+CMGR=0", "AT+CMGR=51", "AT+CMGR=", "AT+CMGD=51", "AT+CMGD=1,5", "AT+CMGD=x"]
)
def test_a_slot_that_is_not_there(terminal, line: str):
    terminal.modem.inject_sms(SENDER, "one")
    assert terminal.say(f"{line}\r") == ["+CMS ERROR: 321"]


def test_an_empty_slot_can_be_deleted(terminal):
    assert terminal.command("AT+CMGD=7") == []


def test_the_vendor_command_lets_a_message_arrive(terminal):
    terminal.command("AT+CNMI=2,1,0,0,0")
    assert terminal.say(r'AT^SIMSMS="+33612345678","Grüße; \22here\22 😀"' + "\r") == ['+CMTI: "SM",1', "OK"]
    assert deliver_in(terminal.command("AT+CMGR=1")[1]).tp_ud.text == 'Grüße; "here" 😀'
    assert terminal.say('AT^SIMSMS="+33612345678"\r') == ["ERROR"]
    assert terminal.say('AT^SIMSMS="far too long a name","x"\r') == ["ERROR"]
    assert terminal.say('AT^SIMSMS="+336",\r') == ['+CMTI: "SM",2', "OK"], "an empty text is a message too"


def test_any_pdu_can_arrive(terminal):
    terminal.command("AT+CNMI=2,1,0,0,0")
    terminal.modem.inject_pdu(bytes.fromhex("0004049121430000622150010000000241E1"))
    assert terminal.heard() == ['+CMTI: "SM",1']
    terminal.modem.inject_pdu(b"\x00\xff")
    assert terminal.heard() == ['+CMTI: "SM",2']
    assert terminal.command("AT+CMGR=2") == ["+CMGR: 0,,1", "00FF"]
    for nothing in (b"", b"\x00", b"\x05\x91"):
        with pytest.raises(ValueError, match="octet"):
            terminal.modem.inject_pdu(nothing)
