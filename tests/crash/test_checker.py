"""The checker has teeth: histories that were doctored are found out, one by one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.checker import Sent, Tally, Verdict, judge
from support.crash import CrashRig, crash_rig

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
async def test_a_doctored_history_is_found(
    tmp_path: Path, doctor: Callable[[Histories], None], found: set[str]
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "as it was", "hold")
        await rig.send(sent)
        await rig.until(sent, "delivered")
        assert await rig.gateway.end() == 0
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
