"""A line on which the modem speaks out of turn: whole unsolicited lines between any two octets of what it says."""

from __future__ import annotations

import asyncio
import re

from drivers.errors import TransportLost
from drivers.transport.base import Receiver, Transport

_LINE_END = re.compile(rb"[\r\n]")


class Injecting:
    """`inner`, into whose octets from the modem `arm` puts others.

    Counting begins when the driver writes what `arm` was told, or with the next octet.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._receiver: Receiver | None = None
        self._trigger: bytes | None = None
        self._counting = False
        self._position: int | None = None
        self._news = b""
        self.output = bytearray()
        """What the modem has said since counting began, without what was put in."""
        self.injected = False
        self._last = 0.0

    @property
    def silent_for(self) -> float:
        """For how long nothing has passed, in seconds."""
        return asyncio.get_running_loop().time() - self._last

    @property
    def name(self) -> str:
        return self._inner.name

    def arm(self, position: int, news: bytes, trigger: bytes = b"") -> None:
        """Put `news` before the octet `position` of what the modem says, once the driver has written `trigger`."""
        self._position, self._news, self._trigger = position, news, trigger
        self._counting, self.injected = not trigger, False
        self.output.clear()

    def disarm(self) -> None:
        """Put nothing in any more."""
        self._position, self._counting = None, False

    def say(self, news: bytes) -> None:
        """Speak now."""
        if self._receiver is not None:
            self._receiver.data_received(news)

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        await self._inner.open(self)

    async def write(self, data: bytes) -> None:
        if self._trigger and self._trigger in data and not self._counting:
            self._counting = True
        self._last = asyncio.get_running_loop().time()
        await self._inner.write(data)

    async def close(self) -> None:
        self._receiver = None
        await self._inner.close()

    def data_received(self, data: bytes) -> None:
        self._last = asyncio.get_running_loop().time()
        cut = None
        if self._counting:
            before = len(self.output)
            self.output += data
            if not self.injected and self._position is not None and before <= self._position <= len(self.output):
                cut = self._position - before
                self.injected = True
        pieces = (data,) if cut is None else (data[:cut], self._news, data[cut:])
        for piece in pieces:
            if piece and self._receiver is not None:
                self._receiver.data_received(piece)

    def transport_lost(self, error: TransportLost) -> None:
        if self._receiver is not None:
            self._receiver.transport_lost(error)


def is_inside_a_line(output: bytes, position: int) -> bool:
    """Whether news at `position` cuts a line in two, which no modem in its senses does."""
    before = _LINE_END.split(output[:position])[-1].strip(b" \x00")
    after = _LINE_END.split(output[position:])[0].strip(b" \x00")
    return bool(before and after) and before != b">"


def framed(*lines: str) -> bytes:
    """Unsolicited lines as V.250, 5.7.1 frames them: each begins and ends with CR LF."""
    return b"".join(b"\r\n" + line.encode("ascii") + b"\r\n" for line in lines)
