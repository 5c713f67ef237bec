"""Many messages at once: listed together, freed together, in order, and never at the price of what is urgent."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.pdus import deliver, length_of
from support.rigs import HASTY
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import DeliverReceived
from drivers.gsm.storage import LONGEST_LINE

UNREAD, READ = 0, 1
CONFIRMED = {**PLAIN, "AT+CSMS=1": "+CSMS: 1,1,1\nOK", "AT+CSMS?": "+CSMS: 1,1,1,1\nOK", "AT+CNMA": "OK"}


def texts(driven: Driven) -> list[str | None]:
    return [event.deliver.tp_ud.text for event in driven.messages if isinstance(event, DeliverReceived)]


async def acknowledge(driven: Driven) -> None:
    for event in driven.messages:
        await driven.supervisor.acknowledge(event.receipt)  # type: ignore[union-attr]


def several(modem: ScriptedModem) -> list[str]:
    return [line for line in modem.commands if line.startswith("AT+CMGD=") and ";" in line]


async def told(
    drive: Drive, modem: ScriptedModem, *slots: int, stat: int = UNREAD, more: int = 0, **settings: object
) -> Driven:
    """A driver whose modem has told of these slots in one burst; each text is its slot's number."""
    driven = drive(modem, **settings)
    await driven.ready()
    last_of_the_first_look = "AT+CMGL=4" if modem.listing else "AT+CPMS?"
    await eventually(lambda: "AT+CMGL=4" in modem.commands and modem.commands[-1] == last_of_the_first_look)
    memory = modem.selected
    modem.memories[memory].update({slot: (stat, deliver(str(slot))) for slot in slots})
    modem.say("\n".join(f'+CMTI: "{memory}",{slot}' for slot in slots))
    await eventually(lambda: len(driven.messages) == len(slots) + more)
    return driven


@pytest.mark.parametrize("memory", ["SM", "ME", "MT"])
async def test_many_are_read_by_one_listing_in_the_order_in_which_they_were_told(drive: Drive, memory: str) -> None:
    modem = ScriptedModem(memories={memory: {}})
    driven = await told(drive, modem, 5, 0, 19, 3, 7)
    assert texts(driven) == ["5", "0", "19", "3", "7"]
    assert modem.commands.count("AT+CMGL=0") == 1
    assert not any(line.startswith("AT+CMGR") for line in modem.commands)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories[memory])


async def test_a_few_are_read_each(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, 2, 1, 0)
    assert texts(driven) == ["2", "1", "0"]
    assert "AT+CMGL=0" not in modem.commands


@pytest.mark.parametrize("habit", ["reads what it stores", "refuses", "never answers", "lists nothing at all"])
async def test_a_modem_that_cannot_list_what_is_new(drive: Drive, habit: str) -> None:
    modem = ScriptedModem(memories={"SM": {}}, listing=habit != "lists nothing at all")
    if habit in {"refuses", "never answers"}:
        modem.answers["AT+CMGL=0"] = "+CMS ERROR: 303" if habit == "refuses" else None
    stat = READ if habit == "reads what it stores" else UNREAD
    driven = await told(drive, modem, 4, 3, 2, 1, stat=stat, deadlines=HASTY)
    modem.memories["SM"].update({slot: (stat, deliver(str(slot))) for slot in (8, 7, 6, 5)})
    modem.say("\n".join(f'+CMTI: "SM",{slot}' for slot in (8, 7, 6, 5)))
    await eventually(lambda: len(driven.messages) == 8)
    assert texts(driven) == ["4", "3", "2", "1", "8", "7", "6", "5"]
    assert modem.commands.count("AT+CMGL=0") == (habit != "lists nothing at all")


async def test_what_was_told_and_is_read_by_now_is_read_by_its_number(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: "AT+CMGL=4" in modem.commands)
    stats = {0: UNREAD, 1: UNREAD, 2: READ, 3: UNREAD}
    modem.memories["SM"].update({slot: (stat, deliver(str(slot))) for slot, stat in stats.items()})
    modem.say("\n".join(f'+CMTI: "SM",{slot}' for slot in stats))
    await eventually(lambda: texts(driven) == ["0", "1", "2", "3"])
    assert [line for line in modem.commands if line.startswith("AT+CMGR")] == ["AT+CMGR=2"]


async def test_what_a_listing_shows_before_it_is_told_waits_for_its_turn(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})

    def shows_more(_: str) -> None:
        del modem.answers["AT+CMGL=0"]
        modem.memories["SM"].update({slot: (UNREAD, deliver(str(slot))) for slot in (0, 9)})
        entries = [f"+CMGL: {slot},0,,{length_of(pdu)}\n{pdu}" for slot, (_, pdu) in sorted(modem.slots.items())]
        modem.memories["SM"] = {slot: (READ, pdu) for slot, (_, pdu) in modem.slots.items()}
        modem.say("\n".join([*entries, "OK", '+CMTI: "SM",9', '+CMTI: "SM",0']))

    modem.answers["AT+CMGL=0"] = shows_more
    driven = await told(drive, modem, 5, 4, 3, 2, more=2)
    assert texts(driven) == ["5", "4", "3", "2", "9", "0"]
    assert not any(line.startswith("AT+CMGR") for line in modem.commands)


async def test_what_was_told_of_a_slot_before_it_was_read_says_nothing_of_its_next_message(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {slot: (UNREAD, deliver(str(slot))) for slot in range(3)}})

    def is_told_as_well(_: str) -> None:
        del modem.answers["AT+CMGL=4"]
        modem.say("\n".join(f'+CMTI: "SM",{slot}' for slot in range(3)))
        modem.feed(b"AT+CMGL=4\r")

    modem.answers["AT+CMGL=4"] = is_told_as_well
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: texts(driven) == ["0", "1", "2"])
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    # The one that proves that the modem obeys a line of several deletions.
    assert [line for line in modem.commands if line.startswith("AT+CMGR")] == ["AT+CMGR=2"]


