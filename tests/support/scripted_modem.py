"""A modem as a script of lines: octets in, octets out, by TS 27.005 and 27.007 alone and with odd habits on request.

It shares no code with the product. A test says what each command line is answered with; everything unknown is ERROR, so
a test shows what a driver can do without.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.transport.base import Receiver, Transport
from drivers.transport.loopback import loopback_pair

Answer = str | None | Callable[[str], "str | None"]

# The least that a modem can do and still send: everything else is ERROR.
BARE: dict[str, Answer] = {"AT": "OK", "ATE0": "OK", "AT+CMGF=0": "OK", "AT+CMGF?": "+CMGF: 0\nOK"}
PLAIN: dict[str, Answer] = {
    **BARE,
    "AT+CMEE=1": "OK",
    "AT+CPIN?": "+CPIN: READY\nOK",
    "AT+CREG?": "+CREG: 0,1\nOK",
    "AT+CNMI=2,1,2,1,0": "OK",
    "AT+CGSN": "356938035643809\nOK",
}


@dataclass
class ScriptedModem:
    """`answers` by command line; an answer's lines are cut at line feeds; None is silence.

    `on_submit` is called with each PDU and answers as it likes; `payload_breaker` is called once, when the first octet
    of a PDU has come. Slots are messages as ``{index: (stat, pdu)}``. Of a line of several deletions `obeyed` are done
    before it says OK: None stands for all, 0 for a modem that refuses such a line.
    """

    answers: dict[str, Answer] = field(default_factory=lambda: dict(PLAIN))
    on_submit: Callable[[str], str | None] = lambda _: "+CMGS: 7\nOK"
    prompt: bytes | None = b"\r\n> "
    end: bytes = b"\r\n"
    start: bytes = b"\r\n"
    echo: bool = False
    stubborn_echo: bool = False
    memories: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    selected: str = ""
    listing: bool = True
    obeyed: int | None = None
    empty_is_ok: bool = False
    payload_breaker: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        self.commands: list[str] = []
        self.submitted: list[str] = []
        self.received = bytearray()
        self.write: Callable[[bytes], object] = lambda _: None
        self._pending = bytearray()
        self._prompting = False
        self.selected = self.selected or next(iter(self.memories), "")

    # --- octets in

    def feed(self, data: bytes) -> None:
        self.received += data
        for octet in data:
            self._take(bytes([octet]))

    def _take(self, octet: bytes) -> None:
        if self._prompting:
            self._take_payload(octet)
            return
        if self.echo or self.stubborn_echo:
            self.write(octet)
        if octet == b"\r":
            line, self._pending = bytes(self._pending), bytearray()
            self._run(line.decode("latin-1").strip("\n "))
        else:
            self._pending += octet

    def _take_payload(self, octet: bytes) -> None:
        if octet == b"\x1b":
            self._prompting, self._pending = False, bytearray()
            self.say("OK")
        elif octet == b"\x1a":
            pdu, self._pending, self._prompting = bytes(self._pending).decode("latin-1").strip(), bytearray(), False
            self.submitted.append(pdu)
            self.say(self.on_submit(pdu))
        else:
            self._pending += octet
            if self.payload_breaker is not None:
                breaker, self.payload_breaker = self.payload_breaker, None
                breaker()

    def _run(self, line: str) -> None:
        if not line:
            return
        self.commands.append(line)
        if line.upper() == "ATE0":
            self.echo = False
        if line.startswith("AT+CMGS=") and line not in self.answers:
            self._prompting = self.prompt is not None
            self.write(self.prompt or b"")
            return
        answer = self.answers[line] if line in self.answers else self._stored(line)
        self.say(answer(line) if callable(answer) else answer)

    # --- octets out

    def say(self, answer: str | None) -> None:
        """Lines, each in its frame; an empty one is left out."""
        if answer is not None:
            self.write(b"".join(self.start + line.encode("latin-1") + self.end for line in answer.split("\n") if line))

    # --- messages in memories

    def _stored(self, line: str) -> str | None:
        if not self.memories:
            return "ERROR"
        if line == "AT+CPMS=?":
            names = "(" + ",".join(f'"{name}"' for name in self.memories) + ")"
            return f"+CPMS: {names},{names},{names}\nOK"
        if line == "AT+CPMS?":
            return "+CPMS: " + ",".join(f'"{self.selected}",{len(self.slots)},20' for _ in range(3)) + "\nOK"
        if found := re.fullmatch(r'AT\+CPMS="(\w+)".*', line):
            return self._select(found.group(1))
        if line in {"AT+CMGL=0", "AT+CMGL=4"}:
            return self._list(unread=line.endswith("0")) if self.listing else "+CMS ERROR: 303"
        if line.startswith("AT+CMGD=") and ";" in line:
            return self._delete_several([int(command.partition("=")[2]) for command in line.split(";")])
        if found := re.fullmatch(r"AT\+CM(GR|GD)=(\d+)", line):
            return self._read(int(found.group(2))) if found.group(1) == "GR" else self._delete(int(found.group(2)))
        return "ERROR"

    @property
    def slots(self) -> dict[int, tuple[int, str]]:
        return self.memories[self.selected]

    def _select(self, name: str) -> str:
        if name not in self.memories:
            return "+CMS ERROR: 302"
        self.selected = name
        return f"+CPMS: {len(self.slots)},20,{len(self.slots)},20,{len(self.slots)},20\nOK"

    def _list(self, *, unread: bool) -> str:
        shown = {index: (stat, pdu) for index, (stat, pdu) in self.slots.items() if not (unread and stat)}
        entries = [f"+CMGL: {index},{stat},,{_length(pdu)}\n{pdu}" for index, (stat, pdu) in shown.items()]
        return "\n".join([*entries, "OK"])

    def _delete_several(self, indices: list[int]) -> str:
        if self.obeyed == 0:
            return "ERROR"
        answers = (self._delete(index) for index in indices[: self.obeyed])
        return next((answer for answer in answers if answer != "OK"), "OK")

    def _read(self, index: int) -> str:
        if index not in self.slots:
            return "OK" if self.empty_is_ok else "+CMS ERROR: 321"
        stat, pdu = self.slots[index]
        return f"+CMGR: {stat},,{_length(pdu)}\n{pdu}\nOK"

    def _delete(self, index: int) -> str:
        return "+CMS ERROR: 321" if self.slots.pop(index, None) is None else "OK"


def _length(pdu: str) -> int:
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


class ScriptedLine:
    """A transport to a scripted modem: the driver's end of a loopback whose far end is the script."""

    name = "scripted:"

    def __init__(self, modem: ScriptedModem) -> None:
        self._modem = modem
        self._near: Transport
        self._far: Transport
        self._near, self._far = loopback_pair(self.name)
        self.open_now = False

    async def open(self, receiver: Receiver) -> None:
        await self._far.open(self)
        self._modem.write = self._far_write
        await self._near.open(receiver)
        self.open_now = True

    async def write(self, data: bytes) -> None:
        await self._near.write(data)
        # As on a slow line, the modem has seen the octets, and may have answered, before the writer goes on.
        for _ in range(4):
            await asyncio.sleep(0)

    async def close(self) -> None:
        self.open_now = False
        await self._near.close()
        await self._far.close()

    async def unplug(self) -> None:
        await self._far.close()

    def data_received(self, data: bytes) -> None:
        self._modem.feed(data)

    def transport_lost(self, error: Exception) -> None:
        self.open_now = False

    def _far_write(self, data: bytes) -> None:
        self._near.accept(data)  # type: ignore[attr-defined]
