"""How long a long test goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def hours_asked_for() -> float | None:
    """The hours of `make soak HOURS=…`; None for the short form of `make test-long`."""
    asked = os.environ.get("TOCSIN_SOAK_HOURS")
    return float(asked) if asked else None


def mostly_long(values: Iterable[str], *at_once: str) -> list[ParameterSet]:
    """Values of a test as its parameters: those of `at_once` on each change, the others in the long runs."""
    return [pytest.param(value, marks=() if value in at_once else pytest.mark.long) for value in values]


class LongRun:
    """Counts rounds until the time is used up: `while long_run.goes_on(short_s=30): …`.

    `sharing` is the number of tests that share the hours.
    """

    def __init__(self, hours: float | None, sharing: int) -> None:
        self._limit_s = None if hours is None else hours * 3600 / max(sharing, 1)
        self._began = time.monotonic()
        self.rounds = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the test began."""
        return time.monotonic() - self._began

    def goes_on(self, short_s: float) -> bool:
        """Whether to do another round; the first is always done. `short_s` is the limit of the short form."""
        limit_s = short_s if self._limit_s is None else self._limit_s
        if self.rounds and self.elapsed_s >= limit_s:
            return False
        self.rounds += 1
        return True
