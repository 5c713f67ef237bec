"""What every way to a modem has in common: bytes out, bytes in, and the news that it is gone.

A transport knows nothing of AT commands. It calls its receiver from the event loop's thread, never from another.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from drivers.errors import TransportLost


class Receiver(Protocol):
    """The side that bytes are handed to. Both methods return at once and must not raise."""

    def data_received(self, data: bytes) -> None:
        """Some octets, cut anywhere."""
        ...

    def transport_lost(self, error: TransportLost) -> None:
        """The other side is gone. Called at most once, never after `close`, and nothing follows it."""
        ...


class Transport(Protocol):
    """One end of a line. Opened once, closed once; closing twice, or before opening, is harmless."""

    @property
    def name(self) -> str:
        """The port as the user wrote it, for messages."""
        ...

    async def open(self, receiver: Receiver) -> None:
        """Connect and begin to hand octets to `receiver`; raises `TransportError` saying why it cannot."""
        ...

    async def write(self, data: bytes) -> None:
        """Write all of `data` and return when the system has taken the last octet.

        Raises `TransportLost` when the line is gone; some of the octets may then have been written.
        """
        ...

    async def close(self) -> None:
        """Let the line go. `receiver` hears nothing more, not even of the loss."""
        ...


@runtime_checkable
class Remarked(Protocol):
    """A transport that knows more of its port than that it is open."""

    @property
    def remark(self) -> str | None:
        """What explains a modem that is silent, for a person."""
        ...
