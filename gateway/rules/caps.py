"""How often a person may be written to: so many messages in so long, over rolling time.

Counted is what was handed to the network, an `uncertain` message included, by the instant at which its first part was
marked. A cap of a category counts that category; one over several categories counts them together. A minimum distance
between two messages is a cap of one: `1/5m`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.config.durations import read_cap
from gateway.message import Rule
from gateway.rules.verdict import Defer

_MINUTE_US = 60_000_000

#: When messages of each category began to be sent to one person, in microseconds UTC, in any order.
History: TypeAlias = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` messages of these categories together within `span_us`. `written` and `of` say it for people."""

    count: int
    span_us: int
    categories: frozenset[str]
    written: str
    of: str

    @classmethod
    def of_text(cls, written: str, categories: Iterable[str], of: str) -> Cap:
        """The cap that `1/24h` means; `of` says where it stands."""
        count, span_us = read_cap(written)
        return cls(count, span_us, frozenset(categories), written, of)

    def free_us(self, history: History, at_us: int) -> int | None:
        """When there is room for one more, if there is none at this instant."""
        within = sorted(
            instant
            for category in self.categories
            for instant in history.get(category, ())
            if instant > at_us - self.span_us
        )
        # A clock that was set back makes instants lie ahead: they count.
        return within[-self.count] + self.span_us if len(within) >= self.count else None


def full(caps: Iterable[Cap], history: History, at_us: int) -> Defer | None:
    """The cap that leaves no room at this instant for the longest time, or None when all have room.

    `until` is a whole minute, as people read it: the first in which there is room.
    """
    if not history:
        # Most people were not written to lately, and this is asked of every message.
        return None
    worst: Defer | None = None
    for cap in caps:
        free_us = cap.free_us(history, at_us)
        if free_us is None:
            continue
        until_us = -(-free_us // _MINUTE_US) * _MINUTE_US
        if worst is None or until_us > (worst.until_us or 0):
            span = cap.written.partition("/")[2]
            what = "1 message was" if cap.count == 1 else f"{cap.count} messages were"
            sentence = f"{what} sent within {span}, which is the cap of {cap.of}"
            worst = Defer(until_us, Rule.CAP, sentence)
    return worst


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far a category's caps look: into which categories, how long ago, how many messages at most."""

    categories: frozenset[str]
    span_us: int
    most: int


def horizon_of(caps: Sequence[Cap]) -> Horizon | None:
    """What must be known of a person for these caps; None where there are none."""
    if not caps:
        return None
    return Horizon(
        frozenset(name for cap in caps for name in cap.categories),
        max(cap.span_us for cap in caps),
        max(cap.count for cap in caps),
    )
