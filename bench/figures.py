"""A measured figure: its value, its spread, the goal that stands beside it, and what the machine allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: `of` is the value it speaks of (`value`, `p50` or `p99`)."""

    bound: float
    at_least: bool
    of: str = "value"

    def met(self, figure: Figure) -> bool | None:
        """Whether the figure reaches it; None where that value was not measured."""
        measured = getattr(figure, self.of)
        if measured is None:
            return None
        return measured >= self.bound if self.at_least else measured <= self.bound

    def __str__(self) -> str:
        return ("" if self.of == "value" else f"{self.of} ") + ("≥ " if self.at_least else "≤ ") + number(self.bound)


def at_least(bound: float, of: str = "value") -> Goal:
    """A goal from below."""
    return Goal(bound, at_least=True, of=of)


def at_most(bound: float, of: str = "value") -> Goal:
    """A goal from above."""
    return Goal(bound, at_least=False, of=of)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `limit` is what the machine allowed in the same run, and `limit_is` says of what."""

    work: str
    unit: str
    value: float
    p50: float | None = None
    p99: float | None = None
    goals: Sequence[Goal] = ()
    limit: float | None = None
    limit_is: str = ""
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def ratio(self) -> float | None:
        """Value to limit."""
        return self.value / self.limit if self.limit else None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "work": self.work,
            "unit": self.unit,
            "value": self.value,
            "p50": self.p50,
            "p99": self.p99,
            "goals": [
                {"of": goal.of, "bound": goal.bound, "at_least": goal.at_least, "met": goal.met(self)}
                for goal in self.goals
            ],
            "limit": self.limit,
            "limit_is": self.limit_is or None,
            "ratio": self.ratio,
            "note": self.note or None,
            "details": self.details or None,
        }


def spread(work: str, unit: str, samples: Iterable[float], **more: Any) -> Figure:
    """A figure of many samples: its value is their median."""
    ordered = sorted(samples)
    middle = median(ordered)
    return Figure(work, unit, middle, p50=middle, p99=percentile(ordered, 99), **more)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest sample that so many per cent of all do not exceed (nearest rank)."""
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def number(value: float | None) -> str:
    """Three figures that count, without a false air of precision; thousands apart."""
    if value is None:
        return ""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(2 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{decimals}f}".replace(",", " ")
    return text.rstrip("0").rstrip(".") if "." in text else text
