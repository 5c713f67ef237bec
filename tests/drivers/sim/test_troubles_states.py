"""Troubles of registration, SIM, storage, settings, references, reports and indications, as a terminal sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.terminal import TPDU, Terminal, happened
from support.waiting import eventually

from drivers.sim.troubles.reports import STRANGER
from drivers.tpdu import SmsStatusReport, split_smsc


@pytest.mark.parametrize(("stat", "number"), [("none", 0), ("searching", 2), ("denied", 3), ("unknown", 4)])
async def test_no_service_for_a_while(terminal: Terminal, stat: str, number: int):
    terminal.command("AT+CREG=1")
    trouble = terminal.modem.trouble("unregister", stat=stat)
    assert terminal.heard() == [f"+CREG: {number}"]
    assert terminal.submit(TPDU) == ["> ", "+CMS ERROR: 331"]
    terminal.modem.inject_sms("+33612345678", "Hello")
    assert terminal.modem.waiting == 1
    terminal.modem.troubles.end(trouble)
    assert terminal.heard() == ["+CREG: 1"]
    assert terminal.modem.waiting == 0
    assert terminal.submit(TPDU) == ["> ", "+CMGS: 0", "OK"]


async def test_a_foreign_network(terminal: Terminal):
    terminal.modem.trouble("unregister", stat="roaming", lasting=0.01)
    assert terminal.command("AT+CREG?") == ["+CREG: 0,5"]
    await eventually(lambda: not terminal.modem.troubles.on)
    assert terminal.command("AT+CREG?") == ["+CREG: 0,1"]


async def test_a_sim_that_is_not_found(terminal: Terminal):
    terminal.command("AT+CMEE=1")
    trouble = terminal.modem.trouble("sim-lost")
    assert terminal.say("AT+CPIN?\r") == ["+CME ERROR: 10"]
    assert terminal.say("AT+CIMI\r") == ["+CME ERROR: 10"]
    assert terminal.say("AT+CMGS=20\r") == ["+CMS ERROR: 310"]
    assert terminal.command("AT+CREG?") == ["+CREG: 0,0"]
    terminal.modem.troubles.end(trouble)
    assert terminal.command("AT+CPIN?") == ["+CPIN: READY"]
    assert terminal.command("AT+CREG?") == ["+CREG: 0,1"]


async def test_a_sim_that_comes_back_wants_its_pin(terminal_for: Callable[..., Terminal]):
    terminal = terminal_for(pin="1234")
    terminal.command('AT+CPIN="1234"')
    terminal.modem.troubles.end(terminal.modem.trouble("sim-lost"))
    assert terminal.command("AT+CPIN?") == ["+CPIN: SIM PIN"]


async def test_the_pin_once_more(terminal_for: Callable[..., Terminal]):
    terminal = terminal_for(pin="1234")
    terminal.command('AT+CPIN="1234"')
    terminal.modem.trouble("pin-again")
    assert terminal.command("AT+CPIN?") == ["+CPIN: SIM PIN"]
    assert terminal.say("AT+CMGS=20\r") == ["+CMS ERROR: 311"]
    assert terminal.command('AT+CPIN="1234"') == []
    assert happened(terminal.modem) == ["began", "ended"]


async def test_a_sim_without_pin_cannot_want_it(terminal: Terminal):
    with pytest.raises(ValueError, match="no PIN"):
        terminal.modem.trouble("pin-again")
    assert not terminal.modem.troubles.on
    assert not terminal.modem.troubles.history


@pytest.mark.parametrize(("junk", "listed"), [("drafts", 2), ("messages", 1)])
async def test_a_storage_full_of_junk(terminal_for: Callable[..., Terminal], junk: str, listed: int):
    terminal = terminal_for(sm_capacity=5)
    terminal.command("AT+CNMI=2,1")
    terminal.modem.inject_sms("+33612345678", "before")
    terminal.heard()
    trouble = terminal.modem.trouble("full-memory", junk=junk, urc=True)
    assert terminal.heard() == ['^SMMEMFULL: "SM"']
    assert terminal.command("AT+CPMS?") == ['+CPMS: "SM",5,5,"SM",5,5,"SM",5,5']
    assert len(terminal.command(f"AT+CMGL={listed}")) == 8
    assert terminal.say(f"AT+CMGW={len(TPDU)}\r", "00" + TPDU.hex() + "\x1a") == ["> ", "+CMS ERROR: 322"]
    terminal.modem.inject_sms("+33612345678", "meanwhile")
    assert terminal.modem.waiting == 1
    assert terminal.command("AT+CMGD=3") == ['+CMTI: "SM",3']
    assert terminal.modem.waiting == 0
    terminal.modem.troubles.end(trouble)
    assert terminal.command("AT+CPMS?") == ['+CPMS: "SM",2,5,"SM",2,5,"SM",2,5']
    assert len(terminal.command("AT+CMGL=4")) == 4


async def test_a_full_storage_may_refuse_submissions(terminal: Terminal):
    terminal.modem.trouble("full-memory", refuse=True)
    assert terminal.submit(TPDU) == ["> ", "+CMS ERROR: 322"]
    terminal.command("AT+CMGD=1")
    assert terminal.submit(TPDU) == ["> ", "+CMGS: 0", "OK"]


async def test_a_few_slots_stay_free(terminal: Terminal):
    terminal.modem.trouble("full-memory", storage="ME", free=2)
    assert terminal.command('AT+CPMS="ME"') == ["+CPMS: 98,100,0,50,0,50"]


async def test_routing_is_off_all_at_once(terminal: Terminal):
    terminal.command("AT+CNMI=2,1,0,1")
    terminal.modem.trouble("cnmi-reset")
    assert terminal.command("AT+CNMI?") == ["+CNMI: 0,0,0,0,0"]
    terminal.modem.inject_sms("+33612345678", "Hello")
    assert terminal.heard() == []
    assert happened(terminal.modem) == ["began", "ended"]


@pytest.mark.parametrize("forgets", [False, True])
async def test_pdu_mode_cannot_be_had(terminal: Terminal, forgets: bool):
    trouble = terminal.modem.trouble("text-mode", forgets=forgets)
    assert terminal.say("AT+CMGF=0\r") == ["OK" if forgets else "+CMS ERROR: 302"]
    terminal.command("ATZ")
    assert terminal.command("AT+CMGF?") == ["+CMGF: 1"]
    terminal.modem.troubles.end(trouble)
    assert terminal.command("AT+CMGF?") == ["+CMGF: 0"]


@pytest.mark.parametrize(("name", "references"), [("same-reference", [1, 1, 1]), ("zero-reference", [0, 0, 0])])
async def test_references_that_stay(terminal: Terminal, name: str, references: list[int]):
    terminal.submit(TPDU)
    terminal.submit(TPDU)
    trouble = terminal.modem.trouble(name)
    for _ in references:
        terminal.submit(TPDU)
    terminal.modem.troubles.end(trouble)
    terminal.submit(TPDU)
    assert [one.tp_mr for one in terminal.modem.submissions] == [0, 1, *references, 2]


def reports(said: list[str]) -> list[SmsStatusReport]:
    return [SmsStatusReport.from_bytes(split_smsc(bytes.fromhex(line))[1]) for line in said if line.startswith("0")]


@pytest.fixture
def reported(terminal: Terminal) -> Terminal:
    terminal.command("AT+CNMI=2,1,0,1")
    return terminal


async def told(terminal: Terminal, count: int) -> list[SmsStatusReport]:
    said: list[str] = []

    def enough() -> bool:
        said.extend(terminal.heard())
        return len(reports(said)) >= count

    await eventually(enough)
    return reports(said)


async def test_reports_come_twice(reported: Terminal):
    reported.modem.trouble("report-order", way="doubled")
    reported.submit(TPDU)
    assert [one.tp_mr for one in await told(reported, 2)] == [0, 0]


async def test_reports_are_turned_round(reported: Terminal):
    trouble = reported.modem.trouble("report-order", way="reversed", gather=3)
    for _ in range(3):
        reported.submit(TPDU)
    assert [one.tp_mr for one in await told(reported, 3)] == [2, 1, 0]
    reported.submit(TPDU)
    await eventually(lambda: len(trouble._held) == 1)
    reported.modem.troubles.end(trouble)
    assert [one.tp_mr for one in await told(reported, 1)] == [3]


async def test_a_report_for_a_message_that_never_was(reported: Terminal):
    reported.modem.trouble("report-order", way="unknown")
    reported.submit(TPDU)
    assert [one.tp_ra.text for one in await told(reported, 2)] == [STRANGER, "+33639985555"]


async def test_reports_are_lost(reported: Terminal):
    trouble = reported.modem.trouble("report-order", way="lost")
    reported.submit(TPDU)
    for _ in range(3):  # the network reports in the next turn of the loop
        await asyncio.sleep(0)
    reported.modem.troubles.end(trouble)
    reported.submit(TPDU)
    assert [one.tp_mr for one in await told(reported, 1)] == [1]


async def test_a_report_says_another_status(reported: Terminal):
    reported.modem.trouble("report-status", st=0x46, times=2)
    for _ in range(3):
        reported.submit(TPDU)
    assert [one.tp_st for one in await told(reported, 3)] == [0x46, 0x46, 0]


async def test_nobody_is_told_of_a_message(terminal: Terminal):
    terminal.command("AT+CNMI=2,1")
    terminal.modem.trouble("lost-indication")
    terminal.modem.inject_sms("+33612345678", "Hello")
    assert terminal.heard() == []
    assert terminal.modem.station.equipment.memory.used == 1
    terminal.modem.inject_sms("+33612345678", "Hello")
    assert terminal.heard() == ['+CMTI: "SM",2']


@pytest.mark.parametrize("direct", [False, True])
async def test_a_message_that_is_routed_is_lost_only_on_request(terminal: Terminal, direct: bool):
    terminal.command("AT+CNMI=2,2")
    terminal.modem.trouble("lost-indication", direct=direct)
    terminal.modem.inject_sms("+33612345678", "Hello")
    assert len(terminal.heard()) == (0 if direct else 2)
