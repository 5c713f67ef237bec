"""Deaths and stops that are no single place of a message's way: between parts, in recovery, inbound, by request."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig
from support.long_run import hours_asked_for
from support.waiting import eventually

STOPS = 12 if hours_asked_for() is None else 100
PERSON = "+33639984101"
#: A little more than the age at which a mark is taken back.
STALE_S = 5.2


async def test_c17_between_two_parts_what_left_is_not_repeated(tmp_path: Path, tell: Callable[[str], None]) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "four parts " * 50, "hold")
        rig.arm("settled 2")
        await rig.send(sent)
        await rig.died()
        assert [copy.sequence for copy in rig.ledger()] == [1, 2]
        await rig.gateway.start()
        await rig.until(sent, "delivered")
        assert await rig.gateway.end() == 0
        ledger = rig.ledger()
    parts, references = [copy.sequence for copy in ledger], {copy.reference for copy in ledger}
    tell(f"C17: killed between parts 2 and 3 of 4: parts {parts} left, with {len(references)} reference")
    assert parts == [1, 2, 3, 4]
    assert len(references) == 1


@pytest.mark.parametrize(
    ("place", "word"), [("prompted", "delivered"), ("answered", "delivered"), ("ended", "delivered")]
)
async def test_c20_recovery_itself_may_die_as_often_as_it_likes(
    tmp_path: Path, tell: Callable[[str], None], place: str, word: str
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "again and again", "hold")
        rig.arm(place)
        await rig.send(sent)
        await rig.died()
        for _ in range(5):
            await rig.die_while_starting("recovered")
        await rig.gateway.start()
        await rig.until(sent, word)
        verdict = rig.verdict(sent, rig.ledger())
        assert await rig.gateway.end() == 0
    tell(f"C20: killed at {place}, then 5 times while it recovered: {verdict.copies} copy, {verdict.status}")
    assert (verdict.sound, verdict.copies) == (True, 1)


@pytest.mark.parametrize(("case", "place"), [("C15", "recorded"), ("C16", "heard")])
async def test_a_received_message_is_neither_lost_nor_doubled(
    tmp_path: Path, tell: Callable[[str], None], case: str, place: str
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        await rig.ready()
        rig.arm(place)
        await rig.hear("I am on my way", PERSON)
        await rig.died()
        recorded = rig.rows("SELECT count(*) FROM inbox")[0][0]
        assert recorded == (1 if place == "recorded" else 0)
        await rig.gateway.start()
        await eventually(lambda: rig.rows("SELECT count(*) FROM inbox")[0][0] == 1, what="the message in the inbox")
        # Something that comes after it: by then the first would have been told again.
        await rig.hear("And now I am here", PERSON)
        await eventually(lambda: rig.rows("SELECT count(*) FROM inbox")[0][0] >= 2, what="the second one")
        texts = [row[0] for row in rig.rows("SELECT text FROM inbox ORDER BY id")]
        assert await rig.gateway.end() == 0
    tell(f"{case}: killed at {place}: {recorded} of 1 received message stored, {texts.count(texts[0])} in the end")
    assert texts == ["I am on my way", "And now I am here"]


@pytest.mark.parametrize("place", ["heard 2", "heard 15", "heard 40", "recorded", "recorded 15", "recorded 40"])
async def test_c15_c16_of_messages_that_come_together_none_is_lost_or_doubled(tmp_path: Path, place: str) -> None:
    texts = [f"number {number}" for number in range(60)]
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        await rig.ready()
        rig.arm(place)
        await rig.hear_all(texts, PERSON)
        await rig.died()
        before = [row[0] for row in rig.rows("SELECT text FROM inbox ORDER BY id")]
        assert before == texts[: len(before)]
        assert before or not place.startswith("recorded")
        await rig.gateway.start()
        await eventually(
            lambda: rig.rows("SELECT count(*) FROM inbox")[0][0] >= len(texts), what="all of them in the inbox"
        )
        # Something that comes after them: by then all would have been told again.
        await rig.hear("And now I am here", PERSON)
        await eventually(lambda: rig.rows("SELECT count(*) FROM inbox WHERE text LIKE 'And%'")[0][0], what="the last")
        told = [row[0] for row in rig.rows("SELECT text FROM inbox")]
        assert sorted(told) == sorted([*texts, "And now I am here"])
        assert await rig.gateway.end() == 0


async def test_d03_a_process_that_was_stopped_takes_the_part_back_instead_of_sending_it_late(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "not a word too late", "never")
        rig.arm("prompted 1 stop")
        await rig.send(sent)
        await rig.halted()
        await _pass_seconds(STALE_S)
        assert rig.ledger() == []
        rig.signal(signal.SIGCONT)
        await rig.until(sent, "delivered")
        attempts = [tuple(row) for row in rig.rows("SELECT state, cause FROM attempt ORDER BY id")]
        texts = [copy.text for copy in rig.ledger()]
        assert await rig.gateway.end() == 0
    tell(
        f"D03: stopped for {STALE_S} s between mark and Ctrl-Z: the mark was taken back, {len(texts)} copy by a new one"
    )
    assert attempts == [("pending", "modem_not_ready"), ("delivered", None)]
    assert texts == [sent.text]


async def _stop_while_sending(rig: CrashRig, number: int) -> float:
    """SIGTERM while the network has not answered; how long the stop took."""
    await rig.gateway.start()
    before = len(rig.ledger())
    sent = Sent(PERSON, f"message {number}", "hold")
    await rig.send(sent)
    await eventually(lambda: _under_way(rig), what="a submit that waits for its answer")
    began = time.monotonic()
    assert await rig.gateway.end() == 0
    took = time.monotonic() - began
    assert len(rig.ledger()) == before + 1
    return took


def _under_way(rig: CrashRig) -> bool:
    journal = rig.gateway.folder / "state" / "journal" / "m0.wire"
    marked = rig.rows("SELECT 1 FROM attempt WHERE state = 'submitting'")
    return bool(marked) and b'"ctrl-z"' in journal.read_bytes()


async def _stopped(folder: Path, times: int) -> str:
    async with crash_rig(folder, "--latency", "250ms", submit_seconds=10) as rig:
        longest = max([await _stop_while_sending(rig, number) for number in range(times)])
        states = Counter(row[0] for row in rig.rows("SELECT state FROM attempt"))
        texts = Counter(copy.text for copy in rig.ledger())
    assert set(states) <= {"sent", "delivered"}
    assert texts == Counter({f"message {number}": 1 for number in range(times)})
    return f"C21: {times} stops while the network had not answered: 0 uncertain, the longest {longest:.1f} s"


async def test_c21_a_stop_waits_for_the_answer(tmp_path: Path, tell: Callable[[str], None]) -> None:
    tell(await _stopped(tmp_path, 3))


@pytest.mark.long
async def test_c21_again_and_again(tmp_path: Path, tell: Callable[[str], None]) -> None:
    tell(await _stopped(tmp_path, STOPS))


async def test_a_production_start_knows_no_failpoint(tmp_path: Path) -> None:
    (tmp_path / "failpoint").write_text("parsed")
    async with crash_rig(tmp_path, production=True) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "nothing happens", "hold")
        await rig.send(sent)
        await rig.until(sent, "delivered")
        assert (tmp_path / "failpoint").exists()
        assert await rig.gateway.end() == 0


async def _pass_seconds(seconds: float) -> None:
    """The machine's own clock has to move: nothing announces that."""
    end = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds
    await eventually(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) >= end, seconds + 5, "time to pass")
