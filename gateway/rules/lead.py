"""How long before the last allowed minute those messages begin to leave that many wait for.

A message that is to leave earlier rather than later waits for the last allowed minute before its time. A modem sends
about ten parts in a minute; of more that wait for the same one the rest would be too late. So they begin earlier, by as
much as all of them need together, those that wait for an earlier minute included.

Instants and spans are integer microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
#: For one part through one modem: a slow one takes five seconds, and one is left for what comes between.
PART_US = 6 * _SECOND_US
#: No message leaves earlier by more than this.
MOST_LEAD_US = 180 * _MINUTE_US


def most_led(modems: int) -> int:
    """So many parts need the longest lead; what stands behind them changes nothing for now."""
    return MOST_LEAD_US // PART_US * max(modems, 1)


def begin_times(waiting: Iterable[tuple[int, int]], modems: int) -> Iterator[tuple[int, int]]:
    """For each instant until which so many parts wait, in their order: that instant, and when what waits until then has
    to begin. The minute itself is theirs, so a few begin when it does."""
    parts = 0
    for due_us, more in waiting:
        parts += more
        minutes = -(-parts * PART_US // (max(modems, 1) * _MINUTE_US))
        yield due_us, due_us - min(max(minutes - 1, 0) * _MINUTE_US, MOST_LEAD_US)
