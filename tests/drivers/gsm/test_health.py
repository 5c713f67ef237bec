"""What is watched of a modem while it works: its SIM, its memories, its settings, its service centre."""

import asyncio
from collections.abc import Callable

import pytest
from support.driven import Drive, Driven
from support.pdus import deliver
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import ModemNotReady
from drivers.events import DeliverReceived, ModemEvent, ModemState

Tell = Callable[[str], None]

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
ONE_SIM, OTHER_SIM = "89330000000000000011", "89330000000000000022"
#: TP-DCS of the default alphabet with message class 2 (23.038, 4).
SIM_SPECIFIC = 0xF2
SELDOM = 3600.0
FULL = 20


def with_sim(iccid: str = ONE_SIM, **more: object) -> ScriptedModem:
    modem = ScriptedModem(**more)  # type: ignore[arg-type]
    modem.answers["AT+CCID"] = f"+CCID: {iccid}\nOK"
    return modem


def text_of(event: ModemEvent) -> str | None:
    return event.deliver.tp_ud.text if isinstance(event, DeliverReceived) else None


def texts(driven: Driven) -> list[str | None]:
    return [text_of(event) for event in driven.messages]


async def acknowledge(driven: Driven) -> None:
    for event in driven.messages:
        await driven.supervisor.acknowledge(event.receipt)  # type: ignore[union-attr]


async def a_look(driven: Driven, looks: int = 2) -> None:
    """Until the modem has been looked after so many times more."""
    before = driven.modem.commands.count("AT+CSQ")
    await eventually(lambda: driven.modem.commands.count("AT+CSQ") >= before + looks)


# --- the SIM


@pytest.mark.parametrize("news", ["+CPIN: NOT READY", "+CPIN: READY"])
async def test_another_sim_that_is_told_sends_nothing_for_the_first(drive: Drive, tell: Tell, news: str) -> None:
    modem = with_sim()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7
    modem.answers["AT+CCID"] = f"+CCID: {OTHER_SIM}\nOK"
    modem.say(news)
    await asyncio.sleep(0)  # the line has been heard, and nothing was asked yet
    by_which: list[str | None] = []
    while len(by_which) < 3:
        try:
            await driven.supervisor.submit(TPDU)
        except ModemNotReady:
            await driven.supervisor.wait_ready()
        else:
            by_which.append(driven.supervisor.status().iccid)
    wrong = by_which.count(ONE_SIM)
    tell(f"M07: a SIM swapped and told by {news!r}: {wrong} of {len(by_which)} messages went for the SIM before")
    assert wrong == 0
    # On the same port, and as another life: nothing that is known of the one SIM is done to the other.
    assert len(driven.lines) == 1


async def test_nothing_is_sent_while_it_is_not_known_which_sim_it_is(drive: Drive) -> None:
    modem = with_sim()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    modem.answers["AT+CCID"] = "+CME ERROR: 14"
    modem.say("+CPIN: READY")
    await eventually(lambda: modem.commands.count("AT+CCID") > 1)
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    assert modem.submitted == []


async def test_another_sim_that_nobody_tells_of_is_found_by_the_next_look(drive: Drive) -> None:
    modem = with_sim()
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    modem.answers["AT+CCID"] = f"+CCID: {OTHER_SIM}\nOK"
    await eventually(lambda: driven.supervisor.status().iccid == OTHER_SIM)
    assert len(driven.lines) == 1
    assert ModemState.REPAIRING in driven.states


async def test_news_of_the_same_sim_costs_no_opening(drive: Drive) -> None:
    modem = with_sim()
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    asked = modem.commands.count("AT+CCID")
    for _ in range(20):
        modem.say("+CPIN: READY")
    await eventually(lambda: modem.commands.count("AT+CCID") > asked)
    await driven.supervisor.wait_ready()
    assert (await driven.supervisor.submit(TPDU)).reference == 7
    assert modem.commands.count("AT+CCID") == asked + 1
    assert len(driven.lines) == 1


async def test_a_sim_whose_number_nobody_tells_is_not_asked_for_it_again(drive: Drive) -> None:
    driven = drive(ScriptedModem(), poll_seconds=0.02)
    await driven.ready()
    asked = driven.modem.commands.count("AT+CCID")
    await a_look(driven)
    assert driven.modem.commands.count("AT+CCID") == asked


# --- messages that are specific to the SIM


async def test_a_message_for_the_sim_is_told_once_and_never_deleted(drive: Drive, tell: Tell) -> None:
    stays, goes = deliver("for the SIM", dcs=SIM_SPECIFIC), deliver("for us")
    modem = with_sim(memories={"SM": {1: (0, stays), 2: (0, goes)}})
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 2)
    await acknowledge(driven)
    await eventually(lambda: 2 not in modem.memories["SM"])
    await a_look(driven, 3)
    await driven.line.unplug()
    await eventually(lambda: len(driven.lines) == 2)
    await driven.supervisor.wait_ready()
    await a_look(driven, 3)
    tell(f"I03: a message of class 2: told {texts(driven).count('for the SIM')} times, deleted 0 times")
    assert texts(driven) == ["for the SIM", "for us"]
    assert modem.memories["SM"] == {1: (0, stays)}
    assert not any("+CMGD=1" in command for command in modem.commands)


