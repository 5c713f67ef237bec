"""How many tries a SIM has left, in the words of each family; whatever is not clear counts as unknown."""

import pytest
from support.driven import Drive
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import ModemState
from drivers.gsm.pin_counter import COUNTERS, Tries, read_answer

ASKS = {**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK"}

# Examples of TS 27.007, 8.65 and of the manuals that `pin_counter` names.
CLEAR = [
    ("AT+CPINR", "+CPINR: SIM PIN,3,3\n+CPINR: SIM PUK,10,10\n+CPINR: SIM PIN2,1,3", Tries(3)),
    ("AT+CPINR", '+CPINR: "SIM PIN",2,3', Tries(2)),
    ("AT+CPINR", "+CPINR: SIM PIN,3", Tries(3)),
    ("AT+CPINR", "+CPINR: SIM PIN,9,10", Tries(9, 10)),
    ('AT+CPINR="SIM PIN"', "+CPINR: SIM PIN,1,3", Tries(1)),
    ("AT^CPIN?", "^CPIN: SIM PIN,3,10,3,10,3", Tries(3)),
    ("AT^CPIN?", "^CPIN:SIM PIN,2,10,2,10,3", Tries(2)),
    ("AT+CPINC?", "+CPINC: 2,3,10,10", Tries(2)),
    ("AT+SPIC", "+SPIC: 3,3,10,10", Tries(3)),
    ("AT+SPIC", "+SPIC: 3", Tries(3)),
    ("AT^SPIC", "^SPIC: 1", Tries(1)),
    ('AT+QPINC="SC"', '+QPINC: "SC",3,10', Tries(3)),
    ("AT#PCT", "#PCT: 2", Tries(2)),
    ("AT+UPINCNT", "+UPINCNT: 0,3,5,5", Tries(0)),
    ("AT+ZPINPUK=?", "+ZPINPUK: 3,10", Tries(3)),
]
UNCLEAR = [
    ("AT+CPINR", "+CPINR: SIM PIN2,3,3"),
    ("AT+CPINR", "+CPINR: SIM PIN,3,3\n+CPINR: SIM PIN,2,3"),
    ("AT+CPINR", "+CPINR: SIM PIN,-1,3"),
    ("AT+CPINR", "+CPINR: SIM PIN,4,3"),
    ("AT+CPINR", "+CPINR: SIM PIN,,3"),
    ("AT+CPINR", "+CPINR: SIM PIN,three"),
    ("AT+CPINR", "+CPINR: SIM PIN,255,255"),
    ("AT+CPINR", "+CPINR: 3,3"),
    ("AT+CPINR", "+CPINR:"),
    ("AT^CPIN?", "^CPIN: SIM PIN,3,10"),
    ("AT^CPIN?", "^CPIN: SIM PIN,3,10,2,10,3"),
    ("AT^CPIN?", "^CPIN: READY,,10,3,10,3"),
    ("AT^CPIN?", "^CPIN: SIM PUK,10,10,0,10,3"),
    ("AT+CPINC?", "+CPINC: 3"),
    ("AT+SPIC", "+SPIC: SIM PIN"),
    ("AT^SPIC", "^SPIC: 10"),
    ("AT^SPIC", "^SPIC: 63"),
    ('AT+QPINC="SC"', '+QPINC: "P2",3,10'),
    ('AT+QPINC="SC"', "+QPINC: 99"),
    ("AT#PCT", "#PCT: 10"),
    ("AT+UPINCNT", "+UPINCNT: 3"),
    ("AT+ZPINPUK=?", "+ZPINPUK: x,y"),
]


@pytest.mark.parametrize(("command", "answer", "tries"), CLEAR)
async def test_each_way_of_asking_is_understood(drive: Drive, command: str, answer: str, tries: Tries) -> None:
    """The PIN is given where three are left, and not where fewer are."""
    modem = ScriptedModem(answers={**ASKS, command: f"{answer}\nOK", 'AT+CPIN="1234"': "+CME ERROR: 16"})
    driven = drive(modem, pin="1234")
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    assert modem.commands.count('AT+CPIN="1234"') == int(tries.left >= 3)
    told = [line.partition(":")[2].strip() for line in answer.split("\n")]
    (counter,) = [each for each in COUNTERS if each.command.text == command]
    assert read_answer(counter, told) == tries


@pytest.mark.parametrize(("command", "answer"), UNCLEAR)
async def test_what_is_not_clear_is_unknown(drive: Drive, command: str, answer: str) -> None:
    modem = ScriptedModem(answers={**ASKS, command: f"{answer}\nOK", 'AT+CPIN="1234"': "OK"})
    driven = drive(modem, pin="1234")
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    assert 'AT+CPIN="1234"' not in modem.commands
    assert "pin_without_counter" in (driven.supervisor.status().reason or "")


async def test_the_first_that_answers_is_believed(drive: Drive) -> None:
    """A later counter is not asked to say what the first did not say clearly."""
    answers = {**ASKS, "AT^CPIN?": "^CPIN: READY,,10,3,10,3\nOK", "AT+SPIC": "+SPIC: 3,3,10,10\nOK"}
    driven = drive(ScriptedModem(answers=answers), pin="1234")
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    assert not any(command.startswith("AT+CPIN=") or command == "AT+SPIC" for command in driven.modem.commands)
