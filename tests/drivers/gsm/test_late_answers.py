"""Answers that come when their submit was given up: whose they are, what they are believed, and what ends the wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.driven import Drive, Driven
from support.rigs import HASTY, QUICK, SerialRig
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import DriverError, ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import SubmitAnsweredLate, SubmitResult, WireStage
from drivers.sim import SimSettings

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
CTRL_Z, ESC = b"\x1a", b"\x1b"


class Looker:
    """A witness by its tag; keeps the lines that it is told."""

    def __init__(self, tag: object) -> None:
        self.tag = tag
        self.lines: list[str] = []

    def on_wire(self, stage: WireStage) -> None:
        pass

    def on_line(self, line: str) -> None:
        self.lines.append(line)


def answers(driven: Driven) -> list[SubmitAnsweredLate]:
    return [event for event in driven.events if isinstance(event, SubmitAnsweredLate)]


async def give_up(driven: Driven, tag: object = "first", then: Callable[[], object] = lambda: None) -> None:
    """A submit that is not answered in time; `then` is called when the modem has all of it."""

    def silent(_: str) -> None:
        then()

    driven.modem.on_submit = silent
    with pytest.raises(SubmitUncertain) as caught:
        await driven.supervisor.submit(TPDU, None if tag is None else Looker(tag))
    assert caught.value.cause == "timeout"
    driven.modem.on_submit = lambda _: "+CMGS: 99\nOK"


async def in_step(driven: Driven) -> None:
    """The driver has made sure of the modem again, and looked after it."""

    def looked() -> bool:
        commands = driven.modem.commands
        since = len(commands) - commands[::-1].index(f"AT+CMGS={len(TPDU)}")
        return commands[-1] == "AT+CMGL=4" and "AT+CSQ" in commands[since:]

    await eventually(looked)


@pytest.fixture
async def driven(drive: Drive) -> Driven:
    made = drive(ScriptedModem(memories={"SM": {}}))
    await made.ready()
    return made


async def test_m03_the_reference_is_told_with_the_tag_and_nothing_was_sent_to_get_it(driven: Driven) -> None:
    await give_up(driven)
    await in_step(driven)
    driven.modem.say("+CMGS: 9\nOK")
    await eventually(lambda: answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))])
    assert driven.modem.received.count(CTRL_Z) == 1
    assert await driven.supervisor.submit(TPDU) == SubmitResult(99)


@pytest.mark.parametrize("command", ["AT", "AT+CMGF?"])
async def test_the_resynchronisation_does_not_swallow_it(driven: Driven, command: str) -> None:
    def late(_: str) -> str:
        driven.modem.answers[command] = PLAIN[command]
        return f"+CMGS: 9\nOK\n{PLAIN[command]}"

    await give_up(driven, then=lambda: driven.modem.answers.update({command: late}))
    await eventually(lambda: answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))])
    assert await driven.supervisor.submit(TPDU) == SubmitResult(99)


async def test_the_question_before_the_next_submit_does_not_swallow_it(driven: Driven) -> None:
    def late(_: str) -> str:
        driven.modem.answers["AT+CMGF?"] = PLAIN["AT+CMGF?"]
        return f"+CMGS: 9\nOK\n{PLAIN['AT+CMGF?']}"

    await give_up(driven)
    await in_step(driven)
    driven.modem.answers["AT+CMGF?"] = late
    assert await driven.supervisor.submit(TPDU, Looker("second")) == SubmitResult(99)
    assert answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))]


async def test_a_modem_that_is_deaf_until_then_is_heard_through_the_port_opened_anew(driven: Driven) -> None:
    was = dict(driven.modem.answers)
    await give_up(driven, then=lambda: driven.modem.answers.update(dict.fromkeys(was)))
    await eventually(lambda: len(driven.lines) > 1 and driven.line.open_now)
    driven.modem.say("+CMGS: 9\nOK")
    driven.modem.answers = was
    await eventually(lambda: answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))])


async def test_a_refusal_by_the_network_is_told(driven: Driven) -> None:
    await give_up(driven)
    await in_step(driven)
    driven.modem.say("+CMS ERROR: 42")
    await eventually(lambda: answers(driven))
    [answer] = answers(driven)
    assert isinstance(answer.result, SubmitRefused)
    assert (answer.tag, answer.result.code, answer.result.retryable) == ("first", "cms_42", True)


@pytest.mark.parametrize("line", ["OK", "ERROR", "+CMS ERROR: 38", "+CMS ERROR: 330", "+CMGS: many", "+CMGR: 9"])
async def test_what_proves_nothing_is_not_told_and_the_wait_goes_on(driven: Driven, line: str) -> None:
    """330 is the modem's own error, and an ESC was written to it: it may be speaking of that."""
    await give_up(driven)
    await in_step(driven)
    driven.modem.say(line)
    driven.modem.say("+CMGS: 9\nOK")
    await eventually(lambda: answers(driven))
    assert answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))]


