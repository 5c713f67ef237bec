"""What is flushed before what is said, as the kernel saw it: C03 and C05."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig
from support.daemon import client_of
from support.syscalls import Call, calls, checked, command
from support.waiting import eventually

MESSAGES = 100
WAL = "tocsin.db-wal"
ACCEPTED = "HTTP/1.1 202"
CTRL_Z = '"\\32"'


async def _traced(folder: Path, messages: int) -> tuple[list[Call], list[Call]]:
    """The calls of accepting so many messages one by one, and of sending them; nobody else writes meanwhile."""
    trace = folder / "trace"
    # No report comes before the end: its commit would be in flight while others are looked at.
    async with crash_rig(folder, "--report-delay", "60m", wrapper=command(trace), production=True) as rig:
        await rig.gateway.start()
        await rig.ready()
        async with client_of(rig.gateway.url, rig.gateway.token) as client:
            await client.ok("POST", "/v1/pause")
            begun = len(_lines(trace))
            await _accept(rig, messages)
            accepted = len(_lines(trace))
            await client.ok("POST", "/v1/resume")
        await eventually(lambda: len(rig.ledger()) == messages, 60, "every message on the air")
        assert await rig.gateway.end(signal.SIGTERM) == 0
        lines = _lines(trace)
        return list(calls(lines[begun:accepted])), list(calls(lines[accepted:]))


async def _accept(rig: CrashRig, messages: int) -> None:
    for number in range(messages):
        await rig.send(Sent(f"+3363998{number:04}", f"message {number}", "hold"))


def _lines(trace: Path) -> list[str]:
    return trace.read_text(encoding="utf-8", errors="replace").splitlines()


@pytest.mark.peer("strace")
async def test_c03_c05_the_store_is_flushed_before_202_and_before_ctrl_z(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    accepting, sending = await _traced(tmp_path, MESSAGES)
    answers = checked(accepting, WAL, says=ACCEPTED, to="socket")
    marks = checked(sending, WAL, says=CTRL_Z, to="/dev/pts/")
    tell(f"C03: {answers.said} answers 202 after {answers.flushes} flushes, {answers.violations} before their flush")
    tell(
        f"C05: {marks.said} times Ctrl-Z after {marks.flushes} flushes, {marks.violations} before the flush of its mark"
    )
    assert (answers.said, answers.violations) == (MESSAGES, 0)
    assert (marks.said, marks.violations) == (MESSAGES, 0)


def _call(line: str) -> Call:
    (found,) = calls([line])
    return found


WRITE = _call('7 pwrite64(9</s/tocsin.db-wal>, "x"..., 24, 0) = 24')
PAGE = _call('7 pwrite64(9</s/tocsin.db-wal>, "x"..., 4096, 24) = 4096')
FLUSH = _call("7 fdatasync(9</s/tocsin.db-wal>) = 0")
SAY = _call('7 sendto(11<socket:[1]>, "HTTP/1.1 202 Accepted\\r\\n"..., 300, 0, NULL, 0) = 300')


@pytest.mark.parametrize(
    ("trace", "violations"),
    [
        ([WRITE, FLUSH, SAY, WRITE, FLUSH, SAY], 0),
        ([WRITE, SAY, FLUSH], 1),
        ([WRITE, FLUSH, SAY, SAY], 1),
        ([WRITE, FLUSH, WRITE, SAY], 1),
        ([SAY], 1),
        ([WRITE, PAGE, WRITE, PAGE, FLUSH, WRITE, PAGE, SAY, FLUSH], 0),
        ([WRITE, PAGE, FLUSH, SAY], 1),
        ([WRITE, PAGE, WRITE, PAGE, FLUSH, WRITE, PAGE, SAY, WRITE, PAGE, FLUSH], 1),
        ([WRITE, PAGE, WRITE, PAGE, SAY, FLUSH], 1),
    ],
)
def test_an_order_that_is_wrong_is_found(trace: list[Call], violations: int) -> None:
    assert checked(trace, WAL, says=ACCEPTED, to="socket").violations == violations


def test_a_flush_counts_when_it_is_done() -> None:
    begun = "7 fdatasync(9</s/tocsin.db-wal> <unfinished ...>"
    lines = [begun, '8 write(4</dev/pts/3>, "\\32", 1) = 1', "7 <... fdatasync resumed>) = 0"]
    assert [call.name for call in calls(lines)] == ["write", "fdatasync"]
    assert list(calls([begun, "7 <... fdatasync resumed>) = -1 EIO (Input/output error)"])) == []
