"""From an open port to a usable modem, with as little help from it as there can be."""

import asyncio

import pytest
from support.driven import Drive
from support.rigs import HASTY
from support.scripted_modem import BARE, PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import ModemState
from drivers.gsm.profiles import ROUTINGS

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")


async def test_a_modem_that_refuses_everything_optional(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers=dict(BARE)))
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7
    status = driven.supervisor.status()
    assert (status.imei, status.iccid, status.operator, status.registration) == (None, None, None, None)
    assert (status.manufacturer, status.model, status.signal_dbm) == (None, None, None)


@pytest.mark.parametrize(
    "habits",
    [
        {"echo": True},
        {"stubborn_echo": True},
        {"end": b"\r", "start": b""},
        {"end": b"\n", "start": b""},
        {"start": b"\r\n\r\n", "end": b"\r\r\n"},
        {"start": b"\r\n\x00", "end": b"\x00\r\n"},
        {"prompt": b">"},
        {"prompt": b"\r\n>"},
        {"prompt": b"\r\n\r\n> "},
    ],
)
async def test_manners_of_speaking(drive: Drive, habits: dict[str, object]) -> None:
    driven = drive(ScriptedModem(**habits))  # type: ignore[arg-type]
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7
    assert (await driven.supervisor.submit(TPDU)).reference == 7
    assert driven.supervisor.status().imei == "356938035643809"


async def test_a_prompt_that_hangs_from_before_is_left_by_escape(drive: Drive) -> None:
    modem = ScriptedModem()
    modem._prompting = True
    modem._pending += b"0011"
    driven = drive(modem)
    await driven.ready()
    assert modem.submitted == []
    assert b"\x1a" not in modem.received
    assert modem.received.startswith(b"\x1b")


