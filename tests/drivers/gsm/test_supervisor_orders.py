"""What an operator can do to one modem: reset it, unlock it, give it a line; in every state that it may be in."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.driven import Drive, Driven
from support.rigs import QUICK, QUICK_REPAIR
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import CommandRefusedHere, ModemNotReady
from drivers.events import ModemState, ModemStateChanged, SubmitResult

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
RESET = "AT+CFUN=1,1"
SLOW = replace(QUICK, submit=60.0)
RESTING = replace(QUICK, repair=replace(QUICK_REPAIR, rest=600.0))


def obedient(**more: str | None) -> ScriptedModem:
    return ScriptedModem(answers={**PLAIN, RESET: "OK", **more})


async def test_a_modem_is_reset_by_its_profile_and_begun_anew(drive: Drive) -> None:
    driven = drive(obedient())
    await driven.ready()
    await driven.supervisor.reset()
    assert driven.modem.commands.count(RESET) == 1
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert driven.states == [ModemState.READY, ModemState.REPAIRING, ModemState.READY]
    assert ModemStateChanged(ModemState.REPAIRING, "reset by an operator") in driven.events
    assert len(driven.lines) == 2
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_a_submit_in_flight_is_waited_for_and_no_other_is_begun(drive: Drive) -> None:
    modem = obedient()
    modem.on_submit = lambda _: None
    driven = drive(modem, deadlines=SLOW)
    await driven.ready()
    submitting = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    resetting = asyncio.create_task(driven.supervisor.reset())
    await eventually(lambda: driven.supervisor.status().reason == "reset by an operator")
    with pytest.raises(ModemNotReady, match="reset by an operator"):
        await driven.supervisor.submit(TPDU)
    assert RESET not in modem.commands
    modem.say("+CMGS: 3\nOK")
    assert await submitting == SubmitResult(3)
    await asyncio.wait_for(resetting, 5)
    assert modem.commands.count(RESET) == 1
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert len(modem.submitted) == 1


async def test_a_modem_that_is_paused_stays_paused(drive: Drive) -> None:
    driven = drive(obedient())
    await driven.ready()
    driven.supervisor.set_paused(True)
    await driven.supervisor.reset()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PAUSED)
    with pytest.raises(ModemNotReady, match="paused"):
        await driven.supervisor.submit(TPDU)
    driven.supervisor.set_paused(False)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_modem_that_is_absent_is_looked_for_at_once(drive: Drive) -> None:
    driven = drive(obedient(), deadlines=replace(QUICK, repair=replace(QUICK_REPAIR, look=600.0)))
    driven.away = True
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.ABSENT)
    driven.away = False
    await driven.supervisor.reset()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_modem_that_hangs_as_it_is_opened_is_reset_at_once(drive: Drive) -> None:
    driven = drive(obedient(**{"AT+CPIN?": None}), deadlines=replace(QUICK, factor=100.0))
    await driven.start()
    await eventually(lambda: "AT+CPIN?" in driven.modem.commands)
    driven.modem.answers["AT+CPIN?"] = PLAIN["AT+CPIN?"]
    await asyncio.wait_for(driven.supervisor.reset(), 5)
    assert RESET in driven.modem.commands
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_rest_is_ended(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers=dict.fromkeys(PLAIN)), deadlines=RESTING)
    await driven.start()
    await eventually(lambda: "resting" in (driven.supervisor.status().reason or ""), 20)
    driven.modem.answers.update(PLAIN)
    await asyncio.wait_for(driven.supervisor.reset(), 5)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_parked_modem_begins_anew_and_parks_again_for_the_same_reason(drive: Drive) -> None:
    driven = drive(obedient(**{"AT+CPIN?": "+CPIN: SIM PUK\nOK"}))
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    await driven.supervisor.reset()
    await eventually(lambda: driven.states.count(ModemState.PARKED) == 2)
    assert driven.modem.commands.count(RESET) == 1
    driven.modem.answers["AT+CPIN?"] = PLAIN["AT+CPIN?"]
    await driven.supervisor.reset()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_two_who_reset_at_once_reset_once(drive: Drive) -> None:
    driven = drive(obedient())
    await driven.ready()
    await asyncio.gather(driven.supervisor.reset(), driven.supervisor.reset())
    assert driven.modem.commands.count(RESET) == 1
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert len(driven.lines) == 2


async def test_whoever_asked_may_go_away(drive: Drive) -> None:
    modem = obedient()
    modem.on_submit = lambda _: None
    driven = drive(modem, deadlines=SLOW)
    await driven.ready()
    submitting = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    asking = asyncio.create_task(driven.supervisor.reset())
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    asking.cancel()
    modem.say("+CMGS: 3\nOK")
    await submitting
    await eventually(lambda: len(driven.lines) == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_stop_goes_before_a_reset(drive: Drive) -> None:
    driven = drive(obedient())
    with pytest.raises(ModemNotReady, match="starting"):
        await driven.supervisor.reset()
    await driven.ready()
    resetting = asyncio.create_task(driven.supervisor.reset())
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    await asyncio.wait_for(driven.supervisor.stop(), 5)
    await asyncio.gather(resetting, return_exceptions=True)
    assert not any(line.open_now for line in driven.lines)
    with pytest.raises(ModemNotReady, match="stopping"):
        await driven.supervisor.reset()


# --- parked, and what ends it


async def wrongly(drive: Drive) -> Driven:
    modem = ScriptedModem(
        answers={
            **PLAIN,
            "AT+CPIN?": "+CPIN: SIM PIN\nOK",
            'AT+CPIN="9999"': "+CME ERROR: 16",
            "AT+CSQ": "+CSQ: 9,99\nOK",
        }
    )
    driven = drive(modem, pin="9999", pin_without_counter=True)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    return driven


def tries(driven: Driven) -> int:
    return driven.modem.commands.count('AT+CPIN="9999"')


async def test_a_person_allows_one_more_try(drive: Drive) -> None:
    driven = await wrongly(drive)
    assert tries(driven) == 1

    def right(_: str) -> str:
        driven.modem.answers["AT+CPIN?"] = PLAIN["AT+CPIN?"]
        return "OK"

    driven.modem.answers['AT+CPIN="9999"'] = right
    await driven.supervisor.confirm_pin()
    driven.supervisor.unlock()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert driven.states[:2] == [ModemState.PARKED, ModemState.STARTING]
    assert tries(driven) == 2


async def test_a_reset_gives_no_new_try(drive: Drive) -> None:
    driven = await wrongly(drive)
    await driven.supervisor.reset()
    await eventually(lambda: driven.states.count(ModemState.PARKED) == 2)
    assert tries(driven) == 1


async def test_a_port_that_vanished_and_is_back_is_looked_at_again(drive: Drive) -> None:
    driven = await wrongly(drive)
    driven.away = True
    await driven.line.unplug()
    await eventually(lambda: driven.supervisor.status().state is ModemState.ABSENT)
    # Somebody has switched the PIN off in a telephone.
    driven.modem.answers["AT+CPIN?"] = PLAIN["AT+CPIN?"]
    driven.away = False
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert tries(driven) == 1


async def test_a_parked_modem_can_be_asked(drive: Drive) -> None:
    driven = await wrongly(drive)
    assert await driven.supervisor.converse("AT+CSQ") == ("+CSQ: 9,99", "OK")


# --- by hand


async def test_a_line_by_hand(drive: Drive) -> None:
    driven = drive(obedient(**{"AT+CSQ": "+CSQ: 9,99\nOK", "AT+COPS=?": "+CME ERROR: 3"}))
    await driven.ready()
    assert await driven.supervisor.converse("AT+CSQ") == ("+CSQ: 9,99", "OK")
    assert await driven.supervisor.converse("AT+COPS=?", 5.0) == ("+CME ERROR: 3",)
    with pytest.raises(CommandRefusedHere):
        await driven.supervisor.converse("AT+CMGS=20")


async def test_a_code_of_the_network(drive: Drive) -> None:
    driven = drive(obedient())

    def answer(_: str) -> str:
        asyncio.get_running_loop().call_soon(driven.modem.say, '+CUSD: 0,"Solde 5 EUR",15')
        return "OK"

    driven.modem.answers['AT+CUSD=1,"#123#",15'] = answer
    await driven.ready()
    assert "Solde" in await driven.supervisor.ussd("#123#", 5.0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda driven: driven.supervisor.converse("AT+CSQ"),
        lambda driven: driven.supervisor.ussd("#123#"),
    ],
)
async def test_no_modem_is_there_to_ask(drive: Drive, ask: Callable[[Driven], object]) -> None:
    driven = drive()
    driven.away = True
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.ABSENT)
    await asyncio.sleep(0)
    driven.modem.commands.clear()
    with pytest.raises(ModemNotReady, match="no device"):
        await ask(driven)  # type: ignore[misc]
    assert driven.modem.commands == []
