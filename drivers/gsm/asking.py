"""A short talk with whatever is behind a port: does it answer AT, who is it. Nothing is set and nothing is sent.

ESC comes first: what is left in a prompt is dropped, never ended. What was heard and belongs to no question is kept, so
that whoever takes the port over loses no unsolicited line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from drivers.at.connection import CR, ESC
from drivers.errors import TransportLost
from drivers.transport.base import Receiver, Transport

ANSWER_SECONDS = 0.5
IDENTITY_SECONDS = 2.0

#: A port that streams (positions, diagnostics) is no AT port; so much is more than a talk has.
_MOST_OCTETS = 32 * 1024
# ATQ0V1 wakes a modem that was told to answer in digits or not at all (V.250, 6.2.5 and 6.2.6).
_ATTENTION = ("AT", "ATQ0V1")
_IDENTITY = ("AT+CGSN", "AT+GSN")
# Not a piece of a PDU, whose octets may be digits for as long.
_IMEI = re.compile(r"(?<![0-9A-Fa-f])\d{14,17}(?![0-9A-Fa-f])")
_FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR: ?.*|COMMAND NOT SUPPORT|NO CARRIER", re.IGNORECASE)


class Talk:
    """The receiver of a port for as long as it is asked, and a pipe to another one afterwards."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._heard = bytearray()
        self._kept: list[bytes] = []
        self._arrived = asyncio.Event()
        self._receiver: Receiver | None = None
        self._lost: TransportLost | None = None

    # --- the transport's receiver

    def data_received(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.data_received(data)
        elif len(self._heard) < _MOST_OCTETS:
            self._heard += data
            self._arrived.set()

    def transport_lost(self, error: TransportLost) -> None:
        self._lost = error
        self._arrived.set()
        if self._receiver is not None:
            self._receiver.transport_lost(error)

    # --- questions

    async def answers(self) -> bool:
        """Whether an AT interpreter is there. Raises `TransportLost` when the port goes meanwhile."""
        await self._transport.write(ESC + CR)
        for command in _ATTENTION:
            lines = await self.ask(command, ANSWER_SECONDS)
            if lines is not None and lines[-1].upper() == "OK":
                return True
        return False

    async def imei(self) -> str | None:
        """The IMEI that it tells, 14 to 17 digits."""
        for command in _IDENTITY:
            lines = await self.ask(command, IDENTITY_SECONDS, wanted=_IMEI.search, kept=_is_other)
            for line in lines or ():
                if found := _IMEI.search(line):
                    return found.group()
        return None

    async def ask(
        self,
        command: str,
        seconds: float,
        *,
        wanted: Callable[[str], object] | None = None,
        kept: Callable[[str], object] = lambda _line: True,
    ) -> list[str] | None:
        """The lines of the answer to a question, its final result last; None when none came in time.

        With `wanted`, an OK before any such line is taken for that of an earlier command. Lines for which `kept` holds
        are told again to whoever takes the port over.
        """
        await self._transport.write(command.encode("ascii") + CR)
        lines: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                while not _ends(lines, wanted):
                    line = await self._line()
                    if line.upper() != command.upper():
                        lines.append(line)
        except TimeoutError:
            self._keep(lines, kept)
            return None
        self._keep(lines[:-1], kept)
        return lines

    def _keep(self, lines: list[str], kept: Callable[[str], object]) -> None:
        self._kept += [line.encode("latin-1") for line in lines if kept(line)]

    async def _line(self) -> str:
        """The next line that is not empty."""
        while True:
            line = self._cut()
            if line is not None:
                return line
            if self._lost is not None:
                raise self._lost
            self._arrived.clear()
            await self._arrived.wait()

    def _cut(self) -> str | None:
        while (end := _line_end(self._heard)) is not None:
            line = bytes(self._heard[:end]).decode("latin-1").strip("\x00\x1b> ")
            del self._heard[: end + 1]
            if line:
                return line
        return None

    # --- the hand-over

    def hand_over(self, receiver: Receiver) -> None:
        """Everything goes to `receiver` from now on, what was heard and answered no question first."""
        self._receiver = receiver
        rest = b"".join(b"\r\n" + line + b"\r\n" for line in self._kept) + bytes(self._heard)
        self._kept.clear()
        self._heard.clear()
        if rest:
            receiver.data_received(rest)
        if self._lost is not None:
            receiver.transport_lost(self._lost)


def _ends(lines: list[str], wanted: Callable[[str], object] | None) -> bool:
    if not lines or not _FINAL.fullmatch(lines[-1]):
        return False
    return wanted is None or lines[-1].upper() != "OK" or any(map(wanted, lines))


def _is_other(line: str) -> bool:
    return _IMEI.search(line) is None


def _line_end(octets: bytearray) -> int | None:
    ends = [at for at in (octets.find(b"\r"), octets.find(b"\n")) if at >= 0]
    return min(ends) if ends else None
