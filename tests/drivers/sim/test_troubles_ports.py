"""Ports that vanish and come back, on every kind of line; and the driver that talks to a modem in trouble."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.rigs import QUICK, LoopbackRig, Rig, SerialRig, TcpRig
from support.terminal import TPDU, happened
from support.waiting import eventually

from drivers.errors import DriverError, PortMissing, TransportLost
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import PtyEnd, SimSettings, SimulatedModem, SimulatedPort, TcpEnd, TroubleScript
from drivers.sim.troubles.ports import STEPS
from drivers.transport.serial import SerialTransport


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


class Line:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: TransportLost | None = None

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def transport_lost(self, error: TransportLost) -> None:
        self.lost = error


@pytest.fixture
async def modem() -> AsyncIterator[SimulatedModem]:
    modem = SimulatedModem(SimSettings(echo=False))
    yield modem
    modem.close()


async def test_a_pseudo_terminal_comes_back_as_another_device(modem: SimulatedModem, tmp_path: Path):
    link = tmp_path / "modem0"
    end = PtyEnd(modem, link)
    await end.open()
    before = os.open(link, os.O_RDWR | os.O_NOCTTY)
    end.unplug()
    end.unplug()
    assert not link.is_symlink()
    assert not modem.plugged
    with pytest.raises(OSError, match="Input/output error"):
        os.write(before, b"AT\r")
    with pytest.raises(termios.error):
        termios.tcgetattr(before)
    end.plug(link="modem7")
    end.plug()
    assert end.name == str(tmp_path / "modem7")
    assert modem.plugged
    now = os.open(end.name, os.O_RDWR | os.O_NOCTTY)
    assert os.fstat(now).st_rdev != os.fstat(before).st_rdev
    os.close(now)
    after, line = SerialTransport(end.name), Line()
    await after.open(line)
    await after.write(b"AT\r")
    await eventually(lambda: line.heard == b"\r\nOK\r\n")
    modem.unplug()
    await eventually(lambda: line.lost)
    await after.close()
    os.close(before)
    await end.close()
    assert files_in(tmp_path) == []


async def test_two_devices_change_their_names(tmp_path: Path):
    modems = [SimulatedModem(SimSettings(number=f"+3363998100{index}", rssi=index)) for index in range(2)]
    ends = [PtyEnd(modem, tmp_path / f"modem{index}") for index, modem in enumerate(modems)]
    for end in ends:
        await end.open()
    for end in ends:
        end.unplug()
    ends[0].plug(link="modem1")
    ends[1].plug(link="modem0")
    port, line = SerialTransport(str(tmp_path / "modem0")), Line()
    await port.open(line)
    await port.write(b"ATE0+CSQ\r")
    await eventually(lambda: b"+CSQ: 1,99" in line.heard)
    await port.close()
    for end, modem in zip(ends, modems, strict=True):
        await end.close()
        modem.close()


async def test_a_name_that_cannot_be_had(modem: SimulatedModem, tmp_path: Path):
    end = PtyEnd(modem, tmp_path / "modem0")
    await end.open()
    (tmp_path / "taken").write_text("precious")
    end.unplug()
    for name, error in (("taken", FileExistsError), ("../elsewhere", ValueError), ("", ValueError)):
        with pytest.raises(error):
            end.plug(link=name)
        assert not modem.plugged
    await end.close()
    assert (tmp_path / "taken").read_text() == "precious"


async def test_what_stands_in_the_way_is_told(modem: SimulatedModem, tmp_path: Path):
    end = PtyEnd(modem, tmp_path / "modem0")
    await end.open()
    (tmp_path / "taken").write_text("precious")
    modem.trouble("unplug", away=0.01, link="taken")
    await eventually(lambda: not modem.troubles.on)
    assert happened(modem)[2].startswith("cannot come back: ")
    assert not modem.plugged
    await end.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes before the connection is closed or reset."""
    with contextlib.suppress(ConnectionResetError):
        return await reader.read()
    return b""


