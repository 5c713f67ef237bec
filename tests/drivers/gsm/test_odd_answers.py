"""Answers that follow the letter of no standard: each must be survived, and none taken for what it is not."""

import asyncio
import threading
from dataclasses import replace

import pytest
from support.driven import Drive
from support.pdus import deliver
from support.rigs import QUICK
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import DeliverReceived, ModemState, SubmitResult
from drivers.gsm.profiles import ROUTINGS

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")


@pytest.mark.parametrize(
    ("command", "answers"),
    [
        ("AT+CREG?", ["OK", "+CREG:\nOK", "+CREG: x,y\nOK", "+CREG: 0,77\nOK", "+CGREG: 0,1\nOK"]),
        ("AT+COPS?", ["OK", "+COPS: 0\nOK", '+COPS: 0,0,""\nOK', "+COPS:\nOK", "+CSQ: 1\nOK"]),
        ("AT+CGMI", ["OK", '""\nOK', "+CGMI:\nOK", "\x01\x02\nOK"]),
        ("AT+CGSN", ["OK", "no number\nOK", "+CGSN: 12\nOK"]),
        ("AT+CCID", ["OK", "+CCID: 12\nOK", "+CCID:\nOK"]),
        ("AT+CRSM=176,12258,0,0,10", ["+CRSM: 106,130\nOK", "+CRSM: 144,0,\nOK", "+CRSM:\nOK"]),
        ("AT+CFUN?", ["OK", "+CFUN:\nOK", "+CFUN: 1\nOK", "+CMEE: 1\nOK"]),
        (
            "AT+CPMS?",
            ["OK", "+CPMS:\nOK", "+CPMS: 1,2\nOK", '+CPMS: "SM"\nOK', '+CPMS: "XX",1,2,"XX",1,2,"XX",1,2\nOK'],
        ),
        ("AT+CPMS=?", ["OK", "+CPMS:\nOK", '+CPMS: ("SM","ME")\nOK', "+CPMS: (),(),()\nOK"]),
        ("AT+CSMS?", ["OK", "+CSMS:\nOK", "+CSMS: x\nOK"]),
        ("AT+CPIN?", ["OK", "+CPIN: ready\nOK", '+CPIN: "READY"\nOK', "ERROR", "+CME ERROR: 3", "+CMS ERROR: 500"]),
        ("AT+CSQ", ["+CSQ: 21\nOK", "+COPS: 0\nOK"]),
    ],
)
async def test_answers_of_odd_shape(drive: Drive, command: str, answers: list[str]) -> None:
    for answer in answers:
        driven = drive(ScriptedModem(answers={**PLAIN, command: answer}))
        await driven.start()
        if answer == "+CREG: 0,77\nOK":
            await eventually(lambda driven=driven: driven.supervisor.status().registration == "unknown")
            continue
        await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
        assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_no_routing_at_all(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}}, answers={**PLAIN, "AT+CNMI=2,1,2,1,0": "ERROR"})
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    assert sum(line.startswith("AT+CNMI=") for line in modem.commands) == len(ROUTINGS)
    modem.memories["SM"][1] = 0, deliver("found")
    await eventually(lambda: driven.messages)
    assert "AT+CNMI?" not in modem.commands


@pytest.mark.parametrize(
    "listing",
    [
        "+CMGL: 1,1,,30\n{pdu}\nOK",
        "+CMGL: 1,1,30\n{pdu}\nOK",
        '+CMGL: 1,1,"Name",30\n{pdu}\nOK',
        '+CMGL: 1,"REC READ",,30\n{pdu}\nOK',
        "+CMGL:1,1,,30\nOVER-VOLTAGE WARNNING\nwhat is this\n{pdu}\nOK",
        "+CMGL: x,1,,30\n{pdu}\n+CMGL: 1,1,,30\n{pdu}\nOK",
        "+CMGL: 3,1,,30\n+CMGL: 1,1,,30\n{pdu}\nOK",
        "00\n+CMGL: 1,1,,30\n{pdu}\n00\nOK",
        "+CMGL: 1\n{pdu}\nOK",
    ],
)
async def test_listings_of_odd_shape(drive: Drive, listing: str) -> None:
    modem = ScriptedModem(memories={"SM": {1: (1, deliver("kept"))}})
    modem.answers["AT+CMGL=4"] = listing.format(pdu=deliver("kept").lower())
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: driven.messages)
    [event] = driven.messages
    assert isinstance(event, DeliverReceived)
    assert event.deliver.tp_ud.text == "kept"
    assert event.receipt.index == 1
    await driven.supervisor.acknowledge(event.receipt)
    await eventually(lambda: not modem.memories["SM"])


