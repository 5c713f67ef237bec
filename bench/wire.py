"""A bare AT talker: what a wire and its modem allow to a program that neither queues nor stores nor thinks.

One thread and a selector over the pseudo-terminals; each modem is always given its next submit at once.
"""

from __future__ import annotations

import os
import selectors
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path

from drivers.tpdu import Address, build_submits, segment

TEXT = "Your appointment is tomorrow at 10:30. Please bring your card and come a bit early."
_SUBMIT = build_submits(segment(TEXT), Address.from_text("+33612345678"), reference=0, validity=None)[0].to_bytes()
_COMMAND = f"AT+CMGS={len(_SUBMIT)}\r".encode()
_PAYLOAD = b"00" + _SUBMIT.hex().upper().encode() + b"\x1a"
_SET_UP = (b"ATE0\r", b"AT+CMGF=0\r")
_PATIENCE_S = 30.0


class _Line:
    """One modem's pseudo-terminal."""

    def __init__(self, port: Path) -> None:
        self.descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.descriptor)
        self.read = b""
        self.done = 0

    def write(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def ask(self, command: bytes) -> None:
        """Run a command whose answer is only waited for."""
        self.write(command)
        deadline = time.monotonic() + _PATIENCE_S
        while b"OK\r\n" not in self.read:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer to {command!r}")
            time.sleep(0.001)
            self.take()
        self.read = b""

    def take(self) -> None:
        """Append what there is to read."""
        try:
            self.read += os.read(self.descriptor, 65536)
        except BlockingIOError:
            return

    def step(self) -> bool:
        """Answer the prompt, or begin the next submit; True when one was finished."""
        if self.read.endswith(b"> "):
            self.read = b""
            self.write(_PAYLOAD)
        elif b"OK\r\n" in self.read:
            self.read = b""
            self.done += 1
            self.write(_COMMAND)
            return True
        return False


def submits(ports: Sequence[Path], count: int, seconds: float = _PATIENCE_S) -> tuple[int, float]:
    """Submit until `count` in all or the time is over; how many were answered, and in how many seconds."""
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port) for port in ports]
        try:
            for line in lines:
                for command in _SET_UP:
                    line.ask(command)
                selector.register(line.descriptor, selectors.EVENT_READ, line)
            return _talk(selector, lines, count, seconds)
        finally:
            for line in lines:
                _leave(line)


def _talk(selector: selectors.BaseSelector, lines: Sequence[_Line], count: int, seconds: float) -> tuple[int, float]:
    began = time.perf_counter()
    for line in lines:
        line.write(_COMMAND)
    done = 0
    while done < count and time.perf_counter() - began < seconds:
        for key, _ in selector.select(0.5):
            key.data.take()
            done += key.data.step()
    return done, time.perf_counter() - began


def _leave(line: _Line) -> None:
    """Take back a prompt, so that whoever comes next finds the modem in order."""
    time.sleep(0.01)
    line.write(b"\x1b\r")
    time.sleep(0.01)
    line.take()
    os.close(line.descriptor)


def receive(port: Path, count: int, begin: Callable[[], None]) -> float:
    """Take `count` messages that the modem stores and tells of: read and delete each; seconds from `begin()` on."""
    line = _Line(port)
    try:
        for command in (*_SET_UP, b"AT+CSMS=1\r", b'AT+CPMS="SM","SM","SM"\r', b"AT+CNMI=2,1,0,1\r"):
            line.ask(command)
        begin()
        return _receive(line, count)
    finally:
        os.close(line.descriptor)


def _receive(line: _Line, count: int) -> float:
    began = time.perf_counter()
    told: list[bytes] = []
    todo: list[bytes] = []
    running = b""
    freed = 0
    with selectors.DefaultSelector() as selector:
        selector.register(line.descriptor, selectors.EVENT_READ)
        while freed < count:
            if not selector.select(_PATIENCE_S):
                raise TimeoutError("the modem went silent")
            line.take()
            *whole, line.read = line.read.split(b"\r\n")
            told += [part.partition(b",")[2] for part in whole if part.startswith(b"+CMTI")]
            if b"OK" in whole:
                freed += running.startswith(b"AT+CMGD")
                running = b""
            if not running and (todo or told):
                todo = todo or [b"AT+CMGR=%s\r" % told[0], b"AT+CMGD=%s\r" % told.pop(0)]
                running = todo.pop(0)
                line.write(running)
    return time.perf_counter() - began
