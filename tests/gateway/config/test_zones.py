"""The zone data base of a process that lives for years."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.clock import ManualClock
from support.hours_cases import CategoryOfCase

from gateway.clock import SECOND_US, from_datetime
from gateway.config.zones import ZoneBook
from gateway.rules.moments import Home, Moments
from gateway.rules.places import Places

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NAME = "Europe/Nowhere"


def _write(folder: Path, hours: int) -> None:
    """A zone file (RFC 9636, version 1) that is always so many hours ahead of UTC."""
    file = folder / NAME
    file.parent.mkdir(exist_ok=True)
    header = struct.pack(">4sc15x6l", b"TZif", b"\0", 0, 0, 0, 0, 1, 4)
    new = file.with_suffix(".new")
    new.write_bytes(header + struct.pack(">lbb", hours * 3600, 0, 0) + b"ABC\0")
    new.replace(file)


@pytest.fixture
def data_base(tmp_path: Path) -> Iterator[Path]:
    zoneinfo.reset_tzpath(to=[tmp_path])
    yield tmp_path
    zoneinfo.reset_tzpath()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def book(data_base: Path, clock: ManualClock) -> ZoneBook:
    return ZoneBook(clock.monotonic_us)


def _offset(book: ZoneBook) -> timedelta | None:
    zone = book.zone(NAME)
    return None if zone is None else NOON.astimezone(zone).utcoffset()


def test_a_newer_file_is_noticed_within_a_minute(book: ZoneBook, data_base: Path, clock: ManualClock):
    _write(data_base, 1)
    assert _offset(book) == timedelta(hours=1)
    edition = book.edition()
    _write(data_base, 2)
    clock.advance(timedelta(seconds=59))
    assert book.edition() == edition
    clock.advance(timedelta(seconds=1))
    assert book.edition() != edition
    assert _offset(book) == timedelta(hours=2)
    edition = book.edition()
    clock.advance(timedelta(minutes=10))
    assert book.edition() == edition


def test_a_zone_that_comes_and_one_that_goes(book: ZoneBook, data_base: Path, clock: ManualClock):
    assert not book.has(NAME)
    _write(data_base, 3)
    clock.advance(timedelta(minutes=1))
    book.edition()
    assert book.has(NAME)
    (data_base / NAME).unlink()
    clock.advance(timedelta(minutes=1))
    book.edition()
    assert _offset(book) == timedelta(hours=3)


def test_a_half_written_file_changes_nothing(book: ZoneBook, data_base: Path, clock: ManualClock):
    _write(data_base, 3)
    assert book.has(NAME)
    (data_base / NAME).write_bytes(b"TZif")
    clock.advance(timedelta(minutes=1))
    book.edition()
    assert _offset(book) == timedelta(hours=3)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret", "/etc/passwd", "Europe", "a\0b", "x" * 5000, "Mars/Olympus"]
)
def test_names_that_are_no_zone(name: str):
    assert ZoneBook(lambda: 0).zone(name) is None


def test_few_names_are_kept():
    book = ZoneBook(lambda: 0)
    for number in range(4000):
        book.zone(f"No/Zone{number}")
    assert len(book._zones) <= 2000


def test_hours_are_judged_by_the_zones_of_the_moment(
    book: ZoneBook, data_base: Path, clock: ManualClock, tell: Callable[[str], None]
):
    """A message was accepted, and its zone has other rules when it is about to leave."""
    _write(data_base, 0)
    moments = Moments(Places(NAME, book.has), book, lambda *_: False, Home())
    category = CategoryOfCase(quiet_hours=["13:00-20:00"])
    at_us = from_datetime(NOON)
    assert moments.judge(category, "", at_us) is None
    _write(data_base, 1)
    clock.advance(timedelta(minutes=1))
    before = moments.judge(category, "", at_us)
    closed = moments.judge(category, "", at_us + 60 * SECOND_US)
    assert before is None  # this very minute had been asked already
    assert closed is not None
    assert closed.until_us == at_us + 7 * 3600 * SECOND_US
    tell("T07: a zone's rules changed under a running gateway: the next minute is judged by the new ones")
