"""A modem behind a TCP connection (``socket://host:port``): ser2net in raw mode, or the simulated modem."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from urllib.parse import urlsplit

from drivers.errors import PortMissing, TransportError
from drivers.transport.apart import StillHangingError, run_apart
from drivers.transport.descriptor import DescriptorTransport

SCHEME = "socket://"
CONNECT_SECONDS = 10.0

# A cable pulled on the way gives no signal: after half a minute of silence the peer is asked, and after
# three questions without answer the connection is lost. The names are absent on some systems.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class SocketTransport(DescriptorTransport):
    """A stream socket that is connected already, for example one that a listener accepted."""

    def __init__(self, name: str, connected: socket.socket | None = None) -> None:
        super().__init__(name)
        self._socket = connected

    async def _connect(self) -> int:
        if self._socket is None:
            raise TransportError(f"{self.name} is not connected")
        self._socket.setblocking(False)
        _tune(self._socket)
        return self._socket.fileno()

    def _disconnect(self) -> None:
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()


class TcpTransport(SocketTransport):
    """The calling end. `url` is ``socket://host:port``; raises `TransportError` when it is anything else."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._host, self._port = parse_url(url)

    async def _connect(self) -> int:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                self._socket = await self._call()
        except TimeoutError as error:
            raise PortMissing(f"{self.name} does not answer") from error
        return await super()._connect()

    async def _call(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        ask = partial(socket.getaddrinfo, self._host, self._port, type=socket.SOCK_STREAM)
        try:
            addresses = await run_apart(f"resolving {self.name}", ask, CONNECT_SECONDS)
        except (OSError, StillHangingError) as error:
            raise PortMissing(f"the host of {self.name} is not known") from error
        reason = "no address"
        for family, kind, protocol, _, address in addresses:
            candidate = socket.socket(family, kind, protocol)
            candidate.setblocking(False)
            try:
                await loop.sock_connect(candidate, address)
            except OSError as error:
                candidate.close()
                reason = error.strerror or type(error).__name__
            except BaseException:
                candidate.close()
                raise
            else:
                return candidate
        raise PortMissing(f"{self.name} cannot be reached ({reason})")


def parse_url(url: str) -> tuple[str, int]:
    """Host and port of ``socket://host:port``."""
    if "@" in url:
        # Not shown: it may be a password.
        raise TransportError("socket://host:port takes no user and no password: nobody would ask for them")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TransportError(f"{url} is not of the form socket://host:port") from error
    if parts.scheme != "socket" or not parts.hostname or not port or parts.path not in {"", "/"}:
        raise TransportError(f"{url} is not of the form socket://host:port")
    return parts.hostname, port


def _tune(connected: socket.socket) -> None:
    """Small dialogues must not wait for each other (Nagle), and a dead peer must be found out."""
    with contextlib.suppress(OSError):  # not every stream socket is TCP
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE.items():
            if hasattr(socket, option):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
