"""That no PDU's digits leave as a text, whatever the modem says of its mode and whenever it forgets it (M17)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
    assert about_mode(modem.commands[start:]) == [BARE_LINE]


async def test_one_that_is_silent_after_such_a_line_is_not_given_it_again(drive: Drive) -> None:
    modem = Joining()
    modem.habit = "nothing more"
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert modem.submitted == ["00" + TPDU.hex().upper()]


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
