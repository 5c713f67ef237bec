"""A transport that shows what passes through it to somebody, and otherwise is the one that it wraps.

Nobody may be looking: then it costs one attribute for each chunk. An observer cannot change or hold up anything.
"""

from __future__ import annotations

from typing import Protocol

from drivers.errors import TransportLost
from drivers.transport.base import Receiver, Remarked, Transport


class WireObserver(Protocol):
    """Who looks. None of these waits or raises; octets are cut anywhere."""

    def opened(self, port: str) -> None:
        """A port was opened; what passes from now on belongs to it."""
        ...

    def sent(self, data: bytes) -> None:
        """The system has taken these octets for the modem."""
        ...

    def received(self, data: bytes) -> None:
        """These octets came from the modem."""
        ...

    def ended(self, reason: str) -> None:
        """The port is closed, or gone."""
        ...


class TracedTransport:
    """`inner`, under the eyes of `observer`."""

    def __init__(self, inner: Transport, observer: WireObserver) -> None:
        self._inner = inner
        self._observer = observer
        self._receiver: Receiver | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def remark(self) -> str | None:
        """What the transport under it has to say of its port."""
        return self._inner.remark if isinstance(self._inner, Remarked) else None

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._observer.opened(self._inner.name)
        try:
            await self._inner.open(self)
        except BaseException:
            self._end("could not be opened")
            raise

    async def write(self, data: bytes) -> None:
        # Told before it is written: the answer may come before the writer goes on.
        self._observer.sent(data)
        await self._inner.write(data)

    async def close(self) -> None:
        self._end("closed")
        await self._inner.close()

    def data_received(self, data: bytes) -> None:
        self._observer.received(data)
        if self._receiver is not None:
            self._receiver.data_received(data)

    def transport_lost(self, error: TransportLost) -> None:
        receiver = self._receiver
        self._end("gone")
        if receiver is not None:
            receiver.transport_lost(error)

    def _end(self, reason: str) -> None:
        if self._receiver is not None:
            self._receiver = None
            self._observer.ended(reason)
