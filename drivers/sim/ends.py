"""Where a simulated modem is plugged in: any transport's far end, a pseudo-terminal, a TCP port, or this process.

Each end carries octets between one modem and one wire; none of them reads what they say. A terminal that does not
read loses what does not fit, as on a serial line without flow control.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tty
from pathlib import Path

from drivers.errors import PortMissing, TransportError, TransportLost
from drivers.sim.modem import SimulatedModem
from drivers.sim.replug import Replug
from drivers.transport.base import Receiver, Transport
from drivers.transport.loopback import loopback_pair

MAX_UNREAD = 64 * 1024
READ_SIZE = 16 * 1024


class TransportEnd:
    """Joins a modem to `transport`, of which it is the receiver."""

    def __init__(self, modem: SimulatedModem, transport: Transport) -> None:
        self._modem = modem
        self._transport = transport
        self._outgoing = bytearray()
        self._writer: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the transport and listen; raises TransportError as the transport does."""
        await self._transport.open(self)
        self._modem.restarting = self._leave
        self._modem.attach(self._send)

    async def close(self) -> None:
        """Unplug: the modem goes on and is not heard."""
        self._modem.detach(self._send)
        if self._writer:
            self._writer.cancel()
        await self._transport.close()

    def _leave(self, _seconds: float) -> None:
        """The modem restarts: this transport is gone for good."""
        self._leaving = asyncio.get_running_loop().create_task(self.close())

    def data_received(self, data: bytes) -> None:
        self._modem.receive_data(data)

    def transport_lost(self, error: TransportLost) -> None:  # noqa: ARG002 - the receiver's signature
        self._modem.detach(self._send)

    def _send(self, data: bytes) -> None:
        if len(self._outgoing) + len(data) > MAX_UNREAD:
            return
        self._outgoing += data
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        with contextlib.suppress(TransportLost):
            while self._outgoing:
                data = bytes(self._outgoing)
                self._outgoing.clear()
                await self._transport.write(data)


class SimulatedPort:
    """The transport of the port `simulated:`: a modem in this process, unplugged and plugged in by close and open."""

    def __init__(self, modem: SimulatedModem, name: str = "simulated:") -> None:
        self._modem = modem
        self._name = name
        self._near: Transport | None = None
        self._end: TransportEnd | None = None

    @property
    def name(self) -> str:
        return self._name

    async def open(self, receiver: Receiver) -> None:
        if self._near:
            raise TransportError(f"{self._name} cannot be opened twice")
        if asyncio.get_running_loop().time() < self._modem.absent_until:
            raise PortMissing(f"there is no device {self._name}: the modem restarts")
        self._near, far = loopback_pair(self._name)
        self._end = TransportEnd(self._modem, far)
        await self._end.open()
        await self._near.open(receiver)

    async def write(self, data: bytes) -> None:
        if self._near is None:
            raise TransportLost(f"{self._name} is closed")
        await self._near.write(data)

    async def close(self) -> None:
        if self._near and self._end:
            await self._near.close()
            await self._end.close()


class PtyEnd:
    """A pseudo-terminal whose terminal side is linked at `link`, for clients that open a serial port."""

    def __init__(self, modem: SimulatedModem, link: Path) -> None:
        self._modem = modem
        self._link = link
        self._master = self._slave = -1
        self._unwritten = bytearray()
        self._replug = Replug(modem, self)

    @property
    def name(self) -> str:
        """What a client opens."""
        return str(self._link)

    async def open(self) -> None:
        """Make the pseudo-terminal and the link; FileExistsError when something else stands at `link`."""
        if self._link.is_symlink():
            self._link.unlink()
        self._master, self._slave = pty.openpty()
        # The terminal side stays open here: otherwise each client that leaves would hang the line up.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        try:
            self._link.symlink_to(os.ttyname(self._slave))
        except OSError:
            self._release()
            raise
        asyncio.get_running_loop().add_reader(self._master, self._read)
        self._replug.watch()
        self._modem.attach(self._write)

    async def close(self) -> None:
        """Unplug: remove the link, unless it is another's by now, and the pseudo-terminal."""
        self._replug.forget()
        if self._master < 0:
            return
        self._modem.detach()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        with contextlib.suppress(OSError):
            if self._link.readlink() == Path(os.ttyname(self._slave)):
                self._link.unlink()
        self._release()

    def _release(self) -> None:
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._modem.receive_data(os.read(self._master, READ_SIZE))

    def _write(self, data: bytes) -> None:
        if len(self._unwritten) + len(data) > MAX_UNREAD:
            return
        waits = bool(self._unwritten)
        self._unwritten += data
        if not waits:
            self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._unwritten[: os.write(self._master, self._unwritten)]
        loop = asyncio.get_running_loop()
        if self._unwritten:
            loop.add_writer(self._master, self._flush)
        else:
            loop.remove_writer(self._master)


class TcpEnd:
    """A listening TCP port, as a serial server offers it: one client at a time, a second one is hung up on."""

    def __init__(self, modem: SimulatedModem, host: str, port: int) -> None:
        self._modem = modem
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._client: asyncio.Transport | None = None
        self._replug = Replug(modem, self)

    @property
    def name(self) -> str:
        """The port as a gateway's configuration writes it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"socket://{host}:{self._port}"

    async def open(self) -> None:
        """Listen; port 0 is replaced by the one that the system chose. OSError when the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self._replug.watch()

    async def close(self) -> None:
        """Stop listening and hang up."""
        self._replug.forget()
        self._modem.detach()
        if self._server:
            self._server.close()
        if self._client:
            self._client.abort()

    def admit(self, client: asyncio.Transport) -> bool:
        """Plug the modem into this connection, unless another one holds it."""
        if self._client:
            return False
        self._client = client
        self._modem.attach(self._write)
        return True

    def release(self, client: asyncio.Transport) -> None:
        """The connection ended."""
        if client is self._client:
            self._client = None
            self._modem.detach()

    def receive(self, data: bytes) -> None:
        """Octets of the one client."""
        self._modem.receive_data(data)

    def _write(self, data: bytes) -> None:
        if self._client and self._client.get_write_buffer_size() + len(data) <= MAX_UNREAD:
            self._client.write(data)


class _Client(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, end: TcpEnd) -> None:
        self._end = end
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._end.admit(transport):
            self._transport = transport
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._end.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        if self._transport:
            self._end.release(self._transport)
