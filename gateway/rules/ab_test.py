"""Which variant of a campaign won, if any did; and which has to stop because too many opt out.

A variant wins when its share is better than that of every other one, each difference by Fisher's exact test, the level
shared out among all pairs (Bonferroni): where all are alike in truth, at most `LEVEL` of tests name a winner, however
many variants there are. It assumes that people were dealt out at random, that each counts once, that one does not
answer for another, and that it is asked once, at the time that was set: who looks every hour and stops at the first
difference finds one that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from gateway.rules.proportions import Share, at_least_p, detectable, difference_p

#: At most this share of tests without a difference name a winner.
LEVEL: Final = 0.05
#: A true difference of the size that is told is found at least this often.
POWER: Final = 0.8
#: Of what is counted, less is better.
FEWER: Final = frozenset({"opt_out"})
# A guard is asked again and again while a campaign runs, so each time it needs more than the level of one question.
_GUARD_LEVEL: Final = 0.001
_LEAST_TOLD: Final = 0.0001


@dataclass(frozen=True, slots=True)
class AbResult:
    """What a test says. `winner` is the index of a variant or None; `p` the greatest of the chances by which the best
    is no better than another, None with fewer than two variants; `found` the smallest rise of the first one's rate that
    a test of this size finds with `POWER`, None where it finds none."""

    winner: int | None
    best: int | None
    p: float | None
    level: float
    found: float | None
    sentence: str


def verdict_of(metric: str, shares: Sequence[Share]) -> AbResult:
    """The winner among variants, in their order. `metric` is delivery, click, reply, conversion or opt_out."""
    if len(shares) < 2 or any(share.people == 0 for share in shares):
        return AbResult(None, None, None, LEVEL, None, "there are not two variants that anybody had")
    sign = -1 if metric in FEWER else 1
    order = sorted(range(len(shares)), key=lambda at: (-sign * shares[at].rate, at))
    best, level = order[0], LEVEL / len(list(combinations(shares, 2)))
    p = max(difference_p(shares[best], shares[other]) for other in order[1:])
    least = min(share.people for share in shares)
    found = detectable(least, shares[0].rate, level=level, power=POWER)
    if p <= level and shares[best].rate != shares[order[1]].rate:
        return AbResult(best, best, p, level, found, f"the difference is significant ({_told(p)}, level {level:.4g})")
    return AbResult(None, best, p, level, found, f"no significant difference (p = {p:.3f}, level {level:.4g})")


def must_stop(opted_out: Share, limit: float) -> bool:
    """Whether more people opt out of a variant than the guard allows, beyond what chance makes of its limit."""
    return opted_out.rate > limit and at_least_p(opted_out, limit) <= _GUARD_LEVEL


def _told(p: float) -> str:
    """A chance that is never none, however small."""
    return "p < 0.0001" if p < _LEAST_TOLD else f"p = {p:.4f}"
