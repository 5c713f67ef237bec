"""Ids rise and have the form of UUIDv7; instants go to RFC 3339 and back."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import ManualClock

from gateway.clock import SystemClock, from_datetime, rfc3339, to_datetime
from gateway.ids import IdSource, is_id


def test_ids_rise_also_while_the_clock_stands_or_goes_back() -> None:
    clock = ManualClock()
    ids = IdSource(clock)
    made = [ids.new() for _ in range(1000)]
    clock.set_wall(clock.now_us() - 3_600_000_000)
    made += [ids.new() for _ in range(1000)]
    assert made == sorted(set(made))
    assert all(is_id(each) and uuid.UUID(each).version == 7 for each in made)
    assert all(uuid.UUID(each).variant == uuid.RFC_4122 for each in made)
    assert int(made[0][:12], 16) == clock.now_us() // 1000 + 3_600_000


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "G" * 32, "A" * 32])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is the strategy's
def test_instants_go_round(moment: datetime) -> None:
    assert to_datetime(from_datetime(moment)) == moment


def test_rfc3339_is_utc_with_z_to_the_millisecond() -> None:
    assert rfc3339(1_767_607_200_123_456) == "2026-01-05T10:00:00.123Z"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


async def test_the_system_clock_waits_for_an_event_or_an_instant() -> None:
    clock = SystemClock()
    event = asyncio.Event()
    assert not await clock.wait(event, clock.now_us() + 1000)
    assert not await clock.wait(event, clock.now_us() - 1000)
    event.set()
    assert await clock.wait(event, None)
    before = clock.monotonic_us()
    assert clock.monotonic_us() >= before
    assert to_datetime(clock.now_us()) - datetime.now(UTC) < timedelta(seconds=5)
