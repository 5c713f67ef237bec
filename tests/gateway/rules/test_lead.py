"""When those begin that many wait with for the same last minute: the table, and that it is soon enough for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SECOND_US
from gateway.rules.lead import MOST_LEAD_US, PART_US, begin_times, most_led

MINUTE_US = 60 * SECOND_US
DUE_US = 1_000_000 * MINUTE_US


@pytest.mark.parametrize(
    ("parts", "modems", "lead_min"),
    [(1, 1, 0), (10, 1, 0), (11, 1, 1), (20, 1, 1), (21, 1, 2), (30, 1, 2), (300, 1, 29), (300, 4, 7), (1, 0, 0),
     (1800, 1, 179), (1811, 1, 180), (100_000, 1, 180), (100_000, 8, 180)],
)  # fmt: skip
def test_the_table(parts: int, modems: int, lead_min: int) -> None:
    assert list(begin_times([(DUE_US, parts)], modems)) == [(DUE_US, DUE_US - lead_min * MINUTE_US)]


def test_nothing_waits() -> None:
    assert list(begin_times([], 1)) == []
    assert most_led(0) == most_led(1) == MOST_LEAD_US // PART_US


groups = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 100)), max_size=8, unique_by=lambda each: each[0])


@given(groups, st.integers(1, 4))
def test_whoever_begins_then_and_sends_in_that_order_is_in_time(found: list[tuple[int, int]], modems: int) -> None:
    waiting = [(DUE_US + minute * MINUTE_US, parts) for minute, parts in sorted(found)]
    begins = list(begin_times(waiting, modems))
    for at, (due_us, _) in enumerate(begins):
        # From any begin on, all up to this one have their time before its minute has ended.
        needed_us = sum(parts for _, parts in waiting[: at + 1]) * PART_US // modems
        begin_us = min(begin_us for _, begin_us in begins[at:])
        if needed_us <= MOST_LEAD_US:
            assert begin_us + needed_us <= due_us + MINUTE_US
        assert all(begin_us <= due_us for due_us, begin_us in begins)
