"""The radio ledger: what really went on the air, for tests to compare with what a client believes.

A submission stands here when the simulated network has accepted it, which is just before `+CMGS` is answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted SMS-SUBMIT: `tpdu` holds the octets with the reference that the modem gave it."""

    modem: str
    destination: str
    tpdu: bytes
    tp_mr: int
    at: datetime


class Ledger:
    """Submissions in the order of acceptance; the oldest are dropped beyond `size`, the count keeps counting."""

    def __init__(self, size: int) -> None:
        self._entries: deque[Submission] = deque(maxlen=size)
        self.count = 0
        self.listeners = list[Callable[[Submission], object]]()

    @property
    def entries(self) -> tuple[Submission, ...]:
        """What is kept, oldest first."""
        return tuple(self._entries)

    def record(self, submission: Submission) -> None:
        """Enter one submission and tell the listeners."""
        self._entries.append(submission)
        self.count += 1
        for listener in self.listeners:
            listener(submission)
