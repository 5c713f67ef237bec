"""Shares of people, and how sure they are: intervals, the test of two shares, and what a test of a size can find.

Fisher's exact test (two-sided: all tables at most as likely as the one seen) makes no assumption about sizes; it errs
on the side of finding nothing. Intervals are Wilson's score intervals. What a test can find is reckoned with the normal
approximation of Fleiss, Tytun and Ury (Biometrics 36, 1980), which allows for the exact test's caution.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
# Tables whose likelihoods differ by less than rounding does are equally likely.
_ROUNDING: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `people`."""

    hits: int
    people: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.people:
            raise ValueError("a share has between none and all of its people")

    @property
    def rate(self) -> float:
        """Between 0 and 1; 0 where there is nobody."""
        return self.hits / self.people if self.people else 0.0

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's score interval of the rate; all of it where there is nobody."""
        if not self.people:
            return 0.0, 1.0
        z = _NORMAL.inv_cdf(0.5 + confidence / 2)
        n, p = self.people, self.rate
        middle = p + z * z / (2 * n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def difference_p(one: Share, other: Share) -> float:
    """How often chance alone makes two shares of the same rate at least as unlike as these (Fisher, two-sided)."""
    people, hits = one.people + other.people, one.hits + other.hits
    least, most = max(0, hits - other.people), min(hits, one.people)
    if least == most:
        return 1.0
    weights = [_log_ways(one.people, each) + _log_ways(other.people, hits - each) for each in range(least, most + 1)]
    seen, whole = weights[one.hits - least], _log_ways(people, hits)
    return min(1.0, sum(exp(each - whole) for each in weights if each <= seen + _ROUNDING))


def at_least_p(seen: Share, rate: float) -> float:
    """How often at least so many hits come by chance where each comes with this rate (exact binomial, one-sided)."""
    if seen.hits == 0 or rate >= 1:
        return 1.0
    if rate <= 0:
        return 0.0
    fewer = range(seen.hits)
    return max(0.0, 1.0 - sum(_binomial(seen.people, each, rate) for each in fewer))


def detectable(people: int, rate: float, *, level: float, power: float) -> float | None:
    """The smallest rise of `rate` that a test of so many people in each of two groups finds with this power, None where
    there is none: to 1/1000."""
    for step in range(1, 1001):
        rise = step / 1000
        if rate + rise > 1:
            return None
        if people_needed(rate, rate + rise, level=level, power=power) <= people:
            return rise
    return None


def people_needed(rate: float, other: float, *, level: float, power: float) -> float:
    """So many people in each group, for a test at this level to find that difference with this power."""
    difference = abs(other - rate)
    if difference == 0:
        return float("inf")
    mean = (rate + other) / 2
    spread = sqrt(2 * mean * (1 - mean))
    spreads = sqrt(rate * (1 - rate) + other * (1 - other))
    plain = (_NORMAL.inv_cdf(1 - level / 2) * spread + _NORMAL.inv_cdf(power) * spreads) ** 2 / difference**2
    return plain / 4 * (1 + sqrt(1 + 4 / (plain * difference))) ** 2


def _log_ways(people: int, hits: int) -> float:
    return lgamma(people + 1) - lgamma(hits + 1) - lgamma(people - hits + 1)


def _binomial(people: int, hits: int, rate: float) -> float:
    return exp(_log_ways(people, hits) + hits * log(rate) + (people - hits) * log1p(-rate))