async def test_a_tcp_port_refuses_and_comes_back(modem: SimulatedModem):
    end = TcpEnd(modem, "127.0.0.1", 0)
    await end.open()
    port = int(end.name.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    end.unplug()
    assert not await _rest(reader)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    end.plug()
    end.plug()
    assert end.name == f"socket://127.0.0.1:{port}"
    again, writer_again = await asyncio.open_connection("127.0.0.1", port)
    writer_again.write(b"AT\r")
    assert await again.readexactly(6) == b"\r\nOK\r\n"
    for open_one in (writer, writer_again):
        open_one.close()
    end.unplug()
    with pytest.raises(ValueError, match="port number"):
        end.plug(link="modem1")
    await end.close()


async def test_a_tcp_port_comes_back_under_another_number(modem: SimulatedModem):
    other, end = TcpEnd(SimulatedModem(), "127.0.0.1", 0), TcpEnd(modem, "127.0.0.1", 0)
    await other.open()
    await end.open()
    taken = other.name.rpartition(":")[2]
    end.unplug()
    with pytest.raises(OSError, match="in use"):
        end.plug(link=taken)
    await other.close()
    end.plug(link=taken)
    assert end.name == f"socket://127.0.0.1:{taken}"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(taken))
    writer.write(b"AT\r")
    assert await reader.readexactly(6) == b"\r\nOK\r\n"
    writer.close()
    await end.close()


async def test_unplugged_before_it_listens_again(modem: SimulatedModem):
    end = TcpEnd(modem, "127.0.0.1", 0)
    await end.open()
    end.unplug()
    end.plug()
    end.unplug()
    await end.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(end.name.rpartition(":")[2]))


async def test_a_port_in_this_process_is_missing_while_it_is_unplugged(modem: SimulatedModem):
    port, line = SimulatedPort(modem), Line()
    await port.open(line)
    modem.unplug()
    await eventually(lambda: line.lost)
    with pytest.raises(PortMissing):
        await SimulatedPort(modem).open(Line())
    await port.close()
    modem.plug()
    again, line = SimulatedPort(modem), Line()
    await again.open(line)
    await again.write(b"AT\r")
    await eventually(lambda: line.heard == b"\r\nOK\r\n")
    await again.close()


# --- the driver at a modem in trouble


@pytest.fixture(params=["serial", "tcp", "loopback"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    settings = SimSettings(report_delay=0.01, latency=0.005)
    made: Rig
    match request.param:
        case "serial":
            made = SerialRig(settings, tmp_path)
        case "tcp":
            made = TcpRig(settings)
        case _:
            made = LoopbackRig(settings)
    await made.plug()
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def supervised(rig: Rig) -> AsyncIterator[ModemSupervisor]:
    modem = rig.supervise(QUICK)

    async def listen() -> None:
        async for event in modem.events():
            if hasattr(event, "receipt") and event.receipt is not None:
                await modem.acknowledge(event.receipt)

    listener = asyncio.create_task(listen())
    await modem.start()
    try:
        yield modem
    finally:
        await asyncio.wait_for(modem.stop(), 10)
        await asyncio.wait_for(listener, 5)


async def submitted(rig: Rig, modem: ModemSupervisor) -> str:
    """Send one message; what the driver says must not contradict the ledger."""
    before = rig.simulated.ledger.count
    try:
        await modem.submit(TPDU)
    except DriverError as error:
        said, possible = error.code, (0, 1) if error.may_have_left else (0,)
    else:
        said, possible = "sent", (1,)
    assert rig.simulated.ledger.count - before in possible, said
    return said


@pytest.mark.parametrize("step", STEPS)
async def test_a_driver_outlives_a_port_that_vanishes_at_a_step(rig: Rig, step: str):
    async with supervised(rig) as modem:
        await asyncio.wait_for(modem.wait_ready(), 10)
        rig.simulated.trouble("unplug", step=step, away=0.05)
        await submitted(rig, modem)
        await eventually(lambda: not rig.simulated.troubles.on, timeout=10)
        await asyncio.wait_for(modem.wait_ready(), 10)
        assert await submitted(rig, modem) == "sent"


async def test_noise_without_end_keeps_this_side_small(modem: SimulatedModem, tmp_path: Path):
    end = PtyEnd(modem, tmp_path / "modem0")
    await end.open()
    nobody_reads = os.open(end.name, os.O_RDWR | os.O_NOCTTY)
    modem.trouble("noise", octets=5_000_000, rate=1_000_000_000)
    await eventually(lambda: not modem.troubles.on, timeout=30)
    assert len(end._unwritten) <= 64 * 1024
    os.close(nobody_reads)
    await end.close()


TRUTH = dict.fromkeys(
    ("bare-ok", "silent-submit", "cms-error", "error", "unplug", "reboot", "prompt-hang", "slow", "urc-storm"), 1.0
)


async def test_a_driver_is_never_told_what_the_ledger_denies(rig: Rig):
    script = TroubleScript(4, TRUTH, 0.02, longest=0.2)
    async with supervised(rig) as modem:
        await asyncio.wait_for(modem.wait_ready(), 10)
        script.start(rig.simulated)
        said = []
        for _ in range(40):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(modem.wait_ready(), 5)
            said.append(await submitted(rig, modem))
        script.stop()
        assert "sent" in said
        assert len(set(said)) > 1
