"""The grammar of parameters, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.at.parameters import (
    Bare,
    Parameter,
    ParameterError,
    format_parameters,
    parse_alternatives,
    parse_parameters,
    split_parameters,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", ()),
        ("  ", ()),
        ('1,"REC UNREAD",,', (1, "REC UNREAD", None, None)),
        ("READY", (Bare("READY"),)),
        ('"SM",0', ("SM", 0)),
        (",-1", (None, -1)),
        (' 2 , "a,b" , (1,2) ', (2, "a,b", Bare("(1,2)"))),
        ("-", (Bare("-"),)),
        ("356938035643809", (Bare("356938035643809"),)),
        ("0012345678901", (Bare("0012345678901"),)),
        ('"open', ("open",)),
        ('"', ("",)),
        ('""', ("",)),
        ("²", (Bare("²"),)),
        ("1)),2", (Bare("1))"), 2)),
    ],
)
def test_reading(text: str, values: tuple[Parameter, ...]) -> None:
    read = parse_parameters(text)
    assert read == values
    assert [type(value) for value in read] == [type(value) for value in values]


@pytest.mark.parametrize("text", ['"open', "(1,2", '1,"a""b"', "1)"])
def test_strict_reading_refuses(text: str) -> None:
    parse_parameters(text)
    with pytest.raises(ParameterError):
        parse_parameters(text, strict=True)


def test_pieces_keep_their_quotes() -> None:
    assert split_parameters('+1,"a,b",') == ("+1", '"a,b"', "")


@pytest.mark.parametrize("value", ['a"b', "a\rb", "a\nb", "é"])
def test_what_no_string_constant_can_hold(value: str) -> None:
    with pytest.raises(ParameterError):
        format_parameters(value)


_STRINGS = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'))
_VALUES = st.one_of(st.none(), st.integers(-(10**9), 10**9), _STRINGS)


@given(st.lists(_VALUES, min_size=2, max_size=6).map(tuple))
def test_what_is_written_is_read_back(values: tuple[Parameter, ...]) -> None:
    assert parse_parameters(format_parameters(*values), strict=True) == values


def test_a_bare_constant_is_written_without_quotes() -> None:
    assert format_parameters(Bare("READY"), "SM", 3, None) == 'READY,"SM",3,'


@given(st.text())
def test_reading_takes_everything(text: str) -> None:
    assert isinstance(parse_parameters(text), tuple)
    assert isinstance(parse_alternatives(text), tuple)


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ('("SM","ME"),("SM"),("SM","MT")', (("SM", "ME"), ("SM",), ("SM", "MT"))),
        ("(0-3),(0,2),1", (("0", "1", "2", "3"), ("0", "2"), ("1",))),
        ("(0-100000)", (("0-100000",),)),
        ("(a-b,-1)", (("a-b", "-1"),)),
        ("()", ((),)),
    ],
)
def test_alternatives(text: str, alternatives: tuple[tuple[str, ...], ...]) -> None:
    assert parse_alternatives(text) == alternatives
