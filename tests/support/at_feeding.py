"""Feeds a terminal's AT dialogue three ways: whole, octet by octet, and with further data behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from drivers.at.connection import AtConnection
from drivers.at.events import NEED_DATA, AtEvent

TRAILING = b'\r\n+CMTI: "SM",99\r\n'

WAYS = ("whole", "octets", "trailing")


def events_of(connection: AtConnection) -> list[AtEvent]:
    """Everything that can be had now."""
    events: list[AtEvent] = []
    while (event := connection.next_event()) is not NEED_DATA:
        events.append(event)
    return events


def feed(connection: AtConnection, pieces: Iterable[bytes]) -> list[AtEvent]:
    events: list[AtEvent] = []
    for piece in pieces:
        connection.receive_data(piece)
        events.extend(events_of(connection))
    return events


def three_ways(make: Callable[[], AtConnection], data: bytes, expected: list[AtEvent]) -> None:
    """`data` must give `expected` each way; `make` brings a fresh dialogue to the point where it comes in."""
    assert feed(make(), [data]) == expected
    assert feed(make(), [data[at : at + 1] for at in range(len(data))]) == expected
    with_more = feed(make(), [data + TRAILING])
    assert with_more[: len(expected)] == expected
    assert len(with_more) == len(expected) + 1


def no_event_before_the_end(make: Callable[[], AtConnection], data: bytes) -> None:
    """Nothing may be concluded from a part of `data`."""
    for cut in range(len(data)):
        if events := feed(make(), [data[:cut]]):
            pytest.fail(f"{events} after {data[:cut]!r}")
