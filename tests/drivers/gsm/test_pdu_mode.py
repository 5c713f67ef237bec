"""That no PDU's digits leave as a text, whatever the modem says of its mode and whenever it forgets it (M17)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from support.driven import Drive
from support.rigs import SerialRig
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import DriverError, ModemNotReady, SubmitUncertain
from drivers.events import SubmitResult
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings
from drivers.sim.profiles import SIM_PROFILES

Tell = Callable[[str], None]

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
SELDOM = 3600.0
ASKING, BARE_LINE = f"AT+CMGF?;+CMGS={len(TPDU)}", f"AT+CMGS={len(TPDU)}"


class Joining(ScriptedModem):
    """A modem that obeys several commands of one line; `habit` is what it makes of one that ends with a prompt."""

    habit = "as it should"
    text_mode = False

    def _run(self, line: str) -> None:
        self.answers["AT+CMGF?"] = f"+CMGF: {int(self.text_mode)}\nOK"
        told = f"+CMGF: {int(self.text_mode)}"
        if line == "AT+CMGF?;+CMGF?":
            self.commands.append(line)
            self.say(f"{told}\n{told}\nOK")
        elif line == ASKING:
            self.commands.append(line)
            self._begin(told)
        else:
            super()._run(line)

    def _begin(self, told: str) -> None:
        if self.habit == "refused":
            return self.say("ERROR")
        if self.habit != "tells nothing":
            self.say(told)
        if self.habit in {"OK in between", "no prompt"}:
            self.say("OK")
        if self.habit not in {"no prompt", "nothing more"}:
            self._prompting = True
            self.write(b"\r\n> ")
        return None


def about_mode(commands: list[str]) -> list[str]:
    """The submits, and the questions for the mode."""
    return [command for command in commands if "+CMGS" in command or "+CMGF" in command]


async def test_the_line_of_a_submit_asks_for_the_mode(drive: Drive, tell: Tell) -> None:
    modem = Joining()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    start = len(modem.commands)
    for _ in range(20):
        assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert about_mode(modem.commands[start:]) == [ASKING] * 20
    more = len("AT+CMGF?;+") - len("AT+") + len("\r\n+CMGF: 0\r\n")
    tell(f"M17: asked with each submit: 0 exchanges more, {more} octets, {more * 10 / 115.2:.1f} ms at 115200 baud")


async def test_text_mode_is_found_at_the_prompt(drive: Drive, tell: Tell) -> None:
    modem = Joining()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    for _ in range(5):
        modem.text_mode = True
        with pytest.raises(ModemNotReady):
            await driven.supervisor.submit(TPDU)
        modem.text_mode = False
        await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert modem.commands.count(ASKING) == 5
    assert modem.submitted == []
    tell(f"M17: silently in text mode before 5 submits: {len(modem.submitted)} texts sent, each turned away")
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


@pytest.mark.parametrize("habit", ["refused", "tells nothing", "no prompt", "OK in between"])
async def test_a_modem_that_does_not_bear_such_a_line_is_sent_to_all_the_same(drive: Drive, habit: str) -> None:
    modem = Joining()
    modem.habit = habit
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert modem.submitted == ["00" + TPDU.hex().upper()]
    start = len(modem.commands)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert about_mode(modem.commands[start:]) == ["AT+CMGF?", BARE_LINE]


@pytest.mark.parametrize("habit", ["nothing more", "as it should"])
async def test_one_that_was_silent_after_such_a_line_is_asked_by_another(drive: Drive, tell: Tell, habit: str) -> None:
    """Also where the silence had another cause: that it falls into text mode later is seen all the same."""
    modem = Joining()
    modem.habit = "nothing more"
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    modem.habit = habit
    for _ in range(5):
        start = len(modem.commands)
        assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert about_mode(modem.commands[start:]) == ["AT+CMGF?", BARE_LINE]
    modem.text_mode = True
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    tell(f"M17: silent after its first such line, then in text mode unseen: {len(modem.submitted) - 5} texts sent")
    assert modem.submitted == ["00" + TPDU.hex().upper()] * 5


@pytest.mark.parametrize("answer", ["ERROR", None])
async def test_one_that_tells_its_mode_no_longer_is_not_believed_that_it_took_it(
    drive: Drive, answer: str | None
) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    modem.answers["AT+CMGF?"] = answer
    start = len(modem.commands)
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    assert "AT+CMGF=0" in modem.commands[start:]
    assert modem.submitted == []
    await asyncio.wait_for(driven.supervisor.wait_ready(), 15)
    # It was set up anew, and never told its mode since: such a one is told before each submit.
    start = len(modem.commands)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert about_mode(modem.commands[start:]) == ["AT+CMGF=0", BARE_LINE]
    modem.answers["AT+CMGF=0"] = "ERROR"
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    assert len(modem.submitted) == 1


async def test_one_whose_answer_was_missed_once_is_set_asked_again_and_sent_to(drive: Drive) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()

    def missed(_: str) -> None:
        modem.answers["AT+CMGF?"] = PLAIN["AT+CMGF?"]

    modem.answers["AT+CMGF?"] = missed
    start = len(modem.commands)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert about_mode(modem.commands[start:])[-3:] == ["AT+CMGF=0", "AT+CMGF?", BARE_LINE]
    assert len(driven.lines) == 1


async def test_no_line_of_somebody_else_comes_between_the_question_and_the_submit(drive: Drive) -> None:
    modem = ScriptedModem()
    modem.answers["AT+CSQ"] = "+CSQ: 20,99\nOK"
    driven = drive(modem, poll_seconds=0.01)
    await driven.ready()
    start = len(modem.commands)
    at_hand = [driven.supervisor.converse("AT+CSQ", 5.0) for _ in range(10)]
    await asyncio.gather(*(work for each in at_hand for work in (driven.supervisor.submit(TPDU), each)))
    commands = modem.commands[start:]
    assert [before for before, line in pairwise(commands) if line == BARE_LINE] == ["AT+CMGF?"] * 10


async def test_one_that_cannot_join_is_asked_after_anything_odd(drive: Drive) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    modem.on_submit = lambda _: None
    with pytest.raises(SubmitUncertain):
        await driven.supervisor.submit(TPDU)
    modem.on_submit = lambda _: "+CMGS: 8\nOK"
    modem.answers["AT+CMGF?"] = "+CMGF: 1\nOK"
    with pytest.raises(DriverError):
        await driven.supervisor.submit(TPDU)
    assert len(modem.submitted) == 1


async def test_a_modem_that_says_ok_and_stays_in_text_mode_is_found_out(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGF=0": "OK", "AT+CMGF?": "+CMGF: 1\nOK"})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().reason == "the modem does not go into PDU mode")
    assert modem.submitted == []
    modem.answers["AT+CMGF?"] = "+CMGF: 0\nOK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


@pytest.mark.parametrize("profile", SIM_PROFILES)
async def test_no_family_sends_digits_while_its_mode_comes_and_goes(profile: str, tmp_path: Path, tell: Tell) -> None:
    lots = Random(profile)
    rig = SerialRig(SimSettings(profile=profile), tmp_path)
    await rig.plug()
    supervisor = rig.supervise(poll_seconds=SELDOM)
    outcomes: list[str] = []
    await supervisor.start()
    try:
        for _ in range(3):
            await asyncio.wait_for(supervisor.wait_ready(), 30)
            trouble = rig.simulated.trouble("text-mode", lasting=0.0, forgets=lots.random() < 0.5)
            outcomes += [await _outcome(supervisor) for _ in range(2)]
            assert "sent" not in outcomes[-2:]
            rig.simulated.troubles.end(trouble)
            await asyncio.wait_for(supervisor.wait_ready(), 30)
            outcomes.append(await _outcome(supervisor))
    finally:
        await supervisor.stop()
        await rig.close()
    left = [(each.tpdu[0], each.tpdu[2:]) for each in rig.simulated.submissions]
    tell(f"M17: {profile}: in text mode 3 times, {len(outcomes)} submits: {outcomes.count('sent')} sent, no digits")
    assert left == [(TPDU[0], TPDU[2:])] * outcomes.count("sent")
    assert outcomes.count("sent") == 3


async def _outcome(supervisor: ModemSupervisor) -> str:
    try:
        await supervisor.submit(TPDU)
    except DriverError as error:
        return error.code
    return "sent"