async def test_a_modem_that_is_set_to_be_silent_is_made_to_speak(drive: Drive) -> None:
    modem = ScriptedModem()
    talk = modem.say
    modem.say = lambda answer: None  # type: ignore[method-assign]

    def speak(_: str) -> str:
        modem.say = talk  # type: ignore[method-assign]
        return "OK"

    modem.answers["ATQ0V1"] = speak
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: "ATQ0V1" in modem.commands)
    modem.say = talk  # type: ignore[method-assign]
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_modem_that_does_not_answer_is_tried_again(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT": None, "ATQ0V1": None})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    assert "did not answer" in (driven.supervisor.status().reason or "")
    modem.answers["AT"] = "OK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    # The port is kept: closing it is no harmless thing.
    assert len(driven.lines) == 1
    assert driven.line.open_now


async def test_an_overdue_answer_of_somebody_else_is_passed_over(drive: Drive) -> None:
    modem = ScriptedModem()
    modem.answers["AT+CMGF?"] = "+CMGS: 200\nOK\n+CMGF: 0\nOK"
    driven = drive(modem)
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7


@pytest.mark.parametrize("answer", ["ERROR", None, "OK"])
async def test_a_modem_that_does_not_know_the_probe(drive: Drive, answer: str | None) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGF?": answer})
    driven = drive(modem)
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7


# --- the SIM


async def test_the_configured_pin_is_entered_once(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK"})

    def right(_: str) -> str:
        modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
        return "OK"

    modem.answers['AT+CPIN="1234"'] = right
    driven = drive(modem, pin="1234", pin_without_counter=True)
    await driven.ready()
    assert modem.commands.count('AT+CPIN="1234"') == 1


async def test_a_proven_pin_is_entered_again_after_the_modem_was_reset(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK"})

    def right(_: str) -> str:
        modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
        return "OK"

    modem.answers['AT+CPIN="1234"'] = right
    driven = drive(modem, pin="1234", pin_without_counter=True)
    await driven.ready()
    modem.answers["AT+CPIN?"] = "+CPIN: SIM PIN\nOK"
    modem.say("RDY")
    await eventually(lambda: modem.commands.count('AT+CPIN="1234"') == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert modem.commands.count('AT+CPIN="1234"') == 2
    assert len(driven.lines) == 1


@pytest.mark.parametrize("answer", ["+CME ERROR: 16", "ERROR", "+CME ERROR: incorrect password", "+CME ERROR: 12"])
async def test_a_wrong_pin_parks_the_modem_after_one_try(drive: Drive, answer: str) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK", 'AT+CPIN="9999"': answer})
    driven = drive(modem, pin="9999", pin_without_counter=True)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    reason = driven.supervisor.status().reason or ""
    assert "PIN" in reason
    assert "9999" not in reason
    assert modem.commands.count('AT+CPIN="9999"') == 1
    await eventually(lambda: ModemState.PARKED in driven.states)
    # It is kept, so that it is noticed when somebody unplugs the modem to see to its SIM.
    assert driven.line.open_now


async def test_a_pin_whose_answer_is_lost_is_not_tried_again(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK", 'AT+CPIN="1234"': None})
    driven = drive(modem, pin="1234", pin_without_counter=True, deadlines=HASTY)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED, 10)
    assert modem.commands.count('AT+CPIN="1234"') == 1


async def test_a_pin_whose_answer_is_lost_was_right_if_the_sim_is_unlocked(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PIN\nOK"})

    def unlocked(_: str) -> None:
        modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"

    modem.answers['AT+CPIN="1234"'] = unlocked
    driven = drive(modem, pin="1234", pin_without_counter=True, deadlines=HASTY)
    await driven.start()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 8)
    modem.answers.update({"AT+CPIN?": "+CPIN: SIM PIN\nOK", 'AT+CPIN="1234"': "+CME ERROR: 16"})
    modem.say("RDY")
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    assert modem.commands.count('AT+CPIN="1234"') == 2


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("+CPIN: SIM PIN\nOK", "none is configured"),
        ("+CME ERROR: 11", "none is configured"),
        ("+CPIN: SIM PUK\nOK", "SIM PUK"),
        ("+CME ERROR: SIM PUK required", "SIM PUK"),
        ("+CPIN: PH-NET PIN\nOK", "PH-NET PIN"),
    ],
)
async def test_what_only_a_person_can_mend_parks_the_modem(drive: Drive, answer: str, word: str) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CPIN?": answer}))
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    assert word in (driven.supervisor.status().reason or "")
    assert driven.supervisor.status().imei == "356938035643809"


@pytest.mark.parametrize("answer", ["+CME ERROR: 10", "+CMS ERROR: 310", "+CME ERROR: SIM not inserted"])
async def test_a_missing_sim_is_waited_for(drive: Drive, answer: str) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": answer})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    assert driven.supervisor.status().reason == "no SIM is inserted"
    modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_busy_sim_is_asked_again(drive: Drive) -> None:
    modem = ScriptedModem()

    def busy(_: str) -> str:
        modem.answers["AT+CPIN?"] = "+CPIN: READY\nOK"
        return "+CME ERROR: 14"

    modem.answers["AT+CPIN?"] = busy
    driven = drive(modem)
    await driven.ready()


async def test_a_pin_state_without_ok(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: READY"})
    driven = drive(modem, deadlines=HASTY)
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7


# --- modes and routing


async def test_the_radio_is_switched_on(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CFUN?": "+CFUN: 4\nOK", "AT+CFUN=1": "OK"}))
    await driven.ready()
    assert "AT+CFUN=1" in driven.modem.commands


async def test_without_pdu_mode_nothing_is_sent(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGF=0": "ERROR", "AT+CMGF?": "+CMGF: 1\nOK"})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: modem.commands.count("AT+CMGF=0") >= 2)
    assert not any(command.startswith("AT+CMGS") for command in modem.commands)
    modem.answers |= {"AT+CMGF=0": "OK", "AT+CMGF?": "+CMGF: 0\nOK"}
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_a_modem_that_is_in_pdu_mode_need_not_take_the_setting(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CMGF=0": "ERROR"}))
    await driven.ready()


@pytest.mark.parametrize("taken", [ROUTINGS[0], ROUTINGS[6], ROUTINGS[-1]])
async def test_the_first_routing_that_is_taken_is_kept(drive: Drive, taken: tuple[int, ...]) -> None:
    command = "AT+CNMI=" + ",".join(map(str, taken))
    answers = {**PLAIN, command: "OK"}
    if taken != ROUTINGS[0]:
        del answers["AT+CNMI=2,1,2,1,0"]
    driven = drive(ScriptedModem(answers=answers))
    await driven.ready()
    tried = [line for line in driven.modem.commands if line.startswith("AT+CNMI=")]
    assert tried[-1] == command
    assert tried == ["AT+CNMI=" + ",".join(map(str, values)) for values in ROUTINGS[: ROUTINGS.index(taken) + 1]]


# --- identity and network


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT+CCID", "+CCID: 8933990000000000017\nOK"),
        ("AT+CCID", '+CCID: "8933990000000000017"\nOK'),
        ("AT+CCID", "8933990000000000017F\nOK"),
        ("AT+CCID", "+ICCID: 8933990000000000017\nOK"),
        ("AT^ICCID?", "^ICCID: 8933990000000000017\nOK"),
        ("AT+QCCID", "+QCCID: 8933990000000000017F\nOK"),
        ("AT+CRSM=176,12258,0,0,10", '+CRSM: 144,0,"983399000000000010F7"\nOK'),
    ],
)
async def test_the_sims_number_by_whichever_command(drive: Drive, command: str, answer: str) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, command: answer}))
    await driven.ready()
    assert driven.supervisor.status().iccid == "8933990000000000017"


@pytest.mark.parametrize(
    "answers",
    [
        {"AT+CCID": "+CCID: 893399000000000001\n7\nOK", "AT+CGSN": "35000000000001\n0\nOK"},
        {"AT+CCID": "+CCID: 8\n933990000000000017\nOK", "AT+CGSN": "+CGSN: 3\n50000000000010\nOK"},
        {"AT+CRSM=176,12258,0,0,10": '+CRSM: 144,0,"9833990000000000001\n0F7"\nOK'},
    ],
)
async def test_a_number_that_news_has_cut_in_two_is_none(drive: Drive, answers: dict[str, str]) -> None:
    """A part of it is long enough to be another SIM's, or another modem's."""
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CGSN": "ERROR", **answers}))
    await driven.ready()
    status = driven.supervisor.status()
    assert (status.iccid, status.imei) == (None, None)


async def test_words_about_the_modem(drive: Drive) -> None:
    answers = {
        **PLAIN,
        "AT+CGMI": "huawei\nOK",
        "AT+CGMM": '+CGMM: "E3372"\nOK',
        "AT+COPS?": '+COPS: 0,0,"Orange \x07F",7\nOK',
        "AT+CSQ": "+CSQ: 31,99\nOK",
    }
    driven = drive(ScriptedModem(answers=answers))
    await driven.ready()
    status = driven.supervisor.status()
    assert (status.manufacturer, status.model, status.operator) == ("huawei", "E3372", "Orange F")
    assert status.signal_dbm == -51


@pytest.mark.parametrize("answer", ["+CSQ: 99,99\nOK", "+CSQ: 77,99\nOK", "+CSQ:\nOK", "+CSQ: x\nOK", "OK"])
async def test_a_signal_that_is_not_known(drive: Drive, answer: str) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CSQ": answer}))
    await driven.ready()
    assert driven.supervisor.status().signal_dbm is None


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"AT+CREG?": "+CREG: 0,5\nOK"}, "roaming"),
        ({"AT+CREG?": '+CREG: 2,1,"00C3","A1B2"\nOK'}, "home"),
        ({"AT+CREG?": "+CREG: 1\nOK"}, "home"),
        ({"AT+CREG?": "+CREG: 0,2\nOK", "AT+CEREG?": "+CEREG: 0,1\nOK"}, "home"),
        ({"AT+CREG?": "ERROR", "AT+CGREG?": "+CGREG: 0,1\nOK"}, "home"),
        ({"AT+CREG?": "ERROR"}, None),
    ],
)
async def test_registrations_with_which_a_modem_is_ready(
    drive: Drive, answers: dict[str, str], word: str | None
) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, **answers}))
    await driven.ready()
    assert driven.supervisor.status().registration == word


async def test_an_unregistered_modem_is_not_ready_until_the_network_takes_it(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CREG?": "+CREG: 1,2\nOK"})
    driven = drive(modem)
    await driven.start()
    await eventually(lambda: "searching" in (driven.supervisor.status().reason or ""))
    assert driven.supervisor.status().state is ModemState.STARTING
    modem.answers["AT+CREG?"] = "+CREG: 1,1\nOK"
    modem.say("+CREG: 1")
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    modem.answers["AT+CREG?"] = "+CREG: 1,3\nOK"
    modem.say("+CREG: 3")
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    modem.answers["AT+CREG?"] = "+CREG: 1,5\nOK"
    modem.say('+CREG: 5,"00C3","A1B2"')
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    # A look that was under way may tell once more what the network said before.
    await eventually(lambda: ModemState.REPAIRING in driven.states and driven.states[-1] is ModemState.READY)
    assert driven.states[:3] == [ModemState.STARTING, ModemState.READY, ModemState.REPAIRING]
