"""What may block is done apart: nobody else waits for it, and nothing is left open by a call that was given up."""

import asyncio
import threading
from pathlib import Path

import pytest
from support.line_ends import Keeper, PtyMaster
from support.waiting import eventually

from drivers.errors import PortBusy, TransportError
from drivers.transport import serial as serial_module
from drivers.transport.apart import StillHangingError, run_apart
from drivers.transport.serial import SerialTransport


async def test_what_it_returns_and_what_it_raises() -> None:
    here = threading.get_ident()
    assert await run_apart("a", threading.get_ident, 5) != here
    with pytest.raises(ZeroDivisionError):
        await run_apart("a", lambda: 1 // 0, 5)


async def test_a_call_that_hangs_is_given_up_and_not_begun_twice() -> None:
    free, discarded = threading.Event(), []

    def hang() -> str:
        free.wait(30)
        return "late"

    with pytest.raises(TimeoutError):
        await run_apart("b", hang, 0.05, discarded.append)
    with pytest.raises(StillHangingError):
        await run_apart("b", hang, 0.05)
    assert await run_apart("c", lambda: "another", 5) == "another"
    free.set()
    await eventually(lambda: discarded == ["late"])
    assert await run_apart("b", lambda: "again", 5) == "again"


async def test_whoever_is_cancelled_leaves_nothing_open() -> None:
    free, begun, discarded = threading.Event(), threading.Event(), []

    def hang() -> str:
        begun.set()
        free.wait(30)
        return "late"

    task = asyncio.create_task(run_apart("d", hang, 30, discarded.append))
    await eventually(begun.is_set)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    free.set()
    await eventually(lambda: discarded == ["late"])


async def test_no_thread_is_left_when_nothing_is_opened_or_closed() -> None:
    device, before = PtyMaster(), threading.active_count()
    transport = SerialTransport(device.path)
    await transport.open(Keeper())
    await eventually(lambda: threading.active_count() == before)
    await transport.close()
    await eventually(lambda: threading.active_count() == before)
    device.close()


async def test_a_port_can_be_opened_again_as_soon_as_it_was_closed() -> None:
    device = PtyMaster()
    for _ in range(20):
        transport = SerialTransport(device.path)
        await transport.open(Keeper())
        with pytest.raises(PortBusy):
            await SerialTransport(device.path).open(Keeper())
        await transport.close()
    device.close()


async def test_a_device_that_does_not_open_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    class Hanging:
        def __init__(self, *_: object, **__: object) -> None:
            free.wait(30)
            raise OSError(5, "too late")

        def close(self) -> None:
            raise AssertionError("nothing was opened")

    monkeypatch.setattr(serial_module.serial, "Serial", Hanging)
    monkeypatch.setattr(serial_module, "OPEN_SECONDS", 0.05)
    name = str(tmp_path / "dead")
    for _ in range(2):
        with pytest.raises(TransportError, match="hangs"):
            await SerialTransport(name).open(Keeper())
    free.set()
    with pytest.raises(TransportError, match="cannot be configured"):
        await eventually_opened(name)


async def eventually_opened(name: str) -> None:
    """Once the thread that hung has come back the port is tried in earnest again."""
    for _ in range(1000):
        try:
            await SerialTransport(name).open(Keeper())
        except TransportError as error:
            if "hangs" not in error.user_text:
                raise
        await asyncio.sleep(0)
