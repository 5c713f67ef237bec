"""Hours and changes of time: 23 zones, 18 years, hours by lot, each minute about each change compared with the oracle.

No message leaves inside its quiet hours, no allowed minute is lost, and `until` is exactly the first allowed moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from support.hours_cases import DAY, YEARS, ZONES, Count, changes, compare, drawn, greatest_change
from support.long_run import LongRun


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_about_some_changes(zone: str, seeded: random.Random, tell: Callable[[str], None]) -> None:
    count = Count()
    anywhere = seeded.randrange((YEARS.start - 1970) * 366 * DAY, (YEARS.stop - 1970) * 365 * DAY)
    for around in (greatest_change(zone), seeded.choice(changes(zone)), anywhere) if changes(zone) else (anywhere,) * 3:
        compare(drawn(seeded, zone, around), around, count, before=DAY // 2, after=DAY)
    tell(f"T01: {zone}: {count}")


@pytest.mark.long
def test_every_minute_about_every_change(seeded: random.Random, long_run: LongRun, tell: Callable[[str], None]) -> None:
    """All changes of all zones, in any order, and again with other hours for as long as there is time."""
    everything = [(zone, change) for zone in ZONES for change in changes(zone)]
    count = Count()
    todo: list[tuple[str, int]] = []
    while long_run.goes_on(short_s=15):
        todo = todo or seeded.sample(everything, len(everything))
        zone, change = todo.pop()
        compare(drawn(seeded, zone, change), change, count)
    tell(f"T01: of {len(everything)} changes of {len(ZONES)} zones in {len(YEARS)} years: {count}")
