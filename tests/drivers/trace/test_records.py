"""The form of a trace: octets to a line and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.trace.records import Direction, TraceRecord, escape, parse_record, parse_trace, unescape


@given(st.binary(max_size=80))
def test_any_octets_go_into_a_line_and_come_back(data: bytes) -> None:
    text = escape(data)
    assert text.isascii()
    assert text.isprintable() or not text
    assert unescape(text) == data


@given(
    st.sampled_from([Direction.SENT, Direction.RECEIVED]),
    st.binary(max_size=40),
    st.none() | st.integers(0, 10**12).map(lambda micros: micros / 10**6),
)
def test_a_record_comes_back_from_its_line(direction: Direction, data: bytes, seconds: float | None) -> None:
    record = TraceRecord(direction, escape(data), seconds)
    found = parse_record(record.to_line())
    assert found is not None
    assert (found.direction, found.octets) == (direction, data)
    assert found.seconds == (None if seconds is None else pytest.approx(seconds, abs=1e-6))


def test_notes_and_empty_lines() -> None:
    text = "# from somewhere\n\n> AT<CR>\n0.5 < <CR><LF>OK<CR><LF>\n"
    assert parse_trace(text) == [
        TraceRecord(Direction.NOTE, "from somewhere"),
        TraceRecord(Direction.SENT, "AT<CR>"),
        TraceRecord(Direction.RECEIVED, "<CR><LF>OK<CR><LF>", 0.5),
    ]


def test_what_is_no_record_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="not a record"):
        parse_record("AT+CGMI")
