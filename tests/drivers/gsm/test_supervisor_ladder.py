"""The ladder climbed by a modem in trouble: what it is given, what is told of it, and that it comes back."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.driven import Drive, Driven
from support.rigs import QUICK, QUICK_REPAIR
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import ModemState, ModemStateChanged, SubmitResult

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
MUTE = {"AT": None, "ATQ0V1": None, "AT+CMGF?": None}
RESET = b"\rAT+CFUN=1,1\r"


def reasons(driven: Driven) -> list[str]:
    return [event.reason or "" for event in driven.events if isinstance(event, ModemStateChanged)]


def rests(driven: Driven) -> list[str]:
    return [reason for reason in reasons(driven) if reason.startswith("resting")]


def deaf() -> ScriptedModem:
    return ScriptedModem(answers=dict.fromkeys(PLAIN))


async def test_a_modem_that_is_silent_for_good(
    drive: Drive, tell: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    driven = drive(deaf())
    began, worked = asyncio.get_running_loop().time(), time.process_time()
    await driven.start()
    await eventually(lambda: len(rests(driven)) >= 3, 60)
    share = (time.process_time() - worked) / (asyncio.get_running_loop().time() - began)
    assert rests(driven)[:3] == [
        f"resting {seconds} s after {count} silences in a row; the port is open and nothing answers"
        for seconds, count in (("0.4", 3), ("0.8", 4), ("1.6", 5))
    ]
    resets = bytes(driven.modem.received).count(RESET)
    # One for the second silence, and one on the way to each rest.
    assert resets in {3, 4}
    alarms = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {(vars(alarm)["action"], vars(alarm)["modem"]) for alarm in alarms} == {("modem_resting", "m")}
    assert len(alarms) == len(rests(driven))
    assert set(driven.states) == {ModemState.REPAIRING}
    # Each attempt is six times AT, and a reset is nothing: no loop that spins would do with so few.
    timeouts = sum(command in {"AT", "ATQ0V1"} for command in driven.modem.commands)
    assert timeouts <= 6 * (len(rests(driven)) + 4)
    tell(
        f"M12: {timeouts} time-outs in a row: {resets} resets, {len(rests(driven))} rests with an alarm each, "
        f"{share:.1%} of a processor with pauses of a hundredth"
    )


async def test_a_silence_that_ends_is_mended_on_the_same_port(drive: Drive) -> None:
    driven = drive(poll_seconds=0.05)
    await driven.ready()
    driven.modem.answers.update(MUTE)
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    driven.modem.answers.update(PLAIN)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert len(driven.lines) == 1
    assert RESET not in driven.modem.received
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_a_second_silence_is_reset_and_opened_anew(drive: Drive) -> None:
    driven = drive(deaf())
    await driven.start()
    await eventually(lambda: len(driven.lines) == 2, 10)
    assert bytes(driven.modem.received).count(RESET) == 1
    driven.modem.answers.update(PLAIN)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert rests(driven) == []


async def test_a_modem_that_answers_at_and_hangs_at_all_else_is_silent(drive: Drive) -> None:
    driven = drive(deadlines=replace(QUICK, factor=0.01), poll_seconds=0.05)
    await driven.ready()
    driven.modem.answers["AT+CPIN?"] = None
    await eventually(lambda: rests(driven), 30)
    assert RESET in driven.modem.received
    driven.modem.answers.update(PLAIN)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


LONG_REST = replace(QUICK, repair=replace(QUICK_REPAIR, rest=600.0, look=0.01))


async def test_a_rest_ends_when_the_port_has_vanished_and_is_back(drive: Drive) -> None:
    driven = drive(deaf(), deadlines=LONG_REST)
    await driven.start()
    await eventually(lambda: rests(driven), 20)
    await eventually(lambda: driven.line.open_now and len(driven.lines) == 3, 5)
    driven.away = True
    await driven.line.unplug()
    driven.modem.answers.update(PLAIN)
    await asyncio.sleep(0)
    driven.away = False
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_rest_ends_when_the_modem_starts_anew(drive: Drive) -> None:
    driven = drive(deaf(), deadlines=LONG_REST)
    await driven.start()
    await eventually(lambda: rests(driven), 20)
    await eventually(lambda: driven.line.open_now and len(driven.lines) == 3, 5)
    driven.modem.answers.update(PLAIN)
    # Noise is no news.
    driven.modem.write(b"\xaa\x00" * 50_000)
    driven.modem.say("RDY")
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_stopping_at_rest_is_quick(drive: Drive) -> None:
    driven = drive(deaf(), deadlines=LONG_REST)
    await driven.start()
    await eventually(lambda: rests(driven), 20)
    await asyncio.wait_for(driven.supervisor.stop(), 2)
    assert not any(line.open_now for line in driven.lines)


# --- submits


async def test_an_answer_that_never_comes_and_the_message_after_it(drive: Drive, tell: Callable[[str], None]) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: None))
    await driven.ready()
    began = asyncio.get_running_loop().time()
    with pytest.raises(SubmitUncertain) as caught:
        await driven.supervisor.submit(TPDU)
    assert caught.value.cause == "timeout"
    driven.modem.on_submit = lambda _: "+CMGS: 8\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(8)
    lost = asyncio.get_running_loop().time() - began - QUICK.submit
    tell(f"M04: uncertain at the deadline; in step and the next message sent {lost:.2f} s after it")
    assert len(driven.modem.submitted) == 2
    assert driven.states == [ModemState.READY]
    assert len(driven.lines) == 1


async def test_three_submits_without_answer_reset_the_modem_and_let_it_rest(drive: Drive) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: None, answers={**PLAIN, "AT+CFUN=1,1": "OK"}))
    await driven.ready()
    for _ in range(3):
        assert driven.supervisor.status().state is ModemState.READY
        with pytest.raises(SubmitUncertain):
            await driven.supervisor.submit(TPDU)
    await eventually(lambda: rests(driven))
    assert rests(driven)[0].startswith("resting 0.4 s after 3 silences in a row")
    assert "AT+CFUN=1,1" in driven.modem.commands
    with pytest.raises(ModemNotReady, match="resting"):
        await driven.supervisor.submit(TPDU)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    # It is ready, and has proved nothing: one more is enough, and the rest is longer.
    with pytest.raises(SubmitUncertain):
        await driven.supervisor.submit(TPDU)
    await eventually(lambda: len(rests(driven)) == 2)
    assert rests(driven)[1].startswith("resting 0.8 s")
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    driven.modem.on_submit = lambda _: "+CMGS: 8\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(8)


@pytest.mark.parametrize("final", ["+CMS ERROR: 42", "+CMS ERROR: 21", "+CMS ERROR: 500", "ERROR", "OK"])
async def test_no_final_result_counts_however_often(drive: Drive, final: str) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: final))
    await driven.ready()
    for _ in range(8):
        with pytest.raises((SubmitRefused, SubmitUncertain)):
            await driven.supervisor.submit(TPDU)
    assert driven.states == [ModemState.READY]
    assert len(driven.lines) == 1


async def test_a_modem_that_reboots_in_the_middle_of_a_submit(drive: Drive, tell: Callable[[str], None]) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem, deadlines=replace(QUICK, submit=60.0))
    await driven.ready()
    before = modem.commands.count("AT+CMGF=0")
    submitting = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    modem.say("RDY")
    with pytest.raises(SubmitUncertain) as caught:
        await asyncio.wait_for(submitting, 5)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert modem.commands.count("AT+CMGF=0") == before + 1
    assert "started anew" in " ".join(reasons(driven))
    modem.on_submit = lambda _: "+CMGS: 9\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(9)
    tell(f"M16: uncertain ({caught.value.cause}) at once, initialised anew on the same port, the next message sent")


async def test_no_message_goes_to_a_modem_that_stays_in_text_mode(drive: Drive, tell: Callable[[str], None]) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGF=0": "ERROR", "AT+CMGF?": "+CMGF: 1\nOK", "AT+CFUN=1,1": "OK"})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: "AT+CFUN=1,1" in modem.commands, 20)
    with pytest.raises(ModemNotReady, match="PDU mode"):
        await driven.supervisor.submit(TPDU)
    assert not any(command.startswith("AT+CMGS") for command in modem.commands)
    modem.answers.update(PLAIN)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    tell("M17: 0 submits while PDU mode is refused; re-initialised, reset, and sent when it is taken")


# --- the SIM, the network, our own mistakes


async def test_a_sim_that_comes_back_is_found(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CME ERROR: 10", "AT+CFUN=4": "OK", "AT+CFUN=1": "OK"})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: "no SIM is inserted" in reasons(driven))
    await eventually(lambda: "AT+CFUN=4" in modem.commands or "AT+CFUN=0" in modem.commands)
    assert driven.supervisor.status().state is ModemState.REPAIRING
    modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_modem_without_network_has_its_radio_switched_off_and_on(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CFUN=4": "OK", "AT+CFUN=0": "OK", "AT+CFUN=1": "OK"})
    modem.answers["AT+CREG?"] = "+CREG: 1,2\nOK"

    def on(_: str) -> str:
        if modem.commands.count("AT+CFUN=1") == 2:
            modem.answers["AT+CREG?"] = "+CREG: 1,1\nOK"
        return "OK"

    modem.answers["AT+CFUN=1"] = on
    driven = drive(modem, deadlines=replace(QUICK, repair=replace(QUICK_REPAIR, network=0.1, network_longest=0.2)))
    await driven.start()
    await eventually(lambda: "not registered with a network (searching)" in reasons(driven))
    await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
    assert modem.commands.count("AT+CFUN=1") == 2
    assert len(driven.lines) == 1


async def test_attempts_are_not_made_without_a_network(drive: Drive, tell: Callable[[str], None]) -> None:
    driven = drive()
    await driven.ready()
    driven.modem.answers["AT+CREG?"] = "+CREG: 1,2\nOK"
    driven.modem.say("+CREG: 2")
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    for _ in range(20):
        with pytest.raises(ModemNotReady, match="not registered"):
            await driven.supervisor.submit(TPDU)
    assert driven.modem.submitted == []
    driven.modem.answers["AT+CREG?"] = "+CREG: 1,1\nOK"
    began = asyncio.get_running_loop().time()  # nothing is said of it: it is asked for
    await asyncio.wait_for(driven.supervisor.wait_ready(), 15)
    took = asyncio.get_running_loop().time() - began
    tell(f"M13: 0 submits while not registered; ready {took:.1f} s after the network was back")
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert len(driven.lines) == 1


async def test_mistakes_of_ours_end_in_a_rest_too(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    driven = drive(deadlines=replace(QUICK, reopen=0.001, repair=replace(QUICK_REPAIR, mend_longest=0.001)))
    driven.mistakes = 14
    await driven.start()
    await eventually(lambda: rests(driven))
    assert rests(driven)[0] == "resting 0.4 s after 11 repairs within 5 min"
    assert sum(vars(record).get("action") == "modem_error" for record in caplog.records) >= 11
    await asyncio.wait_for(driven.supervisor.wait_ready(), 30)


async def test_a_rest_after_losses_ends_when_the_port_was_away_and_is_back(drive: Drive) -> None:
    long_rest = replace(QUICK, repair=replace(QUICK_REPAIR, rest=600.0, longest_rest=600.0, calm=600.0))
    driven = drive(deadlines=long_rest)
    await driven.ready()
    for count in range(3):
        await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
        await driven.line.unplug()
        await eventually(lambda count=count: len(driven.lines) > count + 1 or rests(driven))
    assert rests(driven) == ["resting 10 min after 3 losses of the port in a row"]
    # A plug that lets go for a moment ends nothing: the port is held, and lost, and found at the next look.
    held = len(driven.lines)
    await eventually(lambda: len(driven.lines) > held or driven.line.open_now)
    await driven.line.unplug()
    await eventually(lambda: len(driven.lines) > held + 1 or driven.line.open_now)
    with pytest.raises(ModemNotReady, match="resting"):
        await driven.supervisor.submit(TPDU)
    driven.away = True
    await driven.line.unplug()
    # Missing at looks that lie further apart than a wobble lasts.
    await eventually(lambda: driven.missed >= 4)
    driven.away = False
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
