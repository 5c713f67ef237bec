"""What a modem receives: told, handed over, or found in a memory; each once, freed only when acknowledged."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.pdus import deliver, length_of, report
from support.rigs import HASTY
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import DeliverReceived, ModemEvent, PduUndecodable, ReceiptKind, StatusReportReceived
from drivers.gsm.decoding import message_event

ONE, TWO, THREE = deliver("one"), deliver("two"), deliver("three")
READ, UNREAD, UNSENT, SENT = 1, 0, 2, 3


def text_of(event: ModemEvent) -> str | None:
    return event.deliver.tp_ud.text if isinstance(event, DeliverReceived) else None


def texts(driven: Driven) -> list[str | None]:
    return [text_of(event) for event in driven.messages]


async def acknowledge(driven: Driven) -> None:
    for event in driven.messages:
        await driven.supervisor.acknowledge(event.receipt)  # type: ignore[union-attr]


# --- stored messages


@pytest.mark.parametrize("habits", [{}, {"listing": False}, {"listing": False, "empty_is_ok": True}])
async def test_every_memory_is_read_at_the_start(drive: Drive, habits: dict[str, bool]) -> None:
    memories = {
        "SM": {0: (UNREAD, ONE), 3: (READ, TWO)},
        "ME": {1: (UNREAD, THREE)},
        "SR": {2: (READ, report(17))},
        "BM": {1: (READ, ONE)},
    }
    driven = drive(ScriptedModem(memories=memories, **habits))  # type: ignore[arg-type]
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 4)
    assert texts(driven) == ["one", "two", "three", None]
    last = driven.messages[-1]
    assert isinstance(last, StatusReportReceived)
    assert last.report.tp_mr == 17
    assert driven.modem.memories["SM"].keys() == {0, 3}
    await acknowledge(driven)
    await eventually(lambda: not any(driven.modem.memories[name] for name in ("SM", "ME", "SR")))
    assert driven.modem.memories["BM"]
    await eventually(lambda: driven.modem.selected == "SM")


async def test_a_modem_that_names_no_memories(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})
    modem.answers.update({"AT+CPMS=?": "ERROR", "AT+CPMS?": "ERROR"})
    modem.answers.update({f'AT+CPMS="{name}"': "ERROR" for name in ("SM", "ME", "MT")})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: texts(driven) == ["one"])
    modem.memories["SM"][2] = UNREAD, TWO
    modem.say('+CMTI: "SM",2')
    await eventually(lambda: texts(driven) == ["one", "two"])
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])


@pytest.mark.parametrize("count", [3, 2, 1])
async def test_as_many_memories_are_chosen_as_the_modem_takes(drive: Drive, count: int) -> None:
    modem = ScriptedModem(memories={"SM": {}, "ME": {}})
    for more in range(count + 1, 4):
        modem.answers["AT+CPMS=" + ",".join(['"SM"'] * more)] = "ERROR"
    driven = drive(modem)
    await driven.ready()
    assert "AT+CPMS=" + ",".join(['"SM"'] * count) in modem.commands


async def test_an_unusual_receiving_memory_is_replaced(drive: Drive) -> None:
    modem = ScriptedModem(memories={"BM": {}, "SM": {}, "ME": {}}, selected="BM")
    driven = drive(modem)
    await driven.ready()
    assert 'AT+CPMS="ME","ME","ME"' in modem.commands


async def test_what_is_to_be_sent_or_was_sent_is_left_alone(drive: Drive) -> None:
    slots = {1: (UNSENT, ONE), 2: (SENT, TWO), 3: (UNREAD, THREE)}
    driven = drive(ScriptedModem(memories={"SM": slots}))
    await driven.ready()
    await eventually(lambda: texts(driven) == ["three"])
    await acknowledge(driven)
    await eventually(lambda: slots.keys() == {1, 2})


async def test_the_joined_memory_shows_nothing_twice(drive: Drive) -> None:
    memories = {"SM": {1: (UNREAD, ONE)}, "ME": {1: (UNREAD, TWO)}, "MT": {1: (UNREAD, ONE), 2: (UNREAD, TWO)}}
    memories["MT"][3] = UNREAD, THREE
    driven = drive(ScriptedModem(memories=memories))
    await driven.ready()
    await eventually(lambda: texts(driven) == ["one", "two", "three"])
    await eventually(lambda: driven.modem.selected == "SM")
    assert len(driven.messages) == 3


async def test_a_told_slot_is_read_and_freed_by_its_number(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = drive(modem)
    await driven.ready()
    for index, pdu in enumerate((ONE, TWO, THREE)):  # from 0, in one burst
        modem.memories["SM"][index] = UNREAD, pdu
    modem.say("\n".join(f'+CMTI: "SM",{index}' for index in range(3)))
    await eventually(lambda: texts(driven) == ["one", "two", "three"])
    assert len(modem.memories["SM"]) == 3
    await acknowledge(driven)
    await acknowledge(driven)  # twice does no harm
    await eventually(lambda: not modem.memories["SM"])
    modem.memories["SM"][0] = UNREAD, ONE
    modem.say('+CMTI: "SM",0')
    await eventually(lambda: texts(driven) == ["one", "two", "three", "one"])


@pytest.mark.parametrize(
    "notice", ["+CMTI: ,-1", "+CMTI:", '+CMTI: "SM"', '+CMTI: "XX",4', '+CMTI: "SM",9', "+CMTI: 4"]
)
async def test_a_notice_that_leads_nowhere_makes_us_look_everywhere(drive: Drive, notice: str) -> None:
    modem = ScriptedModem(memories={"SM": {}, "ME": {}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: "AT+CMGL=4" in modem.commands)
    modem.memories["ME"][5] = UNREAD, ONE
    modem.say(notice)
    await eventually(lambda: texts(driven) == ["one"])
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["ME"])


async def test_a_report_announced_under_the_wrong_memory(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {0: (READ, ONE)}, "SR": {}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: texts(driven) == ["one"])
    modem.memories["SR"][0] = READ, report(200)
    modem.say('+CDSI: "SM",0')
    await eventually(lambda: len(driven.messages) == 2)
    told = driven.messages[1]
    assert isinstance(told, StatusReportReceived)
    assert told.report.tp_mr == 200
    await driven.supervisor.acknowledge(told.receipt)
    await eventually(lambda: not modem.memories["SR"])
    assert modem.memories["SM"]


async def test_a_report_among_the_messages(drive: Drive) -> None:
    driven = drive(ScriptedModem(memories={"SM": {4: (UNREAD, report(3, status=0x46))}}))
    await driven.ready()
    await eventually(lambda: driven.messages)
    assert isinstance(driven.messages[0], StatusReportReceived)
    assert driven.messages[0].report.tp_st == 0x46


async def test_an_undecodable_pdu_is_told_and_freed(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, "0004"), 2: (UNREAD, ONE)}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 2)
    broken = driven.messages[0]
    assert isinstance(broken, PduUndecodable)
    assert broken.raw == "0004"
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])


async def test_lost_notices_are_made_good_by_looking_at_intervals(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    modem.memories["SM"][1] = UNREAD, ONE
    await eventually(lambda: texts(driven) == ["one"])
    looks = modem.commands.count("AT+CMGL=4")
    await eventually(lambda: modem.commands.count("AT+CMGL=4") > looks + 2)
    assert texts(driven) == ["one"]


async def test_a_slot_that_cannot_be_freed_is_tried_again_and_not_told_again(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})
    modem.answers["AT+CMGD=1"] = "+CMS ERROR: 500"
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    await eventually(lambda: driven.messages)
    await acknowledge(driven)
    await eventually(lambda: modem.commands.count("AT+CMGD=1") >= 2)
    del modem.answers["AT+CMGD=1"]
    await eventually(lambda: not modem.memories["SM"])
    assert texts(driven) == ["one"]


async def test_a_slot_filled_anew_is_not_freed_for_its_predecessor(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})

    def frees_and_says_nothing(_: str) -> None:
        modem.memories["SM"][1] = UNREAD, TWO

    modem.answers["AT+CMGD=1"] = frees_and_says_nothing
    driven = drive(modem, poll_seconds=0.05, deadlines=HASTY)
    await driven.ready()
    await eventually(lambda: driven.messages)
    await acknowledge(driven)
    await eventually(lambda: texts(driven) == ["one", "two"])
    del modem.answers["AT+CMGD=1"]
    assert modem.memories["SM"][1] == (UNREAD, TWO)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])


async def test_a_slot_that_was_freed_without_a_word_is_forgotten(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})

    def frees_and_refuses(_: str) -> str:
        modem.memories["SM"].pop(1, None)
        return "ERROR"

    modem.answers["AT+CMGD=1"] = frees_and_refuses
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    await eventually(lambda: driven.messages)
    await acknowledge(driven)
    await eventually(lambda: "AT+CMGR=1" in modem.commands)
    modem.memories["SM"][1] = UNREAD, ONE  # the very same text once more
    await eventually(lambda: texts(driven) == ["one", "one"])


async def test_a_receipt_from_before_a_loss_frees_nothing(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: driven.messages)
    await driven.line.unplug()
    await eventually(lambda: len(driven.messages) == 2)
    await driven.supervisor.acknowledge(driven.messages[0].receipt)  # type: ignore[union-attr]
    modem.memories["SM"][2] = UNREAD, TWO
    modem.say('+CMTI: "SM",2')
    await eventually(lambda: len(driven.messages) == 3)
    assert set(modem.memories["SM"]) == {1, 2}
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])


async def test_a_listing_that_hangs_is_replaced_by_reading_slot_by_slot(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {1: (UNREAD, ONE)}})
    modem.answers["AT+CMGL=4"] = None
    driven = drive(modem, poll_seconds=0.05, deadlines=HASTY)
    await driven.ready()
    await eventually(lambda: texts(driven) == ["one"], 10)
    assert modem.commands.count("AT+CMGL=4") == 1


# --- handed over


@pytest.mark.parametrize(
    ("level", "answers"),
    [
        (0, {}),
        (0, {"AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 0,1,1,1\nOK"}),
        (1, {"AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK"}),
        (1, {"AT+CSMS=1": "OK"}),
        (1, {"AT+CSMS?": "+CSMS: 1,1,1,1\nOK"}),
    ],
)
async def test_messages_and_reports_that_are_handed_over(drive: Drive, level: int, answers: dict[str, str]) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CNMA": "OK", **answers})
    driven = drive(modem)
    await driven.ready()
    pdu, sr = ONE, report(9)
    modem.say(f"+CMT: ,{length_of(pdu)}\n{pdu}")
    modem.say(f"+CDS: {length_of(sr)}\n{sr}")
    await eventually(lambda: len(driven.messages) == 2)
    message, told = driven.messages
    assert isinstance(message, DeliverReceived)
    assert message.smsc is not None
    assert message.raw == bytes.fromhex(pdu)
    assert isinstance(told, StatusReportReceived)
    assert told.report.tp_mr == 9
    assert message.receipt.kind is (ReceiptKind.DIRECT if level else ReceiptKind.NONE)
    assert modem.commands.count("AT+CNMA") == 0
    await acknowledge(driven)
    await eventually(lambda: modem.commands.count("AT+CNMA") == 2 * level)


async def test_a_confirmation_in_the_form_of_pdu_mode(drive: Drive) -> None:
    answers = {**PLAIN, "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK", "AT+CNMA=0": "OK"}
    modem = ScriptedModem(answers=answers)
    driven = drive(modem)
    await driven.ready()
    modem.say(f"+CMT: ,{length_of(ONE)}\n{ONE}")
    await eventually(lambda: driven.messages)
    await acknowledge(driven)
    await eventually(lambda: "AT+CNMA=0" in modem.commands)


async def test_a_refused_confirmation_has_the_routing_checked(drive: Drive) -> None:
    answers = {**PLAIN, "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK"}
    modem = ScriptedModem(answers={**answers, "AT+CNMI?": "+CNMI: 2,0,0,0,0\nOK"})
    driven = drive(modem)
    await driven.ready()
    before = modem.commands.count("AT+CNMI=2,1,2,1,0")
    modem.say(f"+CMT: ,{length_of(ONE)}\n{ONE}")
    await eventually(lambda: driven.messages)
    await acknowledge(driven)
    await eventually(lambda: modem.commands.count("AT+CNMI=2,1,2,1,0") > before)


@pytest.mark.parametrize(("answer", "again"), [("+CNMI: 2,1,2,1,0\nOK", False), ("+CNMI: 2,0,0,0,0\nOK", True)])
async def test_a_routing_that_was_turned_off_is_put_back(drive: Drive, answer: str, again: bool) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CNMI?": answer})
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    await eventually(lambda: modem.commands.count("AT+CNMI?") >= 2)
    assert (modem.commands.count("AT+CNMI=2,1,2,1,0") > 1) is again


async def test_a_notice_without_its_pdu_is_survived(drive: Drive) -> None:
    driven = drive()
    await driven.ready()
    driven.modem.say("+CMT: ,30\nRING")
    driven.modem.say(f"+CMT: ,{length_of(ONE)}\n{ONE}")
    await eventually(lambda: texts(driven) == ["one"])


async def test_stopping_frees_what_was_acknowledged(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {index: (UNREAD, deliver(str(index))) for index in range(10)}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 10)
    await acknowledge(driven)
    await asyncio.wait_for(driven.supervisor.stop(), 5)
    assert not modem.memories["SM"]


# --- one PDU


def test_a_modem_that_leaves_out_the_service_centre_field() -> None:
    pdu = deliver("bare", smsc=False)
    event = message_event(pdu, len(pdu) // 2, None)  # type: ignore[arg-type]
    assert isinstance(event, DeliverReceived)
    assert (event.smsc, event.deliver.tp_ud.text) == (None, "bare")


@pytest.mark.parametrize("pdu", ["", "0", "XX", "00", "0001", "07915155", "00010062112221430000"])
def test_what_is_no_pdu(pdu: str) -> None:
    event = message_event(pdu, None, None)  # type: ignore[arg-type]
    assert isinstance(event, PduUndecodable)
    assert event.raw == pdu


@pytest.mark.parametrize(("level", "service"), [(0, "0"), (1, "1")])
async def test_what_a_predecessor_left_unconfirmed_is_refused_before_routing_begins(
    drive: Drive, level: int, service: str
) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": f"+CSMS: {service},1,1,1\nOK"})
    driven = drive(modem)
    await driven.ready()
    assert modem.commands.count("AT+CNMA=2") == level
    if level:
        assert modem.commands.index("AT+CNMA=2") < modem.commands.index("AT+CNMI=2,1,2,1,0")


async def test_what_is_handed_over_before_the_message_service_has_started_is_confirmed_and_not_refused(
    drive: Drive,
) -> None:
    answers = {**PLAIN, "AT+CGMI": "u-blox\nOK", "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK"}
    modem = ScriptedModem(answers={**answers, "AT+CNMA": "OK", "AT+CNMA=2": "OK"}, memories={"SM": {}})
    driven = drive(modem)
    await driven.ready()
    modem.say(f"+CMT: ,{length_of(ONE)}\n{ONE}")
    await eventually(lambda: driven.messages)
    modem.say("+PBREADY")  # everything is agreed anew
    await eventually(lambda: modem.commands.count("AT+CSMS=1") == 2)
    await eventually(lambda: modem.commands.count("AT+CNMI=2,1,2,1,0") >= 2)
    assert modem.commands.count("AT+CNMA=2") == 1
    await acknowledge(driven)
    await eventually(lambda: modem.commands.count("AT+CNMA") == 1)
