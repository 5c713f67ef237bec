"""The two lines that recorded dialogues are played on: what they are for is said in `support.replay`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from support.injecting import framed

from drivers.trace.records import Direction, TraceRecord
from drivers.transport.base import Receiver

ANY_ORDER, IN_ORDER = "any order", "in order"
# Commands that prompt for a message, also behind another command of the same line.
PROMPTED = re.compile(r"[T;][+]CMG[SW]=")
_LEAST = {
    "AT": ("OK",),
    "ATE0": ("OK",),
    "AT+CMGF=0": ("OK",),
    "AT+CMGF?": ("+CMGF: 0", "OK"),
    "AT+CPIN?": ("+CPIN: READY", "OK"),
}


class RecordedModem:
    """A transport to a modem that knows what a transcript shows, and of the rest the least that a modem has to.

    What it does not know it answers with ERROR, so that the driver may come to ask more. `asked` is what it was asked.
    """

    name = "recorded:"

    def __init__(self, answers: Mapping[str, bytes], asked: list[str]) -> None:
        self._answers = {text: framed(*lines) for text, lines in _LEAST.items()}
        self._answers |= {text: answer for text, answer in answers.items() if not PROMPTED.search(text)}
        self._receiver: Receiver | None = None
        self._typed = bytearray()
        self._asked = asked
        self._last = 0.0

    @property
    def silent_for(self) -> float:
        """For how long nothing has passed, in seconds."""
        return asyncio.get_running_loop().time() - self._last

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def write(self, data: bytes) -> None:
        self._typed += data.replace(b"\x1b", b"")
        while b"\r" in self._typed:
            line, _, rest = bytes(self._typed).partition(b"\r")
            self._typed[:] = rest
            if command := line.decode("latin-1"):
                self._asked.append(command)
                self.say(self._answers.get(command, framed("ERROR")))

    async def close(self) -> None:
        self._receiver = None

    def say(self, data: bytes) -> None:
        self._last = asyncio.get_running_loop().time()
        if self._receiver is not None:
            asyncio.get_running_loop().call_soon(self._receiver.data_received, data)


class Replaying:
    """A transport that says what the trace says when the driver has written what it wrote then."""

    name = "replay:"

    def __init__(self, records: Sequence[TraceRecord]) -> None:
        self._blocks = _blocks(records)
        self._rest = b""
        self._receiver: Receiver | None = None
        self.problem = ""

    @property
    def due(self) -> bytes:
        """What the driver has to write next; nothing at the end."""
        return self._rest or (self._blocks[0].sent if self._blocks else b"")

    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._hand_over(self._take(0).received if self._blocks and not self._blocks[0].sent else b"")

    async def write(self, data: bytes) -> None:
        while data and not self.problem:
            expected = self.due
            if not self._rest and not expected.startswith(data[: len(expected)]):
                expected = self._reorder(data)
            if not expected or not (expected.startswith(data) or data.startswith(expected)):
                self.problem = f"the driver wrote {data!r}, the trace has {self.due!r}"
                return
            data, self._rest = data[len(expected) :], expected[len(data) :]
            if not self._rest:
                self._hand_over(self._take(0).received)
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._receiver = None

    def _take(self, at: int) -> _Block:
        return self._blocks.pop(at)

    def _reorder(self, data: bytes) -> bytes:
        """Where any order is allowed, bring forward the command that was written."""
        for at, block in enumerate(self._blocks):
            if not block.any_order:
                break
            if block.sent == data:
                self._blocks.insert(0, self._take(at))
                return data
        return b""

    def _hand_over(self, data: bytes) -> None:
        if data and self._receiver is not None:
            asyncio.get_running_loop().call_soon(self._receiver.data_received, data)


@dataclass
class _Block:
    """Octets that the driver wrote, and what the modem said then."""

    sent: bytes
    received: bytes = b""
    any_order: bool = False


def _blocks(records: Sequence[TraceRecord]) -> list[_Block]:
    blocks: list[_Block] = []
    any_order = False
    for record in records:
        if record.direction is Direction.NOTE and record.text in {ANY_ORDER, IN_ORDER}:
            any_order = record.text == ANY_ORDER
        elif record.direction is Direction.SENT:
            blocks.append(_Block(record.octets, any_order=any_order))
        elif record.direction is Direction.RECEIVED:
            if not blocks:
                blocks.append(_Block(b""))
            blocks[-1].received += record.octets
    return blocks