async def test_a_memory_that_cannot_be_chosen_after_all(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (0, deliver("one"))}, "ME": {2: (0, deliver("two"))}})
    refused = ('AT+CPMS="ME"', 'AT+CPMS="ME","ME","SM"')
    modem.answers.update(dict.fromkeys(refused, "+CMS ERROR: 302"))
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: driven.messages)
    modem.say('+CMTI: "ME",2')
    looks = modem.commands.count('AT+CPMS="ME"')
    await eventually(lambda: modem.commands.count('AT+CPMS="ME"') > looks)
    assert len(driven.messages) == 1


async def test_a_memory_that_cannot_be_chosen_any_more_keeps_its_message(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}, "ME": {2: (0, deliver("two"))}})
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    await eventually(lambda: driven.messages)
    refused = ('AT+CPMS="ME"', 'AT+CPMS="ME","ME","SM"')
    modem.answers.update(dict.fromkeys(refused, "+CMS ERROR: 302"))
    await driven.supervisor.acknowledge(driven.messages[0].receipt)  # type: ignore[union-attr]
    await eventually(lambda: modem.commands.count('AT+CPMS="ME"') > 2)
    assert modem.memories["ME"]
    for command in refused:
        del modem.answers[command]
    await eventually(lambda: not modem.memories["ME"])
    assert len(driven.messages) == 1


async def test_a_sim_that_is_busy_when_its_pin_comes_is_given_it_later(drive: Drive) -> None:
    answers = {**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK", "AT+CPINR": "+CPINR: SIM PIN,3,3\nOK"}
    modem = ScriptedModem(answers=answers)

    def right(_: str) -> str:
        modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
        return "OK"

    def busy(_: str) -> str:
        modem.answers['AT+CPIN="1234"'] = right
        return "+CME ERROR: 14"

    modem.answers['AT+CPIN="1234"'] = busy
    driven = drive(modem, pin="1234")
    await driven.start()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert modem.commands.count('AT+CPIN="1234"') == 2


async def test_a_sim_that_never_becomes_ready(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: NOT READY\nOK"}))
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    assert driven.supervisor.status().reason == "the SIM does not become ready"


async def test_a_modem_that_never_goes_into_pdu_mode(drive: Drive) -> None:
    for read in ("ERROR", "OK", "+CMGF:\nOK", "+CMGF: 1\nOK"):
        modem = ScriptedModem(answers={**PLAIN, "AT+CMGF=0": "ERROR", "AT+CMGF?": read})
        driven = drive(modem)
        await driven.start()
        await eventually(lambda driven=driven: driven.supervisor.status().state is ModemState.REPAIRING)
        assert driven.supervisor.status().reason == "the modem does not go into PDU mode"
        assert not modem.submitted


async def test_a_line_that_is_never_quiet_is_used_all_the_same(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGF?": "ERROR"})
    driven = drive(modem)

    async def chatter() -> None:
        while True:
            modem.say("^RSSI:9")
            await asyncio.sleep(0.005)

    noise = asyncio.create_task(chatter())
    await driven.start()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
    noise.cancel()
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_twenty_modems_need_no_further_thread(drive: Drive) -> None:
    before = threading.active_count()
    many = [drive() for _ in range(20)]
    await asyncio.gather(*(driven.ready() for driven in many))
    results = await asyncio.gather(*(driven.supervisor.submit(TPDU) for driven in many))
    assert results == [SubmitResult(7)] * 20
    assert threading.active_count() == before


async def test_an_idle_modem_is_left_alone(drive: Drive) -> None:
    """It sleeps until the next look is due: until then its one task has no other reason to wake."""
    driven = drive(ScriptedModem(memories={"SM": {}}), poll_seconds=3600.0)
    await driven.ready()
    # The last word is whether it answers, after a while of readiness.
    await eventually(lambda: driven.modem.commands[-2:] == ["AT+CMGL=4", "AT"])
    loop = asyncio.get_running_loop()
    await eventually(lambda: _next_timer(loop) > 3000)
    assert driven.modem.commands[-2:] == ["AT+CMGL=4", "AT"]


def _next_timer(loop: asyncio.AbstractEventLoop) -> float:
    """Seconds until somebody of this loop wakes by himself; whoever asks is awake."""
    timers = [timer.when() for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    return min(timers, default=float("inf")) - loop.time()


async def test_the_state_of_the_sim_without_ok_is_waited_for_shortly(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: READY"})
    driven = drive(modem, deadlines=replace(QUICK, factor=1.0))
    await driven.start()
    # The usual deadline of the command is 20 s.
    await asyncio.wait_for(driven.supervisor.wait_ready(), 15)
    modem.say("OK")  # one that comes late all the same belongs to nothing
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
