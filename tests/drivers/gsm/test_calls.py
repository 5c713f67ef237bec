"""Voice calls are turned away and told once each; what is being sent does not notice."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import CallMissed

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")


def callers(driven: Driven) -> list[str | None]:
    return [event.caller for event in driven.events if isinstance(event, CallMissed)]


def hung_up(driven: Driven) -> int:
    return driven.modem.commands.count("AT+CHUP")


@pytest.fixture
async def driven(drive: Drive) -> Driven:
    made = drive(ScriptedModem(answers={**PLAIN, "AT+CLIP=1": "OK", "AT+CHUP": "OK"}))
    await made.ready()
    return made


@pytest.mark.parametrize(
    ("presented", "caller"),
    [
        ('+CLIP: "+33612345678",145', "+33612345678"),
        ('+CLIP: "33612345678",145,"",0,"",0', "+33612345678"),
        ('+CLIP: "0612345678",129', "0612345678"),
        ('+CLIP: "",128,,,,1', None),
        ("+CLIP: ,128", None),
        ("+CLIP:", None),
    ],
)
async def test_a_call_is_turned_away_with_its_number(driven: Driven, presented: str, caller: str | None) -> None:
    driven.modem.say(f"RING\n{presented}")
    await eventually(lambda: hung_up(driven) == 1)
    assert callers(driven) == [caller]


async def test_a_call_whose_number_nobody_tells_is_turned_away_a_moment_later(driven: Driven) -> None:
    driven.modem.say("+CRING: VOICE")
    await eventually(lambda: hung_up(driven) == 1)
    assert callers(driven) == [None]


async def test_a_modem_that_cannot_hang_up_so_is_told_otherwise(driven: Driven) -> None:
    driven.modem.answers.update({"AT+CHUP": "ERROR", "ATH": "OK"})
    driven.modem.say('RING\n+CLIP: "+33612345678",145')
    await eventually(lambda: "ATH" in driven.modem.commands)
    assert callers(driven) == ["+33612345678"]


async def test_a_call_that_goes_on_ringing_is_told_once(driven: Driven) -> None:
    for rings in range(1, 4):
        driven.modem.say('RING\n+CLIP: "+33612345678",145')
        await eventually(lambda rings=rings: hung_up(driven) == rings)  # type: ignore[misc]
    assert callers(driven) == ["+33612345678"]


async def test_two_callers_and_one_who_calls_again_are_three_calls(driven: Driven) -> None:
    for number in ("+33612345678", "+33698765432"):
        driven.modem.say(f'RING\n+CLIP: "{number}",145')
        await eventually(lambda number=number: number in callers(driven))  # type: ignore[misc]
    driven.modem.say("NO CARRIER")
    driven.modem.say('RING\n+CLIP: "+33698765432",145')
    await eventually(lambda: len(callers(driven)) == 3)
    assert callers(driven)[1] == callers(driven)[2]


async def test_a_caller_who_gives_up_is_told_too(driven: Driven) -> None:
    driven.modem.say('RING\n+CLIP: "+33612345678",145\nNO CARRIER')
    await eventually(lambda: callers(driven) == ["+33612345678"])


async def test_a_submit_is_finished_before_a_call_is_turned_away(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CHUP": "OK"}, on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    submit = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    modem.say('RING\n+CLIP: "+33612345678",145')
    modem.say("RING")
    modem.say("+CMGS: 9\nOK")
    assert (await submit).reference == 9
    await eventually(lambda: hung_up(driven) == 1)
    assert callers(driven) == ["+33612345678"]
    submitted = modem.received.index(b"\x1a")
    assert modem.received.index(b"AT+CHUP") > submitted
    assert (await asyncio.gather(driven.supervisor.submit(TPDU), return_exceptions=True)) != []
