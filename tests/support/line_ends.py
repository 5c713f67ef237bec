"""The far ends of lines, for tests of transports: they keep what they receive and can be told apart from our code."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from pathlib import Path

from drivers.errors import TransportLost


class Keeper:
    """A receiver that keeps everything."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: list[TransportLost] = []

    def data_received(self, data: bytes) -> None:
        self.data += data

    def transport_lost(self, error: TransportLost) -> None:
        self.lost.append(error)


class PtyMaster:
    """The master of a pseudo-terminal: what a device is to a serial port."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def read(self, size: int = 65536) -> bytes:
        try:
            return os.read(self.master, size)
        except OSError:  # nothing there, or nobody
            return b""

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


class Listener:
    """A TCP listener that keeps what its one client sends."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.connected = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connected.set()
        while data := await reader.read(4096):
            self.data += data

    def write(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.close()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()


def plain_file(folder: Path) -> Path:
    path = folder / "no-tty"
    path.write_text("not a device")
    return path
