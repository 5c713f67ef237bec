"""Bytes over a file descriptor that the event loop watches: what a serial device, a pseudo-terminal and a socket share.

No thread and no polling: the loop says when octets can be read or written.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod

from drivers.errors import TransportError, TransportLost
from drivers.transport.base import Receiver

READ_SIZE = 64 * 1024


class DescriptorTransport(ABC):
    """A transport whose two ends are one descriptor. Subclasses say how it is opened and let go."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._descriptor = -1
        self._receiver: Receiver | None = None
        self._writable: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        return self._name

    @abstractmethod
    async def _connect(self) -> int:
        """Open and return the descriptor, non-blocking; raise `TransportError` with the reason."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Close what `_connect` opened."""

    async def open(self, receiver: Receiver) -> None:
        if self._descriptor >= 0:
            raise TransportError(f"{self._name} is open already")
        self._descriptor = await self._connect()
        self._receiver = receiver
        asyncio.get_running_loop().add_reader(self._descriptor, self._readable)

    async def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if self._descriptor < 0:
                raise TransportLost(f"{self._name} is closed")
            try:
                written = os.write(self._descriptor, rest)
            except (BlockingIOError, InterruptedError):
                await self._wait_writable()
                continue
            except OSError as error:
                raise self._lose(error) from error
            rest = rest[written:]

    async def close(self) -> None:
        self._receiver = None
        self._release()

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            # EIO is how a tty says that the device, or the master of a pseudo-terminal, is gone.
            self._lose(error)
            return
        if not data:
            self._lose(None)
        elif self._receiver is not None:
            self._receiver.data_received(data)

    def _lose(self, error: OSError | None) -> TransportLost:
        reason = error.strerror if error is not None and error.strerror else "end of stream"
        lost = TransportLost(f"{self._name} is gone ({reason})")
        receiver, self._receiver = self._receiver, None
        self._release()
        if receiver is not None:
            receiver.transport_lost(lost)
        return lost

    def _release(self) -> None:
        if self._descriptor < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._descriptor)
        loop.remove_writer(self._descriptor)
        self._descriptor = -1
        self._disconnect()
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    async def _wait_writable(self) -> None:
        loop = asyncio.get_running_loop()
        descriptor, self._writable = self._descriptor, loop.create_future()
        loop.add_writer(descriptor, _resolve, self._writable)
        try:
            await self._writable
        finally:
            if self._descriptor == descriptor:
                loop.remove_writer(descriptor)
            self._writable = None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
