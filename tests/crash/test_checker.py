"""The checker has teeth: histories that were doctored are found out, one by one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from support.checker import Sent, Tally, Verdict, judge
from support.crash import CrashRig, crash_rig
from support.daemon import DaemonProcess

PERSON = "+33639984401"


@dataclass
class Histories:
    """The three histories of one message, where they can be doctored."""

    rig: CrashRig
    sent: Sent

    def store(self, *statements: str) -> None:
        raw = sqlite3.connect(self.rig.gateway.folder / "state" / "tocsin.db")
        for statement in statements:
            raw.execute(statement)
        raw.commit()
        raw.close()

    def ledger(self, change: Callable[[list[str]], list[str]]) -> None:
        path = self.rig.modems / "ledger.jsonl"
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def _lost_before_the_air(histories: Histories) -> None:
    histories.store("UPDATE message SET status = 'queued'", "DELETE FROM attempt")
    histories.ledger(lambda _: [])


def _lost_with_its_row(histories: Histories) -> None:
    histories.store("DELETE FROM message", "DELETE FROM attempt")
    histories.ledger(lambda _: [])


def _told_sent_and_never_was(histories: Histories) -> None:
    histories.ledger(lambda _: [])


def _sent_twice(histories: Histories) -> None:
    histories.ledger(lambda lines: lines * 2)


def _told_failed_and_was_sent(histories: Histories) -> None:
    histories.store("UPDATE message SET status = 'failed'")


def _left_without_a_mark(histories: Histories) -> None:
    histories.store("DELETE FROM attempt")


def _text_changed(histories: Histories) -> None:
    histories.ledger(lambda lines: [_with_another_number(line) for line in lines])


def _with_another_number(line: str) -> str:
    return json.dumps(json.loads(line) | {"to": "+33600000000"}) + "\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sent]:
    """The histories that a real gateway left of one message, to take copies of; and what was asked of it."""
    folder = tmp_path_factory.mktemp("whole")
    async with crash_rig(folder) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "as it was", "hold")
        await rig.send(sent)
        await rig.until(sent, "delivered")
        assert await rig.gateway.end() == 0
    return folder, sent


@pytest.mark.parametrize(
    ("doctor", "found"),
    [
        (_lost_before_the_air, {"lost"}),
        (_lost_with_its_row, {"lost"}),
        (_told_sent_and_never_was, {"lost", "misclassified"}),
        (_sent_twice, {"duplicated", "misclassified"}),
        (_told_failed_and_was_sent, {"misclassified"}),
        (_left_without_a_mark, {"misclassified"}),
        (_text_changed, {"lost", "misclassified"}),
    ],
)
def test_a_doctored_history_is_found(
    whole: tuple[Path, Sent], tmp_path: Path, doctor: Callable[[Histories], None], found: set[str]
) -> None:
    folder, sent = whole
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    rig = CrashRig(DaemonProcess(tmp_path, ""), tmp_path / "sim")
    before = [rig.verdict(sent, rig.ledger()), *rig.verdicts([sent])]
    doctor(Histories(rig, sent))
    after = [rig.verdict(sent, rig.ledger()), *rig.verdicts([sent])]
    assert [_words(each) for each in before] == [set(), set()]
    assert [_words(each) for each in after] == [found, found]
    assert not any(each.sound for each in after)


def _words(verdict: Verdict) -> set[str]:
    tally = Tally()
    tally.add(verdict)
    return {word for word in ("lost", "duplicated", "misclassified") if tally.counted[word]}


@pytest.mark.parametrize(
    ("policy", "recorded", "copies", "sound"),
    [
        ("resend", True, 2, True),
        ("resend", False, 2, False),
        ("resend", True, 3, False),
        ("hold", True, 2, False),
        ("never", True, 2, False),
    ],
)
def test_a_further_copy_needs_its_policy_and_its_event(policy: str, recorded: bool, copies: int, sound: bool) -> None:
    attempts = ["uncertain"] + ["delivered"] * (copies - 1)
    sent = Sent(PERSON, "twice", policy, id="1")
    verdict = judge(sent, "delivered", copies, attempts, recorded=recorded)
    assert verdict.sound is sound
    assert verdict.duplicated is not sound
