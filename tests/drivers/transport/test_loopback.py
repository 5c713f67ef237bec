"""Two ends of a line inside one process."""

import asyncio

import pytest
from support.line_ends import Keeper
from support.waiting import eventually

from drivers.errors import TransportError, TransportLost
from drivers.transport.loopback import CAPACITY, loopback_pair


async def test_octets_go_both_ways_in_order() -> None:
    near, far = loopback_pair("here:")
    left, right = Keeper(), Keeper()
    await near.open(left)
    await far.open(right)
    for count in range(100):
        await near.write(b"%d," % count)
        await far.write(b"x")
    await eventually(lambda: len(left.data) == 100)
    assert right.data == b"".join(b"%d," % count for count in range(100))
    assert near.name == far.name == "here:"


async def test_what_is_written_before_the_other_end_opens_is_kept() -> None:
    near, far = loopback_pair()
    await near.open(Keeper())
    await near.write(b"RDY\r\n")
    keeper = Keeper()
    await far.open(keeper)
    await eventually(lambda: keeper.data == b"RDY\r\n")


async def test_nothing_is_handed_over_from_inside_write() -> None:
    near, far = loopback_pair()
    keeper = Keeper()
    await near.open(Keeper())
    await far.open(keeper)
    far.accept(b"later")
    assert keeper.data == b""
    await asyncio.sleep(0)
    assert keeper.data == b"later"


async def test_a_reader_that_sleeps_costs_no_more_than_the_capacity() -> None:
    near, far = loopback_pair()
    await near.open(Keeper())
    for _ in range(3):
        await near.write(b"a" * CAPACITY)
    keeper = Keeper()
    await far.open(keeper)
    await eventually(lambda: len(keeper.data) == CAPACITY)


async def test_closing_is_a_loss_for_the_other_end_after_the_last_octets() -> None:
    near, far = loopback_pair()
    keeper = Keeper()
    await near.open(Keeper())
    await far.open(keeper)
    await near.write(b"bye")
    await near.close()
    await eventually(lambda: keeper.lost)
    assert keeper.data == b"bye"
    assert len(keeper.lost) == 1
    with pytest.raises(TransportLost):
        await far.write(b"anybody?")


async def test_the_end_that_closes_hears_nothing() -> None:
    near, far = loopback_pair()
    keeper = Keeper()
    await near.open(keeper)
    await far.open(Keeper())
    await far.write(b"unread")
    far.accept(b"")
    await near.close()
    await near.close()
    await far.close()
    await asyncio.sleep(0)
    assert keeper.lost == []
    assert near.closed
    with pytest.raises(TransportLost):
        await near.write(b"x")


async def test_an_end_is_opened_once() -> None:
    near, _ = loopback_pair()
    with pytest.raises(TransportLost):
        await near.write(b"too early")
    await near.open(Keeper())
    with pytest.raises(TransportError):
        await near.open(Keeper())
    await near.close()
    with pytest.raises(TransportError):
        await near.open(Keeper())
