"""`tocsin modems trace`, against a real gateway on a simulated modem."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from support.waiting import eventually_sync

from drivers.trace.records import Direction, parse_trace

FROM = "+33612345678"
TEXT = "nobody is to read this"


def arrives_once(daemon: Any, file: Path) -> threading.Thread:
    """A text that arrives as soon as the trace has begun."""

    def run() -> None:
        before = file.stat().st_size if file.exists() else 0
        eventually_sync(lambda: file.exists() and file.stat().st_size > before, 10)
        daemon.receive(FROM, TEXT)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("unredacted", [False, True])
def test_a_trace_is_followed_and_written(tocsin: Any, daemon: Any, tmp_path: Path, *, unredacted: bool) -> None:
    file = daemon.state / "traces" / ("sim1.unredacted.trace" if unredacted else "sim1.trace")
    output = tmp_path / "mine.trace"
    arrival = arrives_once(daemon, file)
    words = ["--unredacted", "--yes"] if unredacted else []
    result = tocsin("modems", "trace", "sim1", "--for", "2s", "--follow", "--output", str(output), *words)
    arrival.join(10)
    assert result.exit_code == 0, result.output
    written = output.read_text()
    assert written in result.stdout
    assert written in file.read_text()
    records = parse_trace(written)
    assert records[0].direction is Direction.SECTION
    assert "port simulated:" in records[0].text
    assert records[1].text.startswith("modem Tocsin")
    assert any("+CMTI" in one.text for one in records)
    digits = "".join(b + a for a, b in zip(FROM[1::2], FROM[2::2] + "F", strict=True))
    assert (digits in written) is unredacted
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_is_told_and_the_trace_can_be_stopped(tocsin: Any, daemon: Any) -> None:
    result = tocsin("modems", "trace", "sim1", "--for", "1h")
    assert result.exit_code == 0
    assert str(daemon.state / "traces" / "sim1.trace") in result.stdout
    assert tocsin("modems", "trace", "sim1", "--stop").exit_code == 0
    text = (daemon.state / "traces" / "sim1.trace").read_text()
    assert text.endswith("! the trace ends\n")
    daemon.receive(FROM, "not traced")
    assert (daemon.state / "traces" / "sim1.trace").read_text() == text


def test_numbers_and_texts_are_asked_for_first(tocsin: Any) -> None:
    for answer, told in (("", "--yes goes on without asking"), ("n\n", "nothing is traced")):
        result = tocsin("modems", "trace", "sim1", "--unredacted", input=answer)
        assert result.exit_code == 1
        assert "people's numbers and texts" in result.stderr
        assert told in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("modems", "trace", "sim1", "--for", "2d"), 'must be at most "1d"'),
        (("modems", "trace", "sim1", "--for", "0s"), 'must be at least "1s"'),
        (("modems", "at", "sim1", "AT", "--timeout", "5m"), 'must be at most "2m"'),
    ],
)
def test_more_than_a_gateway_allows_is_wrong_usage(bare: Any, words: tuple[str, ...], told: str) -> None:
    result = bare(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_no_such_modem(tocsin: Any) -> None:
    result = tocsin("modems", "trace", "sim9")
    assert result.exit_code == 1
    assert "no such modem" in result.stderr


def test_the_list_is_still_what_the_word_alone_means(tocsin: Any) -> None:
    assert "sim1" in tocsin("modems").stdout
