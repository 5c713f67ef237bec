"""Logs are objects a line, and no number gets through."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.logs import mask, set_up


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, access = root.handlers[:], root.level, logging.getLogger("aiohttp.access").level
    yield
    root.handlers[:], root.level = handlers, level
    logging.getLogger("aiohttp.access").setLevel(access)


def _log(stream: io.StringIO, level: str = "info") -> logging.Logger:
    set_up(level, stream)
    return logging.getLogger("gateway.test")


def test_one_object_a_line():
    stream = io.StringIO()
    _log(stream).info("the modem is ready", extra={"action": "modem_ready", "modem": "sim1", "after_us": 1_234_567})
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found.pop("at").endswith("Z")
    assert found == {
        "level": "info",
        "logger": "gateway.test",
        "message": "the modem is ready",
        "action": "modem_ready",
        "modem": "sim1",
        "after_us": 1_234_567,
    }


def test_a_line_break_stays_within_the_line():
    for stream in (io.StringIO(), Terminal()):
        _log(stream).info("a\nb", extra={"x": "c\x1b[31m\nd"})
        assert stream.getvalue().count("\n") == 1
        assert "\x1b" not in stream.getvalue()


def test_plain_text_for_a_person():
    stream = Terminal()
    _log(stream).warning("no signal", extra={"modem": "sim1"})
    assert stream.getvalue()[13:] == "warning no signal modem=sim1\n"


@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_levels(level: str, seen: int):
    stream = io.StringIO()
    log = _log(stream, level)
    for word in ("debug", "info", "warning", "error"):
        getattr(log, word)("x")
    assert len(stream.getvalue().splitlines()) == seen


def test_setting_up_twice_does_not_log_twice():
    stream = io.StringIO()
    _log(stream)
    _log(stream).info("once")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("stream_type", [io.StringIO, Terminal])
def test_numbers_are_masked_wherever_they_stand(stream_type: type[io.StringIO]):
    stream = stream_type()
    log = _log(stream)
    try:
        raise ValueError("+33612345678 is wrong")
    except ValueError:
        log.exception(
            "to %s", "0612345678", extra={"to": 33612345678, "all": ["06 12 34 56 78", {"n": "(06)12345678"}]}
        )
    assert "6123" not in stream.getvalue().replace(" ", "")
    assert "3456" not in stream.getvalue().replace(" ", "")
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "message 0190a3c1d2e37f00a1b2c3d4e5f60718 sent",
        "listens on 127.0.0.1:7672",
        "until 2025-01-01T10:00:00.000Z",
        "CMS ERROR 500, tries 12345",
    ],
)
def test_what_is_no_number_stays(text: str):
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    ["+33612345678", "0033612345678", "06.12.34.56.78", "06-12-34-56-78", "+1 (212) 555-0100", "123456", "x123456y"],
)
def test_what_is_a_number_goes(text: str):
    assert not any(digit in mask(text) for digit in "123456789")


def test_bearer_tokens_go():
    assert mask("Authorization: Bearer abc-def") == "Authorization: •••"


def test_values_that_are_no_text_are_shown_or_masked():
    stream = io.StringIO()
    _log(stream).info("x", extra={"none": None, "yes": True, "share": 0.5, "path": ValueError("1234567")})
    found = json.loads(stream.getvalue())
    assert [found[key] for key in ("none", "yes", "share", "path")] == [None, True, 0.5, "•••"]


@given(st.text(max_size=30), st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(max_size=30))
def test_no_international_number_gets_through(before: str, number: str, after: str):
    assert number not in mask(before + number + after)
