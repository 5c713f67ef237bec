"""The hour at which most is done, if one stands out: among the hours that were tried, and beyond chance.

The hour with the highest lower end of Wilson's interval is held against all others together by Fisher's exact test. It
was picked from several, so the level is shared out among them (Bonferroni). What this cannot know is whether other
people were written to at other hours: hours are compared as they were used, nobody was dealt out to them by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.rules.ab_test import LEVEL
from gateway.rules.proportions import Share, difference_p

#: With less than this an hour is not looked at.
LEAST: Final = 20


@dataclass(frozen=True, slots=True)
class BestHour:
    """`hour` is None where none stands out; `reason` says why then: "not_enough_data" or "no_difference". `p` is how
    often chance alone makes the first so unlike the rest, `level` what it has to be below."""

    hour: int | None
    reason: str | None = None
    share: Share | None = None
    rest: Share | None = None
    p: float | None = None
    level: float | None = None


def best_hour(hours: Mapping[int, Share]) -> BestHour:
    """The best of the hours of the day (0–23), by what was counted in each."""
    tried = {hour: share for hour, share in hours.items() if share.people >= LEAST}
    if len(tried) < 2 or not any(share.hits for share in tried.values()):
        return BestHour(None, "not_enough_data")
    best = max(sorted(tried), key=lambda hour: tried[hour].interval()[0])
    others = [share for hour, share in tried.items() if hour != best]
    rest = Share(sum(each.hits for each in others), sum(each.people for each in others))
    p, level = difference_p(tried[best], rest), LEVEL / len(tried)
    if p > level or tried[best].rate <= rest.rate:
        return BestHour(None, "no_difference", tried[best], rest, p, level)
    return BestHour(best, None, tried[best], rest, p, level)
