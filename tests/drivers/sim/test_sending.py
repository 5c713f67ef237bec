"""Submissions: what goes on the air, under which reference, when it is answered, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.waiting import eventually

from drivers.at.codes import CmsError
from drivers.sim import SimulatedNetwork
from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, SmsSubmit, UserData

ELSEWHERE = "+33639985555"
ACCEPTED = ["> ", "+CMGS: 0", "OK"]


def submit_to(number: str, text: str = "Hello", **fields: object) -> bytes:
    return SmsSubmit(tp_da=Address.from_text(number), tp_ud=UserData(text=text), **fields).to_bytes()


def test_an_accepted_submission_stands_in_the_ledger(terminal):
    tpdu = submit_to(ELSEWHERE, tp_mr=77)
    assert terminal.submit(tpdu) == ACCEPTED
    (entry,) = terminal.modem.submissions
    assert (entry.modem, entry.destination, entry.tp_mr) == ("simulated", ELSEWHERE, 0)
    assert entry.tpdu == tpdu[:1] + b"\x00" + tpdu[2:]
    assert entry.at.isoformat() == "2026-01-05T10:00:00+00:00"


def test_references_count_to_255_and_begin_again(terminal):
    for _ in range(258):
        terminal.submit(submit_to(ELSEWHERE))
    references = [entry.tp_mr for entry in terminal.modem.submissions]
    assert references == [*range(256), 0, 1]
    assert terminal.modem.ledger.count == 258


def test_the_ledger_keeps_the_newest(terminal_for):
    terminal = terminal_for(ledger_size=2)
    heard = []
    terminal.modem.ledger.listeners.append(heard.append)
    for _ in range(3):
        terminal.submit(submit_to(ELSEWHERE))
    assert [entry.tp_mr for entry in terminal.modem.submissions] == [1, 2]
    assert [entry.tp_mr for entry in heard] == [0, 1, 2]


@pytest.mark.parametrize(
    ("line", "payload"),
    [
        ("AT+CMGS=9", "00" + submit_to(ELSEWHERE).hex()),
        ("AT+CMGS=19", "00zz"),
        ("AT+CMGS=19", ""),
        ("AT+CMGS=3", "00" + "000000"),
        ("AT+CMGS=2", "00" + "01FF"),
        ("AT+CMGS=1", "é"),
    ],
)
def test_what_is_no_submission_is_refused(terminal, line: str, payload: str):
    assert terminal.say(f"{line}\r", f"{payload}\x1a") == ["> ", "+CMS ERROR: 304"]
    assert terminal.modem.submissions == ()


@pytest.mark.parametrize("line", ["AT+CMGS=0", "AT+CMGS=200", "AT+CMGS=", "AT+CMGS=abc"])
def test_an_impossible_length_gets_no_prompt(terminal, line: str):
    assert terminal.say(f"{line}\r") == ["+CMS ERROR: 304"]


def test_escape_sends_nothing(terminal):
    assert terminal.say("AT+CMGS=19\r", "0001\x1b") == ["> ", "OK"]
    assert terminal.modem.submissions == ()
    assert terminal.submit(submit_to(ELSEWHERE)) == ACCEPTED


@pytest.mark.parametrize(
    ("settings", "result"),
    [({"registration": 0}, "331"), ({"registration": 3}, "331"), ({"smsc": ""}, "330")],
)
def test_without_network_or_service_centre_nothing_leaves(terminal_for, settings, result):
    terminal = terminal_for(**settings)
    assert terminal.submit(submit_to(ELSEWHERE)) == ["> ", f"+CMS ERROR: {result}"]
    assert terminal.modem.submissions == ()


def test_a_service_centre_may_come_with_the_message(terminal_for):
    terminal, tpdu = terminal_for(smsc=""), submit_to(ELSEWHERE)
    assert terminal.say(f"AT+CMGS={len(tpdu)}\r", "07913336990800F0" + tpdu.hex() + "\x1a") == ACCEPTED


async def test_the_answer_comes_after_the_latency(terminal_for):
    terminal = terminal_for(latency=0.02)
    loop, tpdu = asyncio.get_running_loop(), submit_to(ELSEWHERE)
    began = loop.time()
    assert terminal.submit(tpdu) == ["> "]
    assert terminal.modem.submissions == ()
    assert terminal.say("AT+CSQ\r") == [], "a command waits until the submission is answered"
    said = []
    await eventually(lambda: said.extend(terminal.heard()) or "+CSQ: 21,99" in said)
    assert said == ["+CMGS: 0", "OK", "+CSQ: 21,99", "OK"]
    assert loop.time() - began >= 0.02


async def test_a_modem_that_is_closed_meanwhile_sends_nothing(terminal_for):
    terminal = terminal_for(latency=0.01)
    terminal.submit(submit_to(ELSEWHERE))
    terminal.modem.close()
    await asyncio.sleep(0.02)
    assert terminal.modem.submissions == ()


async def reports(terminal, *, after: str) -> list[str]:
    terminal.command(after)
    assert terminal.submit(submit_to(ELSEWHERE, tp_srr=True)) == ACCEPTED
    await asyncio.sleep(0)
    return terminal.heard()


def report_in(pdu: str) -> SmsStatusReport:
    octets = bytes.fromhex(pdu)
    return SmsStatusReport.from_bytes(octets[1 + octets[0] :])


async def test_a_report_is_routed_to_the_terminal(terminal):
    head, pdu = await reports(terminal, after="AT+CNMI=2,1,0,1,0")
    assert head == f"+CDS: {len(pdu) // 2 - 8}"
    report = report_in(pdu)
    assert (report.tp_mr, report.tp_ra.text, report.tp_st) == (0, ELSEWHERE, 0)


async def test_a_report_is_stored_and_told(terminal):
    assert await reports(terminal, after="AT+CNMI=2,1,0,2,0") == ['+CDSI: "SR",1']
    terminal.command('AT+CPMS="SR"')
    head, pdu = terminal.command("AT+CMGR=1")
    assert head.startswith("+CMGR: 0,,")
    assert report_in(pdu).tp_mr == 0


async def test_a_report_is_stored_in_silence(terminal):
    assert await reports(terminal, after="AT+CNMI=2,1,0,0,0") == []
    assert terminal.command('AT+CPMS="SR"') == ["+CPMS: 1,50,0,50,0,50"]


async def test_a_report_that_nobody_awaits_is_dropped_when_its_memory_is_full(terminal_for):
    terminal = terminal_for(sr_capacity=0)
    assert await reports(terminal, after="AT+CNMI=2,1,0,0,0") == []
    assert terminal.modem.waiting == 0


async def test_a_report_waits_for_room_when_it_is_to_be_told(terminal_for):
    terminal = terminal_for(sr_capacity=0)
    assert await reports(terminal, after="AT+CNMI=2,1,0,2,0") == []
    assert terminal.modem.waiting == 1
    assert terminal.say("AT+CNMI=2,1,0,1,0\r")[0].startswith("+CDS: ")
    assert terminal.modem.waiting == 0


async def test_no_report_unless_it_is_asked_for(terminal):
    terminal.command("AT+CNMI=2,1,0,1,0")
    terminal.submit(submit_to(ELSEWHERE))
    await asyncio.sleep(0)
    assert terminal.heard() == []


async def test_a_report_comes_after_its_delay(terminal_for):
    terminal = terminal_for(report_delay=0.01)
    assert await reports(terminal, after="AT+CNMI=2,1,0,1,0") == []
    assert await eventually(terminal.heard)


async def test_no_report_for_a_modem_that_has_left(terminal):
    terminal.command("AT+CNMI=2,1,0,1,0")
    terminal.submit(submit_to(ELSEWHERE, tp_srr=True))
    terminal.modem.close()
    await asyncio.sleep(0)
    assert terminal.modem.waiting == 0


async def test_a_message_to_another_simulated_number_arrives_there(terminal_for: Callable):
    sender, receiver = terminal_for(), terminal_for(name="other", number=ELSEWHERE)
    sender.command("AT+CNMI=2,1,0,1,0")
    receiver.command("AT+CFUN=4")
    tpdu = submit_to(ELSEWHERE, "Grüße {}", tp_srr=True, tp_pid=64)
    assert sender.submit(tpdu) == ACCEPTED
    await asyncio.sleep(0)
    assert sender.heard() == [], "no report before it has arrived"
    receiver.command("AT+CFUN=1")
    await asyncio.sleep(0)
    assert report_in(sender.heard()[1]).tp_mr == 0
    _head, pdu = receiver.command("AT+CMGR=1")
    octets = bytes.fromhex(pdu)
    deliver = SmsDeliver.from_bytes(octets[1 + octets[0] :])
    assert (deliver.tp_oa.text, deliver.tp_ud.text, deliver.tp_pid) == ("+33639981001", "Grüße {}", 64)


async def test_the_report_waits_for_the_acknowledgement_of_a_routed_message(terminal_for: Callable):
    sender, receiver = terminal_for(), terminal_for(name="other", number=ELSEWHERE)
    sender.command("AT+CNMI=2,1,0,1,0")
    receiver.command("AT+CSMS=1;+CNMI=2,2,0,0,0")
    sender.submit(submit_to(ELSEWHERE, tp_srr=True))
    await asyncio.sleep(0)
    assert sender.heard() == []
    receiver.command("AT+CNMA")
    await asyncio.sleep(0)
    assert sender.heard()[0].startswith("+CDS: ")
    receiver.command("AT+CSMS=0")
    sender.submit(submit_to(ELSEWHERE, tp_srr=True))
    await asyncio.sleep(0)
    assert report_in(sender.heard()[1]).tp_mr == 1


def test_two_stations_cannot_have_one_number(terminal_for: Callable, network: SimulatedNetwork):
    terminal_for()
    with pytest.raises(ValueError, match="same number"):
        terminal_for()


def test_writing_and_sending_from_storage(terminal):
    tpdu = submit_to(ELSEWHERE)
    pdu = "00" + tpdu.hex()
    assert terminal.say(f"AT+CMGW={len(tpdu)}\r", pdu + "\x1a") == ["> ", "+CMGW: 1", "OK"]
    assert terminal.command("AT+CMGR=1") == [f"+CMGR: 2,,{len(tpdu)}", pdu.upper()]
    assert terminal.command("AT+CMSS=1") == ["+CMSS: 0"]
    assert terminal.command("AT+CMGR=1")[0] == f"+CMGR: 3,,{len(tpdu)}"
    assert [entry.destination for entry in terminal.modem.submissions] == [ELSEWHERE]
    assert terminal.say("AT+CMSS=2\r") == ["+CMS ERROR: 321"]
    assert terminal.say('AT+CMSS=1,"+336"\r') == ["+CMS ERROR: 303"]


def test_writing_needs_room(terminal_for):
    terminal, tpdu = terminal_for(sm_capacity=1), submit_to(ELSEWHERE)
    line, payload = f"AT+CMGW={len(tpdu)},0\r", "00" + tpdu.hex() + "\x1a"
    assert terminal.say(line, payload)[1] == "+CMGW: 1"
    assert terminal.say(line, payload)[1] == "+CMS ERROR: 322"


def test_a_recipient_may_be_refused_by_the_network(terminal_for):
    terminal = terminal_for(refused={ELSEWHERE: CmsError.CONGESTION})
    assert terminal.submit(submit_to(ELSEWHERE)) == ["> ", "+CMS ERROR: 42"]
    assert terminal.modem.submissions == ()


async def test_a_silent_recipient_gets_the_message_and_nobody_hears_of_it(terminal_for):
    terminal = terminal_for(silent=frozenset({ELSEWHERE}), report_delay=0)
    terminal.say("AT+CNMI=2,1,0,1,0\r")
    assert terminal.submit(submit_to(ELSEWHERE, tp_srr=True)) == ["> "]
    assert [each.destination for each in terminal.modem.submissions] == [ELSEWHERE]
    assert terminal.say("\x1bAT\r") == ["OK"], "the next command is taken, and no report came before it"
