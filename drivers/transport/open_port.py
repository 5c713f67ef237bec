"""One opening of a port, used by one dialogue after another: a modem is begun anew without closing its port.

Closing a port is no harmless thing: a stick may be reset by it, another program may take it, and while it is closed its
loss is not noticed. So a dialogue that ends only lets go, and its successor finds the port as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import TransportError, TransportLost
from drivers.transport.base import Receiver, Remarked, Transport


class OpenPort:
    """A transport to each dialogue. `make` gives the real, unopened one, at the first opening."""

    def __init__(self, name: str, make: Callable[[], Transport]) -> None:
        self._name = name
        self._make = make
        self._transport: Transport | None = None
        self._receiver: Receiver | None = None
        self._lost: TransportLost | None = None
        self._opened = False
        self._writing = 0

    @property
    def name(self) -> str:
        return self._name if self._transport is None else self._transport.name

    @property
    def remark(self) -> str | None:
        """What explains a modem that is silent, if the transport knows."""
        return self._transport.remark if isinstance(self._transport, Remarked) else None

    @property
    def reusable(self) -> bool:
        """Whether another dialogue can begin on it: it was opened, is not lost, and takes what is written."""
        return self._opened and self._lost is None and not self._writing

    async def open(self, receiver: Receiver) -> None:
        if self._lost is not None:
            raise self._lost
        if self._receiver is not None:
            raise TransportError(f"{self.name} is open already")
        self._receiver = receiver
        if self._transport is None:
            self._transport = self._make()
            await self._transport.open(self)
            self._opened = True

    async def write(self, data: bytes) -> None:
        if self._transport is None:
            raise TransportLost(f"{self.name} is closed")
        self._writing += 1
        try:
            await self._transport.write(data)
        finally:
            self._writing -= 1

    async def close(self) -> None:
        """Let go of it; the port stays open."""
        self._receiver = None

    async def release(self) -> None:
        """Close the port."""
        self._receiver = None
        self._opened = False
        if self._transport is not None:
            await self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Octets for whoever uses it; between two dialogues nobody hears them."""
        if self._receiver is not None:
            self._receiver.data_received(data)

    def transport_lost(self, error: TransportLost) -> None:
        """The port is gone, also for those who come later."""
        self._lost = error
        if self._receiver is not None:
            self._receiver.transport_lost(error)
