"""The equipment's dialogue: what it echoes, hands on and answers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.at.equipment import (
    MAX_LINE,
    MAX_PAYLOAD,
    CommandReceived,
    Equipment,
    EquipmentEvent,
    EquipmentStateError,
    PayloadCancelled,
    PayloadReceived,
    Phase,
)
from drivers.at.equipment_grammar import Command, Form


def feed(equipment: Equipment, data: bytes) -> list[EquipmentEvent]:
    """Every event of `data`, each command answered with OK."""
    equipment.receive_data(data)
    events = []
    while event := equipment.next_event():
        events.append(event)
        equipment.succeed()
    return events


def names(events: list[EquipmentEvent]) -> list[str]:
    return [event.command.name for event in events if isinstance(event, CommandReceived)]


@pytest.fixture
def equipment() -> Equipment:
    return Equipment(echo=False)


def test_a_bare_prefix_is_answered_at_once(equipment: Equipment) -> None:
    assert feed(equipment, b"AT\r") == []
    assert equipment.data_to_send() == b"\r\nOK\r\n"


def test_a_command_is_handed_on_and_its_answer_written(equipment: Equipment) -> None:
    equipment.receive_data(b"at+csq\r")
    assert equipment.next_event() == CommandReceived(Command("+CSQ", Form.EXECUTE))
    assert equipment.data_to_send() == b""
    equipment.respond("+CSQ: 21,99")
    equipment.succeed()
    assert equipment.data_to_send() == b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"


def test_a_block_of_lines_has_one_frame(equipment: Equipment) -> None:
    equipment.receive_data(b"AT+CMGR=1\r")
    equipment.next_event()
    equipment.respond("+CMGR: 0,,3", "00AABBCC")
    assert equipment.data_to_send() == b"\r\n+CMGR: 0,,3\r\n00AABBCC\r\n"


def test_commands_of_a_line_come_one_by_one_with_one_result(equipment: Equipment) -> None:
    events = feed(equipment, b"AT+CMEE=1;+CREG?;I;\r")
    assert names(events) == ["+CMEE", "+CREG", "I"]
    assert equipment.data_to_send() == b"\r\nOK\r\n"


def test_a_failure_ends_the_line(equipment: Equipment) -> None:
    equipment.receive_data(b"AT+CPIN?;+CREG?\rAT\r")
    equipment.next_event()
    equipment.fail("+CME ERROR: 10")
    assert equipment.next_event() is None
    assert equipment.data_to_send() == b"\r\n+CME ERROR: 10\r\n\r\nOK\r\n"


def test_what_stood_before_a_syntax_error_is_executed(equipment: Equipment) -> None:
    assert names(feed(equipment, b"AT+CREG?;=\r")) == ["+CREG"]
    assert equipment.data_to_send() == b"\r\nERROR\r\n"


def test_octets_wait_while_a_command_executes(equipment: Equipment) -> None:
    equipment.receive_data(b"AT+CSQ\rAT+CREG?\r")
    equipment.next_event()
    assert equipment.next_event() is None
    equipment.succeed()
    assert equipment.next_event() == CommandReceived(Command("+CREG", Form.READ))


@pytest.mark.parametrize("noise", [b"", b"\x1b\x1a\r\n", b"+++ hello A", b"\xff\x00", b"Aa", b"aT\rAt\r"])
def test_noise_before_the_prefix_is_ignored(equipment: Equipment, noise: bytes) -> None:
    assert names(feed(equipment, noise + b"AT+CSQ\r")) == ["+CSQ"]


def test_the_prefix_may_be_split(equipment: Equipment) -> None:
    for octet in (b"x", b"A", b"T", b"+CSQ", b""):
        assert feed(equipment, octet) == []
    assert names(feed(equipment, b"\r")) == ["+CSQ"]


def test_a_slash_repeats_the_last_line_without_a_line_end(equipment: Equipment) -> None:
    assert names(feed(equipment, b"AT+CSQ;+CREG?\r")) == ["+CSQ", "+CREG"]
    assert names(feed(equipment, b"a")) == []
    assert names(feed(equipment, b"/")) == ["+CSQ", "+CREG"]
    assert names(feed(equipment, b"AT+CMEE=1\rA/")) == ["+CMEE", "+CMEE"]


def test_typing_is_corrected(equipment: Equipment) -> None:
    assert names(feed(equipment, b"AT\x08+CSW\x08Q\r")) == ["+CSQ"]


def test_a_line_that_is_too_long_is_an_error(equipment: Equipment) -> None:
    assert feed(equipment, b"AT" + b"E0" * MAX_LINE) == []
    assert feed(equipment, b"E0\r") == []
    assert equipment.data_to_send() == b"\r\nERROR\r\n"
    assert feed(equipment, b"AT" + b"E0" * (MAX_LINE // 2 - 1) + b"\r") == []
    assert equipment.data_to_send() == b"\r\nOK\r\n"


def test_echo_repeats_what_is_typed_until_it_is_switched_off() -> None:
    equipment = Equipment()
    feed(equipment, b"AT")
    assert equipment.data_to_send() == b"AT"
    feed(equipment, b"E0\rAT\r")
    assert equipment.data_to_send() == b"E0\r\r\nOK\r\n\r\nOK\r\n"
    assert not equipment.echo


def test_results_as_numbers_and_not_at_all(equipment: Equipment) -> None:
    feed(equipment, b"ATV0\r")
    assert equipment.data_to_send() == b"0\r"
    equipment.receive_data(b"AT+CSQ\r")
    equipment.next_event()
    equipment.respond("+CSQ: 1,99")
    equipment.fail("+CMS ERROR: 500")
    assert equipment.data_to_send() == b"+CSQ: 1,99\r\n\r\n+CMS ERROR: 500\r\n"
    feed(equipment, b"AT=\r")
    assert equipment.data_to_send() == b"4\r"
    feed(equipment, b"ATQ1\rAT\r")
    equipment.notify("RING")
    assert equipment.data_to_send() == b""


def test_a_flag_takes_zero_or_one(equipment: Equipment) -> None:
    feed(equipment, b"ATE2\r")
    assert equipment.data_to_send() == b"\r\nERROR\r\n"
    assert not equipment.echo


def test_registers_are_read_and_set(equipment: Equipment) -> None:
    feed(equipment, b"ATS3?\r")
    assert equipment.data_to_send() == b"\r\n013\r\n\r\nOK\r\n"
    feed(equipment, b"ATS7=60S7?S99?\r")
    assert equipment.data_to_send() == b"\r\n060\r\n\r\n000\r\n\r\nOK\r\n"
    feed(equipment, b"ATS3=128\rATS0=256\r")
    assert equipment.data_to_send() == b"\r\nERROR\r\n" * 2
    assert names(feed(equipment, b"ATS\r")) == ["S"]


def test_the_line_end_follows_its_registers(equipment: Equipment) -> None:
    feed(equipment, b"ATS3=35\r")
    assert equipment.data_to_send() == b"#\nOK#\n"
    assert names(feed(equipment, b"AT+CSQ#")) == ["+CSQ"]


@pytest.mark.parametrize("line", [b"ATZ\r", b"AT&F\r"])
def test_a_reset_restores_the_interface_and_is_handed_on(line: bytes) -> None:
    equipment = Equipment()
    feed(equipment, b"ATE0V0S7=1\r")
    assert len(feed(equipment, line)) == 1
    assert equipment.echo
    assert equipment.verbose


def test_a_command_may_end_without_a_result_and_takes_its_line_along(equipment: Equipment) -> None:
    equipment.receive_data(b"AT+CSQ;+CREG?\r")
    assert equipment.next_event() is not None
    equipment.data_to_send()
    equipment.give_up()
    assert equipment.next_event() is None
    assert equipment.data_to_send() == b""
    assert equipment.phase is Phase.PREFIX


def prompted(equipment: Equipment) -> Equipment:
    equipment.receive_data(b"AT+CMGS=3\r")
    equipment.next_event()
    equipment.prompt()
    assert equipment.data_to_send().endswith(b"\r\n> ")
    assert equipment.phase is Phase.PAYLOAD
    return equipment


def test_a_payload_ends_with_control_z(equipment: Equipment) -> None:
    prompted(equipment).receive_data(b"00AT\r")
    assert equipment.next_event() is None
    equipment.receive_data(b"BB\x1aAT\r")
    assert equipment.next_event() == PayloadReceived(b"00AT\rBB")
    equipment.respond("+CMGS: 7")
    equipment.succeed()
    assert equipment.data_to_send() == b"\r\n+CMGS: 7\r\n\r\nOK\r\n"
    assert equipment.next_event() is None
    assert equipment.data_to_send() == b"\r\nOK\r\n"


def test_escape_leaves_the_prompt(equipment: Equipment) -> None:
    prompted(equipment).receive_data(b"00AA\x1b")
    assert equipment.next_event() == PayloadCancelled()
    equipment.succeed()
    assert equipment.data_to_send() == b"\r\nOK\r\n"


def test_a_payload_is_echoed_and_bounded() -> None:
    equipment = prompted(Equipment())
    equipment.receive_data(b"0" * (MAX_PAYLOAD + 5) + b"\x1a")
    assert equipment.next_event() == PayloadReceived(b"0" * MAX_PAYLOAD)
    assert len(equipment.data_to_send()) == MAX_PAYLOAD + 6


def test_notifications_come_at_any_time_but_not_into_a_payload(equipment: Equipment) -> None:
    equipment.notify('+CMTI: "SM",1')
    assert equipment.data_to_send() == b'\r\n+CMTI: "SM",1\r\n'
    prompted(equipment)
    equipment.notify("+CDS: 3", "00AABB")
    equipment.notify("RING")
    assert equipment.data_to_send() == b""
    equipment.receive_data(b"00\x1a")
    assert equipment.next_event() == PayloadReceived(b"00")
    assert equipment.data_to_send() == b"\r\n+CDS: 3\r\n00AABB\r\n\r\nRING\r\n"


@pytest.mark.parametrize("answer", [Equipment.succeed, Equipment.fail, Equipment.prompt, Equipment.respond])
def test_an_answer_without_a_command_is_a_mistake(equipment: Equipment, answer: Callable[[Equipment], None]) -> None:
    with pytest.raises(EquipmentStateError):
        answer(equipment)


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_octets_split_anywhere_give_the_same_events(data: bytes, size: int) -> None:
    whole, pieces = Equipment(), Equipment()
    expected = feed(whole, data)
    got = [event for start in range(0, len(data), size) for event in feed(pieces, data[start : start + size])]
    assert got == expected
    assert pieces.data_to_send() == whole.data_to_send()
