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
    """Later: not before `until_us` (microseconds UTC), because of `rule`; None: not before somebody has decided."""

    until_us: int | None
    rule: Rule
    explanation: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never, because of `rule`; another message like it may leave from `again_us` on, if that is known."""

    rule: Rule
    explanation: str
    again_us: int | None = None


Verdict: TypeAlias = Allow | Defer | Refuse


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """The first refusal, else the deferral that lasts longest, else `Allow`."""
    winner: Verdict = Allow()
    for verdict in verdicts:
        if isinstance(verdict, Refuse):
            return verdict
        if isinstance(verdict, Defer) and (not isinstance(winner, Defer) or _is_longer(verdict, winner)):
            winner = verdict
    return winner


def _is_longer(one: Defer, other: Defer) -> bool:
    return other.until_us is not None and (one.until_us is None or one.until_us > other.until_us)