async def test_an_error_is_not_believed_while_another_command_is_owed_one(drive: Drive) -> None:
    driven = drive(ScriptedModem(memories={"SM": {}}), deadlines=HASTY)
    await driven.ready()
    driven.modem.answers["AT+CPIN?"] = None
    await give_up(driven)
    await eventually(lambda: driven.modem.commands.count("AT+CPIN?") > 1)
    owed = driven.modem.commands.count("AT+CMGF?")
    await eventually(lambda: driven.modem.commands.count("AT+CMGF?") > owed, 10)
    driven.modem.say("+CMS ERROR: 1")
    driven.modem.say("+CMGS: 9\nOK")
    await eventually(lambda: answers(driven))
    assert answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))]


async def test_the_next_submit_ends_the_wait(driven: Driven) -> None:
    await give_up(driven)
    assert await driven.supervisor.submit(TPDU, Looker("second")) == SubmitResult(99)
    driven.modem.say("+CMGS: 9\nOK")
    await give_up(driven, "third")
    await in_step(driven)
    driven.modem.say("+CMGS: 10\nOK")
    await eventually(lambda: answers(driven))
    assert answers(driven) == [SubmitAnsweredLate("third", SubmitResult(10))]


async def test_told_twice_it_counts_once_and_without_a_witness_not_at_all(driven: Driven) -> None:
    await give_up(driven, None)
    await in_step(driven)
    driven.modem.say("+CMGS: 8\nOK")
    await give_up(driven)
    driven.modem.say("+CMGS: 9\nOK\n+CMGS: 10\nOK")
    await eventually(lambda: answers(driven))
    await driven.stop()
    assert answers(driven) == [SubmitAnsweredLate("first", SubmitResult(9))]


async def test_m03_over_a_terminal_a_simulated_modem_that_takes_its_time(tmp_path: Path) -> None:
    rig = SerialRig(SimSettings(latency=1.0), tmp_path)
    await rig.plug()
    supervisor = rig.supervise(replace(QUICK, submit=0.3))
    await supervisor.start()
    try:
        await asyncio.wait_for(supervisor.wait_ready(), 5)
        with pytest.raises(SubmitUncertain):
            await supervisor.submit(TPDU, Looker(23))
        heard = [event async for event in _until_answered(supervisor.events())]
        [sent] = rig.simulated.submissions
        assert heard[-1] == SubmitAnsweredLate(23, SubmitResult(sent.tp_mr))
    finally:
        await supervisor.stop()
        await rig.close()


async def _until_answered(events):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        async for event in events:
            yield event
            if isinstance(event, SubmitAnsweredLate):
                return


# --- a submit of an earlier process, whose port was kept open


async def inherited(drive: Drive, modem: ScriptedModem, age: float = 0.0) -> tuple[Driven, Looker]:
    driven, looker = drive(modem), Looker("before")
    driven.supervisor.expect_answer(looker, TPDU, age)
    await driven.start()
    return driven, looker


