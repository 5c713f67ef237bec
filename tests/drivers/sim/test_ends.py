"""The wires: pseudo-terminal, TCP, and the port inside this process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from support.waiting import eventually

from drivers.errors import TransportError, TransportLost
from drivers.sim import PtyEnd, SimSettings, SimulatedModem, SimulatedPort, TcpEnd, TransportEnd
from drivers.sim.ends import MAX_UNREAD
from drivers.transport.loopback import loopback_pair


class Line:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: TransportLost | None = None

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def transport_lost(self, error: TransportLost) -> None:
        self.lost = error

    async def until(self, words: bytes) -> None:
        await eventually(lambda: self.heard.endswith(words), what=repr(words))


@pytest.fixture
def modem() -> SimulatedModem:
    return SimulatedModem(SimSettings(echo=False))


async def test_a_port_in_this_process_can_be_unplugged_and_plugged_in(modem: SimulatedModem):
    for answer in (b"+CMEE: 0", b"+CMEE: 2"):
        port, line = SimulatedPort(modem), Line()
        await port.open(line)
        await port.write(b"AT+CMEE?\r")
        await line.until(b"\r\n" + answer + b"\r\n\r\nOK\r\n")
        await port.write(b"AT+CMEE=2\r")
        await line.until(b"OK\r\n\r\nOK\r\n")
        with pytest.raises(TransportError):
            await port.open(line)
        await port.close()
        await port.close()
        with pytest.raises(TransportLost):
            await port.write(b"AT\r")
    assert port.name == "simulated:"


async def test_a_port_that_is_not_open_cannot_be_written(modem: SimulatedModem):
    port = SimulatedPort(modem, "simulated:two")
    await port.close()
    with pytest.raises(TransportLost, match="simulated:two"):
        await port.write(b"AT\r")


async def test_an_end_that_closes_late_does_not_unplug_its_successor(modem: SimulatedModem):
    old, new, line = SimulatedPort(modem), SimulatedPort(modem), Line()
    await old.open(Line())
    await new.open(line)
    await old.close()
    await new.write(b"AT\r")
    await line.until(b"OK\r\n")
    await new.close()


async def test_an_end_hears_that_the_wire_is_gone(modem: SimulatedModem):
    near, far = loopback_pair()
    end = TransportEnd(modem, far)
    await end.open()
    await near.open(Line())
    await near.close()
    await asyncio.sleep(0)
    modem.receive_data(b"AT\r")
    await end.close()


async def test_what_nobody_reads_is_bounded(modem: SimulatedModem):
    near, far = loopback_pair()
    line, end = Line(), TransportEnd(modem, far)
    await end.open()
    await near.open(line)
    # Two answers in one turn of the loop: the second finds the first still waiting.
    modem.receive_data(b"AT\r")
    end._send(b"x" * MAX_UNREAD)
    modem.receive_data(b"AT\r")
    await line.until(b"OK\r\n\r\nOK\r\n")
    assert b"x" not in line.heard
    await end.close()
    await near.close()


async def test_writing_to_a_wire_that_is_gone_is_no_failure(modem: SimulatedModem):
    near, far = loopback_pair()
    end = TransportEnd(modem, far)
    await end.open()
    await near.close()
    modem.receive_data(b"AT\r")
    assert end._writer
    await end._writer
    await end.close()


class Terminal:
    """A client at a pseudo-terminal."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.heard = bytearray()

    def read(self) -> bytes:
        try:
            self.heard += os.read(self.descriptor, 65536)
        except BlockingIOError:
            return b""
        return bytes(self.heard)

    async def ask(self, data: bytes, answer: bytes) -> None:
        os.write(self.descriptor, data)
        await eventually(lambda: self.read().endswith(answer))


async def test_clients_come_and_go_on_a_pseudo_terminal(modem: SimulatedModem, tmp_path: Path):
    link = tmp_path / "modem0"
    link.symlink_to("/nowhere/left/by/an/earlier/run")
    end = PtyEnd(modem, link)
    await end.open()
    assert end.name == str(link)
    for _ in range(2):
        terminal = Terminal(link)
        await terminal.ask(b"AT+CSQ\r", b"+CSQ: 21,99\r\n\r\nOK\r\n")
        os.close(terminal.descriptor)
    await end.close()
    await end.close()
    assert not link.is_symlink()


async def test_a_slow_client_gets_everything_up_to_a_bound(modem: SimulatedModem, tmp_path: Path):
    end = PtyEnd(modem, tmp_path / "modem0")
    await end.open()
    terminal = Terminal(tmp_path / "modem0")
    end._write(b"y" * (MAX_UNREAD - 10))
    end._write(b"z" * MAX_UNREAD)
    end._write(b"\n")
    await eventually(lambda: terminal.read().endswith(b"\n"))
    assert bytes(terminal.heard) == b"y" * (MAX_UNREAD - 10) + b"\n"
    os.close(terminal.descriptor)
    await end.close()


async def test_a_file_in_the_way_is_not_touched(modem: SimulatedModem, tmp_path: Path):
    link = tmp_path / "modem0"
    link.write_text("precious")
    end = PtyEnd(modem, link)
    with pytest.raises(FileExistsError):
        await end.open()
    await end.close()
    assert link.read_text() == "precious"


async def test_a_link_that_another_has_taken_stays(modem: SimulatedModem, tmp_path: Path):
    link = tmp_path / "modem0"
    end = PtyEnd(modem, link)
    await end.open()
    link.unlink()
    link.symlink_to("/dev/null")
    await end.close()
    assert link.readlink() == Path("/dev/null")


ANSWER = b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"


async def test_one_client_at_a_time_on_tcp(modem: SimulatedModem):
    end = TcpEnd(modem, "127.0.0.1", 0)
    await end.open()
    port = int(end.name.rpartition(":")[2])
    assert end.name == f"socket://127.0.0.1:{port}"
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"AT+CSQ\r")
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        late_reader, late_writer = await asyncio.open_connection("127.0.0.1", port)
        assert await late_reader.read() == b""
        late_writer.close()
        writer.write(b"AT+CSQ\r")
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()
        await eventually(lambda: end._client is None)
    modem.receive_data(b"AT\r")
    await end.close()


async def test_closing_tcp_hangs_up(modem: SimulatedModem):
    end = TcpEnd(modem, "127.0.0.1", 0)
    await end.close()
    await end.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(end.name.rpartition(":")[2]))
    writer.write(b"AT+CSQ\r")
    await reader.readexactly(len(ANSWER))
    await end.close()
    assert await reader.read() == b""
    writer.close()


def test_an_ipv6_port_is_written_in_brackets(modem: SimulatedModem):
    assert TcpEnd(modem, "::1", 7000).name == "socket://[::1]:7000"
