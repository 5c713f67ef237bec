"""The checker: what a client was told, what went over the air and what the store says in the end, compared."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.tpdu import SmsSubmit

#: What a part is when its octets may have gone out.
_MAY_HAVE_LEFT = ("submitting", "sent", "delivered", "undelivered", "uncertain")
_UNFINISHED = ("queued", "held", "sending")
_ENDED_UNSENT = ("failed", "expired", "canceled", "suppressed", "queued", "held")


@dataclass
class Copy:
    """One submission of the radio ledger."""

    to: str
    sequence: int
    text: str
    reference: int | None


@dataclass
class Verdict:
    """What the checker found about one message."""

    status: str | None
    copies: int
    attempts: Sequence[str]
    lost: bool
    duplicated: bool
    uncertain: bool
    misclassified: bool
    recorded_uncertain: bool

    @property
    def sound(self) -> bool:
        return not (self.lost or self.duplicated or self.misclassified)


@dataclass
class Sent:
    """What the client knows of one message: its answer, None where none came."""

    to: str
    text: str
    policy: str
    id: str | None = None
    #: The `Idempotency-Key` that it is sent with, if any.
    key: str = ""


@dataclass
class Tally:
    """Verdicts, counted."""

    counted: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.counted["messages"] += 1
        for word in ("lost", "duplicated", "uncertain", "misclassified"):
            self.counted[word] += bool(getattr(verdict, word))

    def __str__(self) -> str:
        words = ("messages", "lost", "duplicated", "uncertain", "misclassified")
        return ", ".join(f"{self.counted[word]} {word}" for word in words)


def copies_in(folder: Path) -> list[Copy]:
    """What went over the air of the simulated network whose folder this is."""
    path = folder / "ledger.jsonl"
    found: list[Copy] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        entry = json.loads(line)
        submit = SmsSubmit.from_bytes(bytes.fromhex(entry["tpdu"]))
        concat = submit.tp_ud.concatenation
        sequence, reference = (concat.sequence, concat.reference) if concat else (1, None)
        found.append(Copy(entry["to"], sequence, submit.tp_ud.text or "", reference))
    return found


def verdicts_of(rows: Callable[[str], Iterable[Any]], ledger: Iterable[Copy], sent: Iterable[Sent]) -> list[Verdict]:
    """Compare the histories of messages of one part whose texts differ; `rows` asks the store."""
    copies = Counter((copy.to, copy.text) for copy in ledger)
    by_text = {row["text"]: row for row in rows("SELECT id, text, status FROM message")}
    attempts: dict[str, list[str]] = defaultdict(list)
    for row in rows("SELECT message_id, state FROM attempt"):
        attempts[row["message_id"]].append(row["state"])
    recorded = {row[0] for row in rows("SELECT message_id FROM event WHERE type = 'message.uncertain'")}
    found: list[Verdict] = []
    for each in sent:
        row = by_text.get(each.text)
        told = (None, (), False) if row is None else (row["status"], attempts[row["id"]], row["id"] in recorded)
        found.append(judge(each, told[0], copies[each.to, each.text], told[1], recorded=told[2]))
    return found


def judge(sent: Sent, status: str | None, copies: int, attempts: Sequence[str], *, recorded: bool) -> Verdict:
    """What is to be said of one message: its last word, its copies on the air, the states of its attempts.

    `recorded` says that the message was once uncertain. Without a row nothing may have left, and no 202 been given.
    """
    allowed = 2 if sent.policy == "resend" and recorded else 1
    told_sent = status in {"sent", "delivered"}
    may_have_left = sum(state in _MAY_HAVE_LEFT for state in attempts)
    unsent = status is None or status in _ENDED_UNSENT
    return Verdict(
        status=status,
        copies=copies,
        attempts=attempts,
        lost=sent.id is not None and copies == 0 and (status is None or told_sent or status in _UNFINISHED),
        duplicated=copies > allowed,
        uncertain=status == "uncertain",
        misclassified=(told_sent and not copies) or (unsent and copies > 0) or copies > may_have_left,
        recorded_uncertain=recorded,
    )
