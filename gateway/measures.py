"""What is measured where it happens, in memory: how long things took, and how many parts left.

The hot path pays a look into a short list for each. Nothing of anybody is in it; it begins anew with the process.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


class Durations:
    """How many took how long: a count for each bound in seconds, and one for what took longer."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """One more; a clock that was set back makes nothing shorter than nothing."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum_s += seconds


def _submit() -> Durations:
    return Durations((0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120))


def _accept_to_wire() -> Durations:
    return Durations((0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1800, 7200))


def _store_flush() -> Durations:
    return Durations((0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5))


class Paces:
    """For how long a part occupies each modem, in seconds: what limits how much leaves through it.

    While a modem sends without a break it is from one handing over to the next, everything between included; of one
    that has sent single parts only, how long these took. It is the mean of the first twenty, and moves slowly from then
    on; none moves it far at once.
    """

    _WEIGHT, _FARTHEST = 0.05, 4.0

    def __init__(self) -> None:
        #: How many there were, and what they are on the average.
        self._cycles: dict[str, tuple[int, float]] = {}
        self._submits: dict[str, tuple[int, float]] = {}

    def add_cycle(self, modem: str, seconds: float) -> None:
        """From handing a part over until the next one was, without a break."""
        self._add(self._cycles, modem, seconds)

    def add_submit(self, modem: str, seconds: float) -> None:
        """From handing a part over until it was answered."""
        self._add(self._submits, modem, seconds)

    def of(self, modem: str) -> float | None:
        """Seconds per part; None of a modem that has sent nothing."""
        # One that has become slower while it sent single parts is no quicker when it sends many.
        known = (self._submits.get(modem), self._cycles.get(modem))
        return max((each[1] for each in known if each is not None), default=None)

    def _add(self, known: dict[str, tuple[int, float]], modem: str, seconds: float) -> None:
        count, before = known.get(modem, (0, seconds))
        seconds = min(seconds, before * self._FARTHEST)
        known[modem] = count + 1, before + max(self._WEIGHT, 1 / (count + 1)) * (seconds - before)


@dataclass(slots=True)
class Measures:
    """Of one process."""

    #: From handing a part to a modem until the modem's answer.
    submit: Durations = field(default_factory=_submit)
    #: From when a message may leave, which is its acceptance or the end of what held it, until its first part is handed
    #: to a modem.
    accept_to_wire: Durations = field(default_factory=_accept_to_wire)
    #: Making a group of changes durable.
    store_flush: Durations = field(default_factory=_store_flush)
    #: Parts that the network took, by modem.
    parts_sent: Counter[str] = field(default_factory=Counter[str])
    #: How long a part occupies each modem.
    paces: Paces = field(default_factory=Paces)
