"""Octets to lines, whatever the modem's habits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.at.framing import LineFramer, Mark, Noise


def items(framer: LineFramer, *pieces: bytes) -> list[str | Mark | Noise]:
    found = []
    for piece in pieces:
        framer.feed(piece)
        while (item := framer.next()) is not Mark.NEED_DATA:
            found.append(item)
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"\r\nOK\r\n",
        b"OK\r",
        b"OK\n",
        b"\n\n\rOK\r\r\n\n",
        b"\x00\r\n\x00O\x00K\x00\r\n",
        b"  OK \r\n",
        b"\x1aOK\x1b",
        b"\t OK\t\r",
    ],
)
def test_one_line_in_many_habits(data: bytes) -> None:
    assert items(LineFramer(), data) == ["OK"]
    assert items(LineFramer(), *(data[at : at + 1] for at in range(len(data)))) == ["OK"]


def test_octets_beyond_ascii_come_through() -> None:
    assert items(LineFramer(), b"caf\xe9 \xff\r\n") == ["café ÿ"]


@pytest.mark.parametrize("data", [b"> ", b">", b"\r\n> ", b"\r\n>", b" \r\n > ", b"\r\n\r\n>"])
def test_the_prompt_needs_no_line_end(data: bytes) -> None:
    assert items(LineFramer(), data) == [Mark.PROMPT]
    assert items(LineFramer(), *(data[at : at + 1] for at in range(len(data)))) == [Mark.PROMPT]


def test_what_follows_the_prompt_is_a_line_of_its_own() -> None:
    assert items(LineFramer(), b"\r\n> 0011AA\x1a\r\n+CMGS: 4\r\n") == [Mark.PROMPT, "0011AA", "+CMGS: 4"]


def test_a_greater_than_inside_a_line_is_no_prompt() -> None:
    assert items(LineFramer(), b"a > b\r\n") == ["a > b"]


def test_noise_without_a_line_end_is_bounded() -> None:
    framer = LineFramer(max_line=100)
    found = items(framer, *[b"\xaa" * 60] * 10)
    assert all(isinstance(item, Noise) for item in found)
    assert sum(item.octets for item in found if isinstance(item, Noise)) + framer.pending == 600
    assert framer.pending <= 100
    assert items(framer, b"tail\r\nOK\r\n") == ["OK"]


def test_a_line_of_the_greatest_length_is_kept() -> None:
    framer = LineFramer(max_line=100)
    assert items(framer, b"A" * 100, b"\r\n") == ["A" * 100]


@given(st.binary(max_size=300), st.data())
def test_the_same_items_however_the_octets_are_cut(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert items(LineFramer(), *pieces) == items(LineFramer(), data)
