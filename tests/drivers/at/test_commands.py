"""Command lines as they are written, and what is known of each."""

import pytest

from drivers.at import commands
from drivers.at.commands import COMMAND_SECONDS, AtCommand


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (commands.submit(23), "AT+CMGS=23"),
        (commands.read_message(0), "AT+CMGR=0"),
        (commands.delete_messages(7), "AT+CMGD=7"),
        (commands.delete_messages(7, 0, 12), "AT+CMGD=7;+CMGD=0;+CMGD=12"),
        (commands.select_memories("SM", "SM", "SM"), 'AT+CPMS="SM","SM","SM"'),
        (commands.route_indications(2, 1, 2, 1, 0), "AT+CNMI=2,1,2,1,0"),
        (commands.enter_pin("1234"), 'AT+CPIN="1234"'),
    ],
)
def test_texts(command: AtCommand, text: str) -> None:
    assert command.text == text


def test_names_and_answers() -> None:
    assert AtCommand("AT").name == ""
    assert AtCommand("ATE0").name == ""
    assert AtCommand("AT^ICCID?").name == "^ICCID"
    assert commands.submit(1).answers == {"+CMGS"}
    assert AtCommand("at+ccid").answers == {"+CCID", "+ICCID", "^ICCID"}


def test_a_pin_is_not_shown() -> None:
    assert "1234" not in commands.enter_pin("1234").label
    assert commands.submit(1).label == "AT+CMGS=1"


@pytest.mark.parametrize(
    ("text", "longer"), [("AT", False), ("AT+CSQ", False), ("AT+CPIN?", True), ("AT+CMGL=4", True)]
)
def test_deadlines(text: str, longer: bool) -> None:
    assert (AtCommand(text).seconds > COMMAND_SECONDS) is longer


def test_a_ussd_string_may_take_its_time_and_is_not_shown() -> None:
    command = commands.begin_ussd("#123#", 40.0)
    assert (command.text, command.seconds, command.label) == ('AT+CUSD=1,"#123#",15', 40.0, "AT+CUSD=…")