async def test_one_that_was_not_acknowledged_is_told_again_at_the_next_opening(drive: Drive) -> None:
    modem = with_sim(memories={"SM": {1: (0, deliver("for the SIM", dcs=SIM_SPECIFIC))}})
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 1)
    await driven.line.unplug()
    await eventually(lambda: len(driven.messages) == 2)


# --- memories that fill


def junk(kind: str) -> dict[int, tuple[int, str]]:
    """A memory full of what is not ours to delete."""
    if kind == "class 2":
        return {slot: (1, deliver(f"for the SIM {slot}", dcs=SIM_SPECIFIC)) for slot in range(FULL)}
    return {slot: (2 + slot % 2, deliver("draft")) for slot in range(FULL)}


@pytest.mark.parametrize("kind", ["class 2", "drafts"])
async def test_a_memory_full_of_what_is_not_ours_is_left_for_another(
    drive: Drive, tell: Tell, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    held = junk(kind)
    modem = with_sim(memories={"SM": dict(held), "ME": {}})
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    await eventually(lambda: driven.supervisor.status().storage_used == 0)
    assert 'AT+CPMS="ME","ME","ME"' in modem.commands
    assert "receiving into ME" in caplog.text
    modem.memories["ME"][1] = 0, deliver("there is room")
    modem.say('+CMTI: "ME",1')
    await eventually(lambda: "there is room" in texts(driven))
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["ME"])
    tell(f"M14: a SIM full of {kind}: received into ME, {FULL - len(modem.memories['SM'])} of {FULL} lost")
    assert modem.memories["SM"] == held


