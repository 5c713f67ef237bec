"""What the whole gateway may send: so many parts in so long, over rolling time, in all and to numbers that begin so.

This is what a stolen token can cost. Parts are counted in spans of a hundredth of the cap's time (a second at least);
a span counts until the last instant in it is old enough: so a cap is never passed, and room may come by a hundredth
of its time later than it might. Of several prefixes that fit a number the longest one counts, as more exact words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.config.durations import SECOND_US, read_cap
from gateway.config.limits import TrafficSettings
from gateway.message import Rule
from gateway.rules.verdict import Defer

_SPANS = 100
_MINUTE_US = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `count` parts within `span_us` to numbers that begin with `prefix` (empty: all). `of` is its key."""

    prefix: str
    count: int
    span_us: int
    written: str
    of: str

    @property
    def name(self) -> str:
        """What it is counted under: the same when only its count changes."""
        return f"{self.prefix}/{self.span_us // SECOND_US}"

    @property
    def grain_us(self) -> int:
        """How long the spans are in which it is counted."""
        return max(SECOND_US, self.span_us // _SPANS)

    def since_us(self, at_us: int) -> int:
        """The beginning of the last span that does not count any more."""
        return at_us - self.span_us - self.grain_us

    def wait(self, used: Mapping[int, int], parts: int) -> Defer | None:
        """Until when there is no room for so many parts; `used` are parts by the beginning of their span."""
        left = sum(used.values())
        if left + parts <= self.count:
            return None
        sentence = f"{self.of}: {self.written} in parts leaves no room"
        if parts > self.count:
            return Defer(None, Rule.CAP, sentence)
        for begun_us in sorted(used):
            left -= used[begun_us]
            if left + parts <= self.count:
                free_us = begun_us + self.grain_us + self.span_us
                # A whole minute, as people read it; of what lasts seconds the second.
                whole_us = SECOND_US if self.span_us < _MINUTE_US else _MINUTE_US
                return Defer(-(-free_us // whole_us) * whole_us, Rule.CAP, sentence)
        raise AssertionError("without anything that counts there is room")


class Ceilings:
    """The caps of a configuration."""

    def __init__(self, settings: TrafficSettings) -> None:
        self._of_all = tuple(_ceilings("", settings.caps, "traffic.caps"))
        # The longest first.
        self._by_prefix = tuple(
            (prefix, tuple(_ceilings(prefix, settings.prefixes[prefix], f'traffic.prefixes."{prefix}"')))
            for prefix in sorted(settings.prefixes, key=len, reverse=True)
        )
        self.prefixes = tuple(prefix for prefix, _ in self._by_prefix)

    def __bool__(self) -> bool:
        return bool(self._of_all or self._by_prefix)

    def over(self, number: str) -> tuple[Ceiling, ...]:
        """The caps that count a message to this number, in one order for everybody."""
        found = next((ceilings for prefix, ceilings in self._by_prefix if number.startswith(prefix)), ())
        return (*self._of_all, *found)

    def names(self) -> frozenset[str]:
        """What all of them are counted under."""
        every = (*self._of_all, *(each for _, ceilings in self._by_prefix for each in ceilings))
        return frozenset(each.name for each in every)


def _ceilings(prefix: str, caps: Iterable[str], of: str) -> list[Ceiling]:
    found = [Ceiling(prefix, *read_cap(written), written, of) for written in caps]
    return sorted(found, key=lambda ceiling: ceiling.name)