async def result(driven: Driven) -> SubmitResult | DriverError:
    await eventually(lambda: answers(driven))
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    [answer] = answers(driven)
    assert answer.tag == "before"
    assert CTRL_Z not in driven.modem.received
    return answer.result


async def test_nothing_is_written_before_the_answer_is_there(drive: Drive) -> None:
    driven, looker = await inherited(drive, ScriptedModem())
    await eventually(lambda: driven.lines and driven.line.open_now)
    driven.modem.say("+CMGS: 5\nOK")
    assert not driven.modem.received
    assert await result(driven) == SubmitResult(5)
    assert looker.lines == ["+CMGS: 5"]


@pytest.mark.parametrize(("line", "code"), [("+CMS ERROR: 1", "cms_1"), ("+CMS ERROR: 330", "cms_330")])
async def test_a_refusal_is_believed_since_nothing_else_is_owed_an_answer(drive: Drive, line: str, code: str) -> None:
    driven, _ = await inherited(drive, ScriptedModem())
    await eventually(lambda: driven.lines and driven.line.open_now)
    driven.modem.say(line)
    found = await result(driven)
    assert isinstance(found, SubmitRefused)
    assert found.code == code


@pytest.mark.parametrize("age", [0.0, 1000.0, -1000.0])
async def test_silence_to_the_end_is_no_proof_and_esc_is_all_that_is_written(drive: Drive, age: float) -> None:
    driven, looker = await inherited(drive, ScriptedModem(), age)
    found = await result(driven)
    assert isinstance(found, SubmitUncertain)
    assert found.cause == "restart"
    assert driven.modem.received.startswith(ESC)
    assert looker.lines == []


class AtThePrompt(ScriptedModem):
    """It still waits for the end of a PDU, of which the process before had typed all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._prompting = True
        self._pending += b"00" + TPDU.hex().upper().encode()


class AnswersEachEscape(ScriptedModem):
    def _take(self, octet: bytes) -> None:
        if octet == ESC:
            self.say("OK")
        super()._take(octet)


async def test_c09_a_prompt_that_is_still_open_proves_that_nothing_left(drive: Drive) -> None:
    driven, _ = await inherited(drive, AtThePrompt())
    found = await result(driven)
    assert isinstance(found, ModemNotReady)
    assert driven.modem.submitted == []
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert driven.modem.submitted == ["00" + TPDU.hex().upper()]


async def test_c09_a_modem_that_answers_any_esc_proves_nothing(drive: Drive) -> None:
    driven, _ = await inherited(drive, AnswersEachEscape())
    assert isinstance(await result(driven), SubmitUncertain)


@pytest.mark.parametrize("said", ["OK", "5\nOK", "+CMS ERROR: 38", "ERROR"])
async def test_c09_whoever_has_said_something_is_not_asked(drive: Drive, said: str) -> None:
    """The rest of an answer of which the process before had read the beginning, or one that may mean anything."""
    driven, _ = await inherited(drive, AtThePrompt())
    await eventually(lambda: driven.lines and driven.line.open_now)
    driven.modem.say(said)
    assert isinstance(await result(driven), SubmitUncertain)


async def test_a_port_that_is_gone_ends_the_wait(drive: Drive) -> None:
    driven, _ = await inherited(drive, ScriptedModem())
    await eventually(lambda: driven.lines and driven.line.open_now)
    await driven.line.unplug()
    assert isinstance(await result(driven), SubmitUncertain)


async def test_a_stop_waits_for_the_answer(drive: Drive) -> None:
    driven, _ = await inherited(drive, ScriptedModem())
    await eventually(lambda: driven.lines and driven.line.open_now)
    stopping = asyncio.create_task(driven.stop())
    await asyncio.sleep(0)
    driven.modem.say("+CMGS: 5\nOK")
    await stopping
    assert answers(driven) == [SubmitAnsweredLate("before", SubmitResult(5))]