async def test_a_full_memory_with_no_other_is_told_once_and_goes_on_being_looked_at(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    modem = with_sim(memories={"SM": junk("drafts")})
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    await a_look(driven)
    status = driven.supervisor.status()
    assert (status.storage_used, status.storage_total) == (FULL, FULL)
    assert caplog.text.count("there is no other memory") == 1
    del modem.memories["SM"][5]
    modem.memories["SM"][5] = 0, deliver("somebody made room")
    await eventually(lambda: texts(driven) == ["somebody made room"])


@pytest.mark.parametrize("news", ['^SMMEMFULL: "SM"', "^SMGO: 1", '+QIND: "smsfull","SM"', "+CIEV: SMSFULL,1"])
async def test_news_of_a_full_memory_is_looked_into_at_once(drive: Drive, tell: Tell, news: str) -> None:
    modem = with_sim(memories={"SM": {}})
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    modem.memories["SM"].update({slot: (0, deliver(f"text {slot}")) for slot in range(FULL)})
    modem.say(news)
    await eventually(lambda: len(driven.messages) == FULL)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    tell(f"M14: {news}: {len(driven.messages)} of {FULL} messages read and freed")


async def test_a_refusal_for_a_full_memory_has_it_looked_into(drive: Drive) -> None:
    modem = with_sim(memories={"SM": {}}, on_submit=lambda _: "+CMS ERROR: 322")
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    modem.memories["SM"][3] = 0, deliver("in the way")
    with pytest.raises(Exception, match="cannot send now"):
        await driven.supervisor.submit(TPDU)
    await eventually(lambda: texts(driven) == ["in the way"])


# --- settings that go away


async def test_a_routing_that_is_reset_in_silence_loses_nothing(drive: Drive, tell: Tell) -> None:
    modem = with_sim(memories={"SM": {}})
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    set_before = modem.commands.count("AT+CNMI=2,1,2,1,0")
    modem.answers["AT+CNMI?"] = "+CNMI: 2,0,0,0,0\nOK"
    modem.memories["SM"].update({slot: (0, deliver(f"untold {slot}")) for slot in range(1, 4)})
    await eventually(lambda: len(driven.messages) == 3)
    await eventually(lambda: modem.commands.count("AT+CNMI=2,1,2,1,0") > set_before)
    tell(f"M15: +CNMI reset without a word: set again by the next look, {3 - len(driven.messages)} of 3 messages lost")


async def test_in_text_mode_nothing_is_sent(drive: Drive, tell: Tell) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    modem.answers.update({"AT+CMGF?": "+CMGF: 1\nOK", "AT+CMGF=0": "ERROR"})
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    refused = 0
    for _ in range(20):
        with pytest.raises(ModemNotReady):
            await driven.supervisor.submit(TPDU)
        refused += 1
    tell(f"M17: PDU mode refused: {len(modem.submitted)} sends, {refused} submits turned away")
    assert modem.submitted == []


async def test_word_that_the_message_service_started_has_everything_agreed_anew(drive: Drive) -> None:
    modem = with_sim(memories={})
    modem.answers.update({"AT+CGMI": "SIMCOM INCORPORATED\nOK", "AT+CPMS?": "+CPMS: \nOK"})
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    del modem.answers["AT+CPMS?"]
    modem.memories["SM"] = {1: (0, deliver("there now"))}
    modem.selected = "SM"
    modem.say("SMS Ready")
    await eventually(lambda: 'AT+CPMS="SM","SM","SM"' in modem.commands and driven.messages)
    await eventually(lambda: driven.messages[-1].receipt.storage == "SM")  # type: ignore[union-attr]
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    assert set(texts(driven)) == {"there now"}


# --- the service centre


@pytest.mark.parametrize(
    ("answer", "configured", "shown"),
    [
        ('+CSCA: "+33639980000",145\nOK', None, "+33639980000"),
        ('+CSCA: "+33639980000",145\nOK', "+33639981111", "+33639981111"),
        ('+CSCA: "",129\nOK', None, None),
        ("ERROR", None, None),
    ],
)
async def test_the_service_centre(
    drive: Drive, caplog: pytest.LogCaptureFixture, answer: str, configured: str | None, shown: str | None
) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CSCA?": answer}), smsc=configured)
    await driven.ready()
    assert driven.supervisor.status().smsc == shown
    assert ("names no service centre" in caplog.text) is (shown is None)
    assert "33639980000" not in caplog.text


async def test_a_service_centre_that_is_set_later_is_seen(drive: Drive) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    assert driven.supervisor.status().smsc is None
    modem.answers["AT+CSCA?"] = '+CSCA: "+33639980000"\nOK'
    await eventually(lambda: driven.supervisor.status().smsc == "+33639980000")


# --- the pace


async def test_a_look_is_a_few_commands(drive: Drive, tell: Tell) -> None:
    modem = with_sim(memories={"SM": {}, "ME": {}, "SR": {}})
    modem.answers.update(
        {"AT+CSQ": "+CSQ: 20,99\nOK", "AT+COPS?": '+COPS: 0,0,"Net"\nOK', "AT+CSCA?": '+CSCA: "+1"\nOK'}
    )
    modem.answers["AT+CNMI?"] = "+CNMI: 2,1,2,1,0\nOK"
    driven = drive(modem, poll_seconds=0.1)
    await driven.ready()
    await a_look(driven)
    start, signals = len(modem.commands), modem.commands.count("AT+CSQ")
    await eventually(lambda: modem.commands.count("AT+CSQ") >= signals + 5)
    looks = modem.commands.count("AT+CSQ") - signals
    each = (len(modem.commands) - start) / looks
    tell(f"health: {each:.1f} commands a look with three memories, one look a minute by default")
    assert each <= 16


async def test_a_submit_to_one_that_takes_one_command_a_line_costs_one_question(drive: Drive) -> None:
    modem = with_sim(memories={"SM": {}, "ME": {}})
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    await eventually(lambda: modem.selected == "SM" and modem.commands[-1].startswith("AT+CPMS="))
    start = len(modem.commands)
    for _ in range(50):
        await driven.supervisor.submit(TPDU)
    assert modem.commands[start:] == ["AT+CMGF?", f"AT+CMGS={len(TPDU)}"] * 50


async def test_a_look_takes_its_turn_between_submits(drive: Drive) -> None:
    modem = with_sim(memories={"SM": {}, "ME": {}})
    driven = drive(modem, poll_seconds=0.01)
    await driven.ready()
    for _ in range(200):
        await driven.supervisor.submit(TPDU)
    between = "".join("S" if command.startswith("AT+CMGS=") else "q" for command in modem.commands)
    # Whoever has waited longest has the line next: one question at most stands between two submits that follow.
    first = between.index("S")
    assert "qqq" not in between[first : between.rindex("S")]


async def test_the_chatter_of_a_zte_stick_is_no_news_of_its_sim(drive: Drive) -> None:
    modem = with_sim(memories={"SM": {}})
    modem.answers["AT+CGMI"] = "ZTE CORPORATION\nOK"
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    await eventually(lambda: modem.selected == "SM" and modem.commands[-1].startswith("AT+CMGL"))
    start = len(modem.commands)
    for _ in range(50):
        modem.say("+ZUSIMR:2")
        await driven.supervisor.submit(TPDU)
    # Where the news came into its answer, the mode is asked for once more.
    assert set(modem.commands[start:]) == {"AT+CMGF?", f"AT+CMGS={len(TPDU)}"}
    assert modem.commands[start:].count("AT+CMGF?") <= 100


async def test_what_was_recorded_for_another_sim_is_not_handed_over(drive: Drive, tell: Tell) -> None:
    modem = with_sim(memories={"SM": {}})
    driven = drive(modem, poll_seconds=SELDOM)
    await driven.ready()
    iccid = driven.supervisor.status().iccid
    assert iccid is not None
    with pytest.raises(ModemNotReady, match="another SIM"):
        await driven.supervisor.submit(TPDU, iccid=iccid[:-1] + "x")
    assert modem.submitted == []
    await driven.supervisor.submit(TPDU, iccid=iccid)
    await driven.supervisor.submit(TPDU)
    assert len(modem.submitted) == 2
    tell("M07: a SIM swapped between mark and submit: nothing handed over, nothing recorded under the wrong SIM")
