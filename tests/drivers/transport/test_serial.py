"""Serial devices, on real pseudo-terminals."""

import asyncio
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.line_ends import Keeper, PtyMaster, plain_file
from support.waiting import eventually

from drivers.errors import PortBusy, PortForbidden, PortMissing, TransportError, TransportLost
from drivers.transport.serial import SerialTransport, explain


@pytest.fixture
def device() -> Iterator[PtyMaster]:
    master = PtyMaster()
    yield master
    master.close()


async def test_octets_go_both_ways_unchanged(device: PtyMaster) -> None:
    transport, keeper = SerialTransport(device.path), Keeper()
    await transport.open(keeper)
    everything = bytes(range(256))
    await transport.write(everything)
    device.write(everything)
    await eventually(lambda: bytes(keeper.data) == everything)
    assert device.read() == everything
    await transport.close()
    assert keeper.lost == []


async def test_a_long_write_waits_for_a_slow_reader(device: PtyMaster) -> None:
    transport = SerialTransport(device.path)
    await transport.open(Keeper())
    sent = os.urandom(200_000)
    writing = asyncio.create_task(transport.write(sent))
    received = bytearray()

    def all_received() -> bool:
        received.extend(device.read(1000))
        return len(received) == len(sent)

    await eventually(all_received, 20)
    await writing
    assert received == sent
    await transport.close()


async def test_a_pulled_device_is_lost_once(device: PtyMaster) -> None:
    transport, keeper = SerialTransport(device.path), Keeper()
    await transport.open(keeper)
    device.write(b"last words\r\n")
    await eventually(lambda: keeper.data)
    device.close()
    await eventually(lambda: keeper.lost)
    with pytest.raises(TransportLost):
        await transport.write(b"AT\r")
    await transport.close()
    assert len(keeper.lost) == 1


async def test_a_device_pulled_while_writing(device: PtyMaster) -> None:
    transport, keeper = SerialTransport(device.path), Keeper()
    await transport.open(keeper)
    writing = asyncio.create_task(transport.write(b"x" * 200_000))
    await asyncio.sleep(0.02)
    device.close()
    with pytest.raises(TransportLost):
        await asyncio.wait_for(writing, 5)
    await transport.close()


async def test_a_write_given_up_leaves_the_line_usable(device: PtyMaster) -> None:
    transport, keeper = SerialTransport(device.path), Keeper()
    await transport.open(keeper)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await transport.write(b"x" * 200_000)
    while device.read():
        pass
    device.write(b"OK")
    await eventually(lambda: keeper.data == b"OK")
    await transport.close()


async def test_closing_while_a_write_waits(device: PtyMaster) -> None:
    transport = SerialTransport(device.path)
    await transport.open(Keeper())
    writing = asyncio.create_task(transport.write(b"x" * 200_000))
    await asyncio.sleep(0.02)
    await transport.close()
    with pytest.raises(TransportLost):
        await asyncio.wait_for(writing, 5)


async def test_a_device_has_one_holder_and_can_be_taken_again(device: PtyMaster) -> None:
    first, second = SerialTransport(device.path), SerialTransport(device.path)
    await first.open(Keeper())
    with pytest.raises(PortBusy) as caught:
        await second.open(Keeper())
    assert "another program" in caught.value.user_text
    await first.close()
    await second.open(Keeper())
    with pytest.raises(TransportError):
        await second.open(Keeper())
    await second.close()
    await second.close()


async def test_a_missing_device(tmp_path: Path) -> None:
    with pytest.raises(PortMissing) as caught:
        await SerialTransport(str(tmp_path / "ttyUSB7")).open(Keeper())
    assert "ttyUSB7" in caught.value.user_text


async def test_what_is_no_tty(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="not a serial device"):
        await SerialTransport(str(plain_file(tmp_path))).open(Keeper())
    with pytest.raises(TransportError):
        await SerialTransport(str(tmp_path)).open(Keeper())
    with pytest.raises(TransportError, match="/dev/null is not a serial device"):
        await SerialTransport("/dev/null").open(Keeper())


@pytest.fixture
def forbidden(device: PtyMaster) -> Iterator[str]:
    path = Path(device.path)
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0)
    yield device.path
    path.chmod(mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
async def test_a_device_without_permission(forbidden: str) -> None:
    with pytest.raises(PortForbidden):
        await SerialTransport(forbidden).open(Keeper())


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, PortMissing),
        (errno.ENXIO, PortMissing),
        (errno.EACCES, PortForbidden),
        (errno.EBUSY, PortBusy),
        (errno.EWOULDBLOCK, PortBusy),
        (errno.EINVAL, TransportError),
    ],
)
def test_reasons(number: int, kind: type[TransportError]) -> None:
    error = explain("/dev/ttyUSB0", OSError(number, "text of the system"))
    assert type(error) is kind
    assert "/dev/ttyUSB0" in error.user_text
    assert not error.may_have_left
    assert error.code.startswith("port_")
