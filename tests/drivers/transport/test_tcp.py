"""TCP connections, on real sockets of this host."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest
from support.line_ends import Keeper, Listener
from support.waiting import eventually

from drivers.errors import PortMissing, TransportError, TransportLost
from drivers.transport import tcp
from drivers.transport.tcp import SocketTransport, TcpTransport, parse_url


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    await made.open()
    yield made
    await made.close()


async def test_octets_go_both_ways(listener: Listener) -> None:
    transport, keeper = TcpTransport(f"socket://127.0.0.1:{listener.port}"), Keeper()
    await transport.open(keeper)
    await transport.write(b"AT\r")
    await eventually(lambda: listener.data == b"AT\r")
    listener.write(b"\r\nOK\r\n")
    await eventually(lambda: keeper.data == b"\r\nOK\r\n")
    await transport.close()


async def test_a_name_is_looked_up(listener: Listener) -> None:
    transport = TcpTransport(f"socket://localhost:{listener.port}")
    await transport.open(Keeper())
    await listener.connected.wait()
    await transport.close()


async def test_a_peer_that_hangs_up_is_a_loss(listener: Listener) -> None:
    transport, keeper = TcpTransport(f"socket://127.0.0.1:{listener.port}"), Keeper()
    await transport.open(keeper)
    await listener.connected.wait()
    listener.hang_up()
    await eventually(lambda: keeper.lost)
    with pytest.raises(TransportLost):
        await transport.write(b"AT\r")
    await transport.close()


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(PortMissing, match="cannot be reached"):
        await TcpTransport(f"socket://127.0.0.1:{port}").open(Keeper())


async def test_no_such_host() -> None:
    with pytest.raises(PortMissing, match="not known"):
        await TcpTransport("socket://modem.invalid:4001").open(Keeper())


async def test_an_accepted_connection() -> None:
    left, right = socket.socketpair()
    near, far = SocketTransport("near", left), SocketTransport("far", right)
    keeper = Keeper()
    await near.open(Keeper())
    await far.open(keeper)
    await near.write(b"hello")
    await eventually(lambda: keeper.data == b"hello")
    await near.close()
    await far.close()
    with pytest.raises(TransportError):
        await near.open(Keeper())


def reset(connected: socket.socket) -> None:
    """Hang up without a word (RST), as a host that has lost its power and come back does."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        left = socket.create_connection(server.getsockname())
        right, _ = server.accept()
    return left, right


async def test_a_reset_while_reading() -> None:
    left, right = tcp_pair()
    transport, keeper = SocketTransport("near", left), Keeper()
    await transport.open(keeper)
    reset(right)
    await eventually(lambda: keeper.lost)
    assert "gone" in keeper.lost[0].user_text
    await transport.close()


async def test_a_reset_while_writing() -> None:
    left, right = tcp_pair()
    transport, keeper = SocketTransport("near", left), Keeper()
    await transport.open(keeper)
    writing = asyncio.create_task(transport.write(b"x" * 50_000_000))
    await asyncio.sleep(0.02)
    reset(right)
    with pytest.raises(TransportLost):
        await asyncio.wait_for(writing, 5)
    assert len(keeper.lost) == 1


async def test_a_peer_that_never_takes_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        full = [socket.socket() for _ in range(4)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        with pytest.raises(PortMissing, match="does not answer"):
            await TcpTransport(f"socket://127.0.0.1:{server.getsockname()[1]}").open(Keeper())
        for one in full:
            one.close()


def test_urls() -> None:
    assert parse_url("socket://10.0.0.7:4001") == ("10.0.0.7", 4001)
    assert parse_url("socket://[::1]:4001/") == ("::1", 4001)


@pytest.mark.parametrize(
    "url",
    [
        "socket://",
        "socket://host",
        "socket://host:",
        "socket://host:0",
        "socket://host:notanumber",
        "socket://host:99999",
        "socket://:4001",
        "socket://host:4001/path",
        "tcp://host:4001",
        "socket://[::1:4001",
    ],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(TransportError):
        TcpTransport(url)
