"""Command lines as V.250 writes them, and lines that it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.at.equipment_grammar import Command, CommandLineError, Form, next_command, strip_blanks


def commands(body: str) -> list[Command]:
    found, position, text = [], 0, strip_blanks(body)
    while taken := next_command(text, position):
        command, position = taken
        found.append(command)
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        (";;", []),
        ("E0", [Command("E", Form.EXECUTE, "0")]),
        ("e0q0V1", [Command("E", Form.EXECUTE, "0"), Command("Q", Form.EXECUTE, "0"), Command("V", Form.EXECUTE, "1")]),
        ("&F", [Command("&F", Form.EXECUTE)]),
        ("&f0 s0=0", [Command("&F", Form.EXECUTE, "0"), Command("S0", Form.SET, "0")]),
        ("S3?S05=8", [Command("S3", Form.READ), Command("S5", Form.SET, "8")]),
        ("+CREG?", [Command("+CREG", Form.READ)]),
        ("+cmgf=?", [Command("+CMGF", Form.TEST)]),
        ("+CSQ", [Command("+CSQ", Form.EXECUTE)]),
        ("+CMEE=1;+CREG?", [Command("+CMEE", Form.SET, "1"), Command("+CREG", Form.READ)]),
        ("E0+CMEE=1;I", [Command("E", Form.EXECUTE, "0"), Command("+CMEE", Form.SET, "1"), Command("I", Form.EXECUTE)]),
        ('+CPIN="1;2"', [Command("+CPIN", Form.SET, '"1;2"')]),
        ('+CSCS = "a b"', [Command("+CSCS", Form.SET, '"a b"')]),
        ("^CURC=0", [Command("^CURC", Form.SET, "0")]),
        ("+CLCK=", [Command("+CLCK", Form.SET, "")]),
        ("DT*99#;", [Command("D", Form.EXECUTE, "T*99#;")]),
        ("+CMGF=0;D1", [Command("+CMGF", Form.SET, "0"), Command("D", Form.EXECUTE, "1")]),
    ],
)
def test_a_line_is_read_command_by_command(body: str, expected: list[Command]) -> None:
    assert commands(body) == expected


@pytest.mark.parametrize(
    "body", ["=", "+", "ſ", "S٣?", "+1", "1", "+CREG?x", "+CSQ=?1", "é", '+CPIN="1', "?", "&", "+CSQ!x y?z"]
)
def test_a_line_that_follows_no_syntax_is_refused(body: str) -> None:
    with pytest.raises(CommandLineError):
        commands(body)


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ("", ()),
        ("1", ("1",)),
        ("2,1,0,2,0", ("2", "1", "0", "2", "0")),
        (',,"SM"', (None, None, "SM")),
        ('"a,b;c",145', ("a,b;c", "145")),
        (r'"say \22yes\22 \\5C"', ('say "yes" \\\\',)),
        (r'"\zz"', (r"\zz",)),
        ('""', ("",)),
        ('"', ('"',)),
    ],
)
def test_parameters_are_cut_outside_strings(value: str, parameters: tuple[str | None, ...]) -> None:
    assert Command("+X", Form.SET, value).parameters == parameters


def test_a_missing_number_is_zero() -> None:
    assert Command("E", Form.EXECUTE).number == 0
    assert Command("E", Form.EXECUTE, "12").number == 12


def test_blanks_and_control_characters_go_unless_quoted() -> None:
    assert strip_blanks('+C\x00SQ = 1 ;\n +X="a b" , 2') == '+CSQ=1;+X="a b",2'


@given(st.text(max_size=60))
def test_any_text_ends_or_is_refused(body: str) -> None:
    try:
        found = commands(body)
    except CommandLineError:
        return
    assert all(command.name == command.name.upper() for command in found if command.name.isascii())
