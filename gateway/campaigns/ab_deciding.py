"""The statistics of a test: who won, by which test, and what it takes for granted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.campaign import Decision
from gateway.rules.ab_test import LEVEL, POWER, AbResult, verdict_of
from gateway.rules.proportions import Share

#: The test, as it is called by whoever knows it.
TEST: Final = "fisher_exact_two_sided"
#: What it takes for granted; told with every decision.
ASSUMPTIONS: Final = (
    "people were dealt out to the variants at random",
    "each person counts once",
    "what one person does depends on no other",
    "the counts were looked at once, at the time that was set",
)


class AbTest:
    """Judges by Fisher's exact test, the level shared out among all pairs of variants."""

    def decide(self, metric: str, counts: Sequence[tuple[int, int]]) -> Decision:
        """Which variant is better, with what was tested; None where the difference may be chance."""
        result = verdict_of(metric, shares_of(counts))
        return Decision(result.winner, result.sentence, tuple(counts), facts_of(metric, result))


def shares_of(counts: Sequence[tuple[int, int]]) -> list[Share]:
    """Each variant's share, of how many it was tried on and how many of these did so."""
    return [Share(min(did, tried), tried) for tried, did in counts]


def facts_of(metric: str, result: AbResult) -> dict[str, Any]:
    """What is told of a test: which, at which level, with which p, what it could have found, what it assumes."""
    return {
        "metric": metric,
        "test": TEST,
        "correction": "bonferroni",
        "level": LEVEL,
        "level_each_pair": result.level,
        "p": result.p,
        "best": result.best,
        "power": POWER,
        "detectable_rise": result.found,
        "assumptions": list(ASSUMPTIONS),
    }