async def test_what_is_acknowledged_together_is_freed_in_few_lines(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, *range(25))
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    lines = several(modem)
    assert [line.count("+CMGD=") for line in lines] == [8, 7, 7, 3]
    assert max(map(len, lines)) <= len("AT") + LONGEST_LINE
    assert not any(line.count(",") for line in lines), "only slots that were told are freed, never 'all read'"


@pytest.mark.parametrize("obeyed", [0, 1, 3])
async def test_a_modem_that_does_not_obey_a_line_of_several_gets_one_each(drive: Drive, obeyed: int) -> None:
    modem = ScriptedModem(memories={"SM": {}}, obeyed=obeyed)
    driven = await told(drive, modem, *range(12))
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    assert len(several(modem)) == 1
    assert len(texts(driven)) == 12


async def test_a_line_of_several_of_which_one_fails_frees_the_others_all_the_same(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, *range(6))
    del modem.memories["SM"][2]  # by somebody else
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    assert len(texts(driven)) == 6


async def test_what_came_into_a_slot_meanwhile_is_not_freed_for_its_predecessor(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, *range(4))

    def frees_and_refuses(_: str) -> str:
        modem.memories["SM"] = {1: (UNREAD, deliver("new"))}
        return "ERROR"

    modem.answers["AT+CMGD=0;+CMGD=1;+CMGD=2;+CMGD=3"] = frees_and_refuses
    await acknowledge(driven)
    await eventually(lambda: texts(driven)[4:] == ["new"])
    assert modem.memories["SM"].keys() == {1}
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])


async def test_a_line_of_several_that_is_never_answered(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    modem.answers["AT+CMGD=0;+CMGD=1;+CMGD=2;+CMGD=3"] = None
    driven = await told(drive, modem, *range(4), deadlines=HASTY, poll_seconds=0.2)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    assert len(several(modem)) == 1
    assert len(texts(driven)) == 4


async def test_a_message_that_comes_while_many_are_freed_is_read_in_between(drive: Drive) -> None:
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, *range(20))

    def tells(_: str) -> None:
        modem.memories["SM"] = {30: (UNREAD, deliver("STOP"))} | {slot: modem.slots[slot] for slot in range(8, 20)}
        modem.say('OK\n+CMTI: "SM",30')

    modem.answers[";".join(["AT+CMGD=0", *(f"+CMGD={slot}" for slot in range(1, 8))])] = tells
    await acknowledge(driven)
    await eventually(lambda: modem.memories["SM"].keys() == {30})
    after = modem.commands[modem.commands.index(several(modem)[0]) :]
    assert after.index("AT+CMGR=30") < after.index(several(modem)[1])


async def test_a_confirmation_waits_for_one_line_of_deletions_at_most(drive: Drive) -> None:
    modem = ScriptedModem(answers=dict(CONFIRMED), memories={"SM": {}})
    driven = await told(drive, modem, *range(20))
    modem.say(f"+CMT: ,{length_of(deliver('now'))}\n{deliver('now')}")
    await eventually(lambda: len(driven.messages) == 21)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    freed = [line for line in modem.commands if line.startswith(("AT+CMGD", "AT+CNMA"))]
    assert freed.index("AT+CNMA") <= 1


async def test_what_a_listing_showed_of_a_slot_that_was_read_before_is_not_taken_for_its_next_message(
    drive: Drive,
) -> None:
    modem = ScriptedModem(memories={"SM": {}})  # leaves as unread what it has shown
    driven = await told(drive, modem, 0)
    more = (1, 2, 3, 4)
    modem.memories["SM"].update({slot: (UNREAD, deliver(str(slot))) for slot in more})
    modem.say("\n".join(f'+CMTI: "SM",{slot}' for slot in more))
    await eventually(lambda: len(driven.messages) == 5)
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    modem.memories["SM"][0] = (UNREAD, deliver("new"))
    modem.say('+CMTI: "SM",0')
    await eventually(lambda: texts(driven) == ["0", "1", "2", "3", "4", "new"])
    await driven.supervisor.acknowledge(driven.messages[-1].receipt)
    await eventually(lambda: not modem.memories["SM"])


async def test_a_slot_is_not_freed_twice_in_one_line(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    """Told to look everywhere while it frees a slot, which is filled again and read meanwhile."""
    modem = ScriptedModem(memories={"SM": {}})
    driven = await told(drive, modem, 1)

    def deletes(_: str) -> None:
        del modem.answers["AT+CMGD=1"]
        modem.memories["SM"] = {slot: (UNREAD, deliver(f"B{slot}")) for slot in (1, 2, 3, 4)} | {5: (1, deliver("B5"))}
        lines = ['+CMTI: "SM"', "OK", *(f'+CMTI: "SM",{slot}' for slot in (1, 2, 3, 4, 5))]
        modem.say("\n".join(lines))

    def reads(_: str) -> None:
        del modem.answers["AT+CMGR=5"]

        async def read() -> None:
            await acknowledge(driven)
            modem.feed(b"AT+CMGR=5\r")

        asyncio.get_running_loop().create_task(read())

    modem.answers |= {"AT+CMGD=1": deletes, "AT+CMGR=5": reads}
    await acknowledge(driven)
    await eventually(lambda: "B5" in texts(driven))
    await acknowledge(driven)
    await eventually(lambda: not modem.memories["SM"])
    assert not any(line.count("+CMGD=1;") > 1 or line.endswith("+CMGD=1;+CMGD=1") for line in modem.commands)
    assert not any(record.exc_info for record in caplog.records)
