"""Messages of every class and kind, and what the modem does with them (23.038, 4; 23.040, 9.2.3.9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.waiting import eventually

from drivers.tpdu import Address, SmsDeliver, SmsSubmit, TimeStamp, UserData

SENDER = Address.from_text("+33612345678")
DOWNLOAD = {"tp_pid": 0x7F, "tp_dcs": 0xF6}


def pdu(text: str = "x", **more: object) -> bytes:
    stamp = TimeStamp.from_datetime(datetime(2026, 1, 5, 10, tzinfo=UTC))
    octets = {"tp_ud": UserData(data=b"\x02\x70")} if more.get("tp_dcs") in (0xF6, 0x04) else {}
    fields = {"tp_oa": SENDER, "tp_scts": stamp, "tp_ud": UserData(text=text), **octets, **more}
    return b"\x00" + SmsDeliver(**fields).to_bytes()  # type: ignore[arg-type]


@pytest.fixture
def terminal(terminal_for):
    terminal = terminal_for(sm_capacity=3)
    terminal.command('AT+CPMS="ME","ME","ME";+CNMI=2,1,0,0,0')
    return terminal


@pytest.mark.parametrize(
    ("kind", "memory"),
    [
        ({}, "ME"),
        ({"tp_dcs": 0x10}, "ME"),
        ({"tp_dcs": 0x11}, "ME"),
        ({"tp_dcs": 0x12}, "SM"),
        ({"tp_dcs": 0xF2}, "SM"),
        ({"tp_dcs": 0x13}, "ME"),
        ({"tp_dcs": 0xC8}, "ME"),
        ({"tp_dcs": 0xD8}, "ME"),
        ({"tp_dcs": 0xE8}, "ME"),
        ({"tp_pid": 0x40}, "ME"),
        (DOWNLOAD, "SM"),
    ],
)
def test_where_it_is_kept(terminal, kind: dict[str, int], memory: str):
    sent = pdu(**kind)
    terminal.modem.inject_pdu(sent)
    assert terminal.heard() == [f'+CMTI: "{memory}",1']
    terminal.command(f'AT+CPMS="{memory}"')
    assert terminal.command("AT+CMGR=1")[1] == sent.hex().upper()


def test_what_is_for_the_sim_is_stored_though_messages_are_handed_over(terminal):
    terminal.command("AT+CNMI=2,2,0,0,0")
    terminal.modem.inject_pdu(pdu(tp_dcs=0x10))
    assert terminal.heard()[0].startswith("+CMT:")
    terminal.modem.inject_pdu(pdu(tp_dcs=0x12))
    assert terminal.heard() == ['+CMTI: "SM",1']


def test_a_full_sim_keeps_its_own_messages_waiting(terminal):
    for _ in range(5):
        terminal.modem.inject_pdu(pdu(tp_dcs=0x12))
    assert terminal.modem.waiting == 2
    terminal.command('AT+CPMS="SM"')
    terminal.command("AT+CMGD=1,4")
    assert terminal.modem.waiting == 0


def test_a_sim_with_a_toolkit_takes_its_download(terminal_for):
    terminal = terminal_for(sim_toolkit=True)
    terminal.command("AT+CNMI=2,1,0,0,0")
    terminal.modem.inject_pdu(pdu(**DOWNLOAD))
    assert (terminal.heard(), terminal.modem.waiting) == ([], 0)
    assert terminal.command("AT+CMGL=4") == []
    terminal.modem.inject_pdu(pdu(tp_dcs=0x12))
    assert terminal.heard() == ['+CMTI: "SM",1']


def test_a_replacement_takes_the_slot_of_what_it_replaces(terminal):
    terminal.modem.inject_pdu(pdu("first", tp_pid=0x41))
    terminal.modem.inject_pdu(pdu("other type", tp_pid=0x42))
    terminal.modem.inject_pdu(pdu("other sender", tp_pid=0x41, tp_oa=Address.from_text("+33699999999")))
    assert [line[-1] for line in terminal.heard()] == ["1", "2", "3"]
    terminal.command("AT+CMGR=1")
    second = pdu("second", tp_pid=0x41)
    terminal.modem.inject_pdu(second)
    assert terminal.heard() == ['+CMTI: "ME",1']
    head, shown = terminal.command("AT+CMGR=1")
    assert head.startswith("+CMGR: 0,"), "it has not been read"
    assert shown == second.hex().upper()
    terminal.command('AT+CPMS="ME","ME","MT"')
    third = pdu("third", tp_pid=0x41)
    terminal.modem.inject_pdu(third)
    assert terminal.heard() == ['+CMTI: "MT",1']
    assert terminal.command("AT+CMGR=1")[1] == third.hex().upper()


async def test_a_message_to_itself_arrives_and_is_reported(terminal_for):
    terminal = terminal_for()
    terminal.command("AT+CSMS=1;+CNMI=2,1,0,1,0")
    number = Address.from_text("+33639981001")
    terminal.submit(SmsSubmit(tp_da=number, tp_ud=UserData(text="self-test"), tp_srr=True).to_bytes())
    said: list[str] = []
    await eventually(lambda: said.extend(terminal.heard()) or any(line.startswith("+CDS:") for line in said))
    octets = bytes.fromhex(terminal.command("AT+CMGR=1")[1])
    deliver = SmsDeliver.from_bytes(octets[1 + octets[0] :])
    assert (deliver.tp_oa, deliver.tp_ud.text) == (number, "self-test")
