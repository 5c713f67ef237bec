"""A port that outlives the process: taken over as it is, or known to be another."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.line_ends import Keeper, PtyMaster, plain_file
from support.waiting import eventually

from drivers.errors import PortBusy, TransportLost
from drivers.transport.held import is_open_port
from drivers.transport.serial import SerialTransport


class Cupboard:
    """Keeps copies, as a service manager does, and gives the last one back."""

    def __init__(self) -> None:
        self.kept: int | None = None
        self.given: int | None = None

    def take(self) -> int | None:
        given, self.given = self.given, None
        return given

    def keep(self, descriptor: int) -> None:
        self.kept = os.dup(descriptor)

    def forget(self) -> None:
        if self.kept is not None:
            os.close(self.kept)
        self.kept = None


@pytest.fixture
def device() -> Iterator[PtyMaster]:
    master = PtyMaster()
    yield master
    master.close()


@pytest.fixture
def cupboard() -> Iterator[Cupboard]:
    made = Cupboard()
    yield made
    made.forget()


async def left_open(device: PtyMaster, cupboard: Cupboard) -> None:
    """A process opened the port and died: its descriptors are closed, the copy is not."""
    transport = SerialTransport(device.path, keeper=cupboard)
    await transport.open(Keeper())
    dead, cupboard.given = transport._descriptor, cupboard.kept
    device.write(b"said to nobody\r\n")
    transport._port.close()
    assert dead >= 0
    transport._port, transport._receiver = None, None
    transport._release()
    cupboard.given, cupboard.kept = cupboard.kept, None


async def test_what_was_said_meanwhile_is_read_and_others_stay_out(device: PtyMaster, cupboard: Cupboard) -> None:
    await left_open(device, cupboard)
    with pytest.raises(PortBusy):
        await SerialTransport(device.path).open(Keeper())
    cupboard.kept = os.dup(cupboard.given)  # type: ignore[arg-type]
    transport, keeper = SerialTransport(device.path, keeper=cupboard), Keeper()
    await transport.open(keeper)
    await eventually(lambda: bytes(keeper.data) == b"said to nobody\r\n")
    await transport.write(b"AT\r")
    assert device.read() == b"AT\r"
    with pytest.raises(PortBusy):
        await SerialTransport(device.path).open(Keeper())
    await transport.close()
    assert cupboard.kept is None
    again = SerialTransport(device.path)
    await again.open(Keeper())
    await again.close()


async def test_closed_for_good_it_keeps_nobody_out_even_while_a_copy_is_open(
    device: PtyMaster, cupboard: Cupboard
) -> None:
    transport = SerialTransport(device.path, keeper=cupboard)
    await transport.open(Keeper())
    assert cupboard.kept is not None
    copy = os.dup(cupboard.kept)
    await transport.close()
    again = SerialTransport(device.path)
    await again.open(Keeper())
    await again.close()
    os.close(copy)


async def test_one_that_hung_up_is_not_taken_and_the_next_opening_is_an_ordinary_one(
    device: PtyMaster, cupboard: Cupboard
) -> None:
    cupboard.given = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
    path = device.path
    device.close()
    assert not is_open_port(cupboard.given, path)
    with pytest.raises(TransportLost):
        await SerialTransport(path, keeper=cupboard).open(Keeper())
    assert cupboard.take() is None


async def test_one_that_was_let_go_and_belongs_to_another_now_is_not_taken(
    device: PtyMaster, cupboard: Cupboard
) -> None:
    cupboard.given = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
    other = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(PortBusy):
        await SerialTransport(device.path, keeper=cupboard).open(Keeper())
    os.close(other)


def test_only_the_device_at_the_path_is_the_port(device: PtyMaster, tmp_path: Path) -> None:
    other = PtyMaster()
    descriptor = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
    link = tmp_path / "modem"
    link.symlink_to(device.path)
    assert is_open_port(descriptor, device.path)
    assert is_open_port(descriptor, str(link))
    link.unlink()
    assert not is_open_port(descriptor, str(link))
    link.symlink_to(other.path)
    assert not is_open_port(descriptor, str(link))
    os.close(descriptor)
    assert not is_open_port(descriptor, device.path)
    with plain_file(tmp_path).open() as file:
        assert not is_open_port(file.fileno(), file.name)
    other.close()
