"""What is printed is aligned and cannot steer a terminal."""

from __future__ import annotations

import io
import os
import unicodedata
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.output import clean, local_time, print_pairs, print_table, short_time


class Terminal(io.StringIO):
    """A terminal of some width."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, "-"),
        ("", "-"),
        (0, "0"),
        ("plain é 😀 👨‍👩‍👧", "plain é 😀 👨‍👩‍👧"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://x\x1b\\y", "xy"),
        ("\x9b31mred", "red"),
        ("\x1b", ""),
        ("a\r\nb\tc\x00", "a\\r\\nb\\tc\\x00"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u2028", "\\u2028"),
    ],
)
def test_cleaning(given: object, shown: str):
    assert clean(given) == shown


@given(st.text())
def test_nothing_steers_a_terminal(text: str):
    shown = clean(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert len(shown.splitlines()) <= 1


def test_columns_are_aligned_by_what_a_terminal_shows(capsys: pytest.CaptureFixture[str]):
    print_table(("A", "B"), [("日本", "x"), ("é", "y"), ("e\u0301", "z"), ("👨‍👩", "w")], "nothing")
    assert capsys.readouterr().out == "A     B\n日本  x\né     y\ne\u0301     z\n👨‍👩  w\n"


@pytest.mark.parametrize(("columns", "line"), [("20", "x  1234567890"), ("8", "x  1234…"), ("1", "…")])
def test_a_row_is_cut_at_the_terminals_width(monkeypatch: pytest.MonkeyPatch, columns: str, line: str):
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setitem(os.environ, "COLUMNS", columns)
    print_table(("A", "B"), [("x", "1234567890")], "nothing")
    assert stream.getvalue().splitlines()[1] == line


def test_pairs_leave_out_what_is_nothing(capsys: pytest.CaptureFixture[str]):
    print_pairs([("a", 1), ("long", "x\ny"), ("none", None), ("empty", ""), ("zero", 0)])
    assert capsys.readouterr().out == "a     1\nlong  x\\ny\nzero  0\n"
    print_pairs([])
    assert capsys.readouterr().out == ""


def test_times_are_shown_in_the_zone_of_this_machine():
    expected = datetime.fromisoformat("2026-03-01T08:00:00+00:00").astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert local_time("2026-03-01T08:00:00.000Z") == expected
    assert (local_time(None), local_time("soon")) == ("-", "soon")


def test_a_short_time_leaves_out_what_goes_without_saying():
    now = datetime.now().astimezone().replace(hour=12, minute=5)
    assert short_time(now.isoformat()) == "12:05"
    near, far = now + timedelta(days=30), now + timedelta(days=360)
    assert short_time(near.isoformat()) == f"{near.day} {near:%b} 12:05"
    assert short_time(far.isoformat()) == f"{far.day} {far:%b} {far.year} 12:05"
    assert short_time("soon") == "soon"
