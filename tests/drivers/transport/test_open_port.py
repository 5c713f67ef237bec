"""One opening of a port under several dialogues: it stays open between them, and its loss is known to the next."""

import asyncio

import pytest
from support.line_ends import Keeper
from support.waiting import eventually

from drivers.errors import PortMissing, TransportError, TransportLost
from drivers.transport.base import Receiver
from drivers.transport.loopback import LoopbackTransport, loopback_pair
from drivers.transport.open_port import OpenPort


async def lent() -> tuple[OpenPort, LoopbackTransport, Keeper]:
    near, far = loopback_pair()
    modem = Keeper()
    await far.open(modem)
    return OpenPort("loopback:", lambda: near), far, modem


async def test_the_second_dialogue_finds_the_port_open() -> None:
    port, far, modem = await lent()
    assert not port.reusable
    first, second = Keeper(), Keeper()
    await port.open(first)
    await port.write(b"one")
    await far.write(b"1")
    await eventually(lambda: first.data == b"1")
    await port.close()
    assert port.reusable
    await far.write(b"nobody hears this")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await port.open(second)
    await port.write(b"two")
    await far.write(b"2")
    await eventually(lambda: second.data == b"2")
    assert (first.data, modem.data) == (b"1", b"onetwo")
    await port.release()
    assert not port.reusable
    await eventually(lambda: modem.lost)


async def test_two_at_once_are_one_too_many() -> None:
    port, _, _ = await lent()
    await port.open(Keeper())
    with pytest.raises(TransportError, match="open already"):
        await port.open(Keeper())
    await port.release()


@pytest.mark.parametrize("between", [False, True])
async def test_a_loss_is_known_to_whoever_comes_later(between: bool) -> None:
    port, far, _ = await lent()
    first = Keeper()
    await port.open(first)
    if between:
        await port.close()
    await far.close()
    await eventually(lambda: not port.reusable)
    assert bool(first.lost) is not between
    await port.close()
    with pytest.raises(TransportLost):
        await port.open(Keeper())
    await port.release()


async def test_a_port_that_does_not_open_says_why_each_time() -> None:
    class Missing:
        name = "none"

        async def open(self, receiver: Receiver) -> None:
            raise PortMissing("there is no device none")

        async def write(self, data: bytes) -> None:
            raise AssertionError

        async def close(self) -> None:
            return

    port = OpenPort("none", Missing)
    with pytest.raises(TransportLost):
        await port.write(b"AT\r")
    with pytest.raises(PortMissing):
        await port.open(Keeper())
    assert not port.reusable
    await port.release()


async def test_a_line_that_takes_nothing_is_not_lent_again() -> None:
    class Full:
        name = "full"

        async def open(self, receiver: Receiver) -> None:
            return

        async def write(self, data: bytes) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None:
            return

    port = OpenPort("full", Full)
    await port.open(Keeper())
    writing = asyncio.create_task(port.write(b"AT\r"))
    await asyncio.sleep(0)
    await port.close()
    assert not port.reusable
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert port.reusable
