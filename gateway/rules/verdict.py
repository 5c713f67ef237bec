"""What a rule may say, and how several answers become one: the strictest wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.message import Rule


@dataclass(frozen=True, slots=True)
class Allow:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Defer:
    """Later: not before `until_us` (microseconds UTC), because of `rule`."""

    until_us: int
    rule: Rule
    explanation: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never, because of `rule`."""

    rule: Rule
    explanation: str


Verdict: TypeAlias = Allow | Defer | Refuse


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """The first refusal, else the deferral that lasts longest, else `Allow`."""
    winner: Verdict = Allow()
    for verdict in verdicts:
        if isinstance(verdict, Refuse):
            return verdict
        if isinstance(verdict, Defer) and not (isinstance(winner, Defer) and winner.until_us >= verdict.until_us):
            winner = verdict
    return winner
