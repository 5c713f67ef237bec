"""Two ends of a line inside one process: what is written to one is received by the other.

Octets written while the other end is not open are kept for it, as a tty keeps them. Delivery is by the event loop,
never from inside `write`, so that neither side is called back while it is in the middle of something.
"""

from __future__ import annotations

import asyncio

from drivers.errors import TransportError, TransportLost
from drivers.transport.base import Receiver

# What waits for an end that does not read: far more than any dialogue needs, little enough to be harmless.
CAPACITY = 256 * 1024


class LoopbackTransport:
    """One end; made in pairs by `loopback_pair`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._peer: LoopbackTransport | None = None
        self._receiver: Receiver | None = None
        self._waiting = bytearray()
        self._scheduled = False
        self._opened = False
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def closed(self) -> bool:
        """Whether this end was let go, for good."""
        return self._closed

    def join(self, peer: LoopbackTransport) -> None:
        """Make `peer` the other end."""
        self._peer = peer

    def accept(self, data: bytes) -> None:
        """Take octets from the other end; they are handed over in the next turn of the loop."""
        self._waiting += data
        # Like a tty whose reader sleeps: the oldest octets are kept, the rest is lost.
        del self._waiting[CAPACITY:]
        self.schedule()

    def schedule(self) -> None:
        """Look at what waits, and whether the other end is still there, in the next turn of the loop."""
        if self._receiver is not None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._deliver)

    async def open(self, receiver: Receiver) -> None:
        if self._closed or self._opened:
            raise TransportError(f"{self._name} cannot be opened twice")
        self._opened = True
        self._receiver = receiver
        self.schedule()

    async def write(self, data: bytes) -> None:
        peer = self._peer
        if not self._opened or self._closed or peer is None or peer.closed:
            raise TransportLost(f"{self._name} is closed")
        peer.accept(data)
        # One turn of the loop: a writer that never waits would starve its reader.
        await asyncio.sleep(0)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._receiver = None
        self._waiting.clear()
        if self._peer is not None:
            self._peer.schedule()

    def _deliver(self) -> None:
        self._scheduled = False
        receiver = self._receiver
        if receiver is None:
            return
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            receiver.data_received(data)
        if self._peer is not None and self._peer.closed and self._receiver is not None:
            self._receiver = None
            receiver.transport_lost(TransportLost(f"{self._name}: the other end is closed"))


def loopback_pair(name: str = "loopback:") -> tuple[LoopbackTransport, LoopbackTransport]:
    """Two joined ends, not yet open."""
    near, far = LoopbackTransport(name), LoopbackTransport(name)
    near.join(far)
    far.join(near)
    return near, far
