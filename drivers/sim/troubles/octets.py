"""Troubles of the line itself: silence, unsolicited lines, echo, line ends, noise, and how fast octets come."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from drivers.sim.troubles.base import Lasting
from drivers.sim.troubles.options import (
    DURATION,
    FLAG,
    LINES,
    SIZE,
    between,
    count,
    either,
    one_of,
    option,
)

# Commands after which equipment begins anew, by 27.007, 8.2 and by the manuals of Huawei, Telit and Sierra.
_RESETS = re.compile(rb"\+CFUN=(1,1|1,0|16)\r|\^RESET\r|#REBOOT\r|!RESET\r", re.IGNORECASE)
LINE = 64


@dataclass(kw_only=True, eq=False)
class SilentLine(Lasting):
    """nothing is answered at all"""

    name = "silence"

    deaf: bool = option(FLAG, True, "no: commands are carried out all the same", draw=either(True, False))
    until: str = option(
        one_of("time", "reopen", "reset"), "time", "ends early when a TCP or in-process port is opened, or on a reset"
    )
    _line: bytearray = field(default_factory=bytearray, init=False, repr=False)

    def heard(self, octet: int) -> bool:
        if self.until == "reset":
            self._line.append(octet)
            if _RESETS.search(self._line):
                self.host.end(self)
                self.modem.restart()
                return False
            del self._line[:-LINE]
        return not self.deaf

    def attached(self) -> None:
        if self.until == "reopen":
            self.host.end(self)

    def say(self, data: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        return b""


# Lines that equipment tells by itself and that ask for nothing; RING would.
USUAL_LINES = ("^RSSI:18", '^HCSQ:"WCDMA",30,30,50', "^BOOT:20952548,0,0,0,75", "+CREG: 1", "^DSFLOWRPT:0,0,0,0,0,0,0")
_BLOCKS = re.compile(rb"(?<=\r\n)(?=\r\n)")
_LINES = re.compile(rb"(?<=\n)(?=.)", re.DOTALL)
_OCTETS = re.compile(rb"(?<=.)(?=.)", re.DOTALL)
_GAPS = {"blocks": _BLOCKS, "lines": _LINES, "octets": _OCTETS}


@dataclass(kw_only=True, eq=False)
class UrcStorm(Lasting):
    """unsolicited lines wherever they fit between answers, and between the octets that are typed"""

    name = "urc-storm"

    lines: int = option(count(range(1, 1000)), 1, "how many at each place", draw=either(1, 2, 5))
    between: str = option(
        one_of(*_GAPS), "blocks", "blocks of answers, as V.250 has it; their lines; or tearing lines apart, octets",
        draw=either("blocks"),
    )  # fmt: skip
    typing: bool = option(FLAG, True, "also between every two octets of the terminal", draw=either(True, False))
    urc: tuple[str, ...] = option(LINES, USUAL_LINES, "the lines that come by turns")

    def begin(self) -> None:
        self._turns = cycle(self.urc)

    def heard(self, octet: int) -> bool:  # noqa: ARG002 - before any octet
        if self.typing:
            self.modem.emit(self._gust())
        return True

    def say(self, data: bytes) -> bytes:
        pieces = _GAPS[self.between].split(data)
        torn = b"".join(self._gust() + piece for piece in pieces)
        return torn + self._gust() if data.endswith(b"\r\n") else torn

    def _gust(self) -> bytes:
        return b"".join(f"\r\n{next(self._turns)}\r\n".encode() for _ in range(self.lines))


@dataclass(kw_only=True, eq=False)
class StubbornEcho(Lasting):
    """echo is on, or off, whatever ATE says"""

    name = "echo"

    on: bool = option(FLAG, True, "which of the two", draw=either(True, False))

    def begin(self) -> None:
        self._wanted = self.modem.interface.echo

    def heard(self, octet: int) -> bool:  # noqa: ARG002 - before any octet
        interface = self.modem.interface
        if interface.echo is not self.on:
            # What ATE, or a loss of power, has set it to since.
            self._wanted, interface.echo = interface.echo, self.on
        return True

    def finish(self) -> None:
        if self.modem.interface.echo is self.on:
            self.modem.interface.echo = self._wanted


_END = b"\r\n"
_FINAL = re.compile(rb"\r\n(?:OK|ERROR|\+CM[ES] ERROR: .*)\r\n")


def _repeated(data: bytes) -> bytes:
    return b"".join(piece if _FINAL.fullmatch(piece) else piece * 2 for piece in _BLOCKS.split(data))


STYLES: dict[str, Callable[[bytes], bytes]] = {
    "cr": lambda data: data.replace(_END, b"\r"),
    "lf": lambda data: data.replace(_END, b"\n"),
    "doubled": lambda data: data.replace(_END, _END * 2),
    "bare-prompt": lambda data: data.removesuffix(b" ") if data.endswith(b"> ") else data,
    "nul": lambda data: data.replace(_END, b"\0" + _END + b"\0"),
    "repeated": _repeated,
}


@dataclass(kw_only=True, eq=False)
class LineEnds(Lasting):
    """other habits at the ends of lines: one octet alone, doubled, NULs, a prompt without its space"""

    name = "line-ends"

    style: str = option(
        one_of(*STYLES), "cr", "repeated says what is no final result twice",
        draw=either("cr", "lf", "doubled", "bare-prompt", "nul"),
    )  # fmt: skip

    def say(self, data: bytes) -> bytes:
        return STYLES[self.style](data)


_TICK_S = 0.01
_NOISE = bytes(octet for octet in range(256) if octet not in b"\r\n")
PATTERN = 64 * 1024


@dataclass(kw_only=True, eq=False)
class Noise(Lasting):
    """octets of all kinds without any line end, at no more than the given rate"""

    name = "noise"
    weight = 0.5

    lasting: float = option(DURATION, 0.0, "ends it before its last octet; 0: does not", word="for")
    octets: int = option(SIZE, 64_000, "how many in all", draw=either(100, 10_000, 1_000_000))
    rate: int = option(SIZE, 2_000_000, "how many a second")
    seed: int = option(count(range(1_000_000_000)), 1, "of the octets' lot", draw=between(0, 999_999))

    def begin(self) -> None:
        self._left = self.octets
        self._pattern = bytes(Random(self.seed).choices(_NOISE, k=min(self.octets, PATTERN)))  # noqa: S311 - no secret
        self._timer = self.later(0, self._tick)

    def _tick(self) -> None:
        piece = self._pattern[: min(self._left, max(int(self.rate * _TICK_S), 1))]
        self._left -= len(piece)
        self.modem.emit(piece)
        if self._left:
            self._timer = self.later(_TICK_S, self._tick)
        else:
            self.host.end(self)

    def finish(self) -> None:
        self._timer.cancel()


@dataclass(kw_only=True, eq=False)
class Paced(Lasting, ABC):
    """Octets that leave later than they are said."""

    last = True
    wait: float = option(DURATION, 0.05, "")
    _held: bytearray = field(default_factory=bytearray, init=False, repr=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    def say(self, data: bytes) -> bytes:
        self._held += data
        if self._timer is None:
            self._timer = self.later(self.wait, self._release)
        return b""

    @abstractmethod
    def portion(self) -> int:
        """How many octets leave at a time."""

    def attached(self) -> None:
        self._held.clear()

    def finish(self) -> None:
        if self._timer:
            self._timer.cancel()
        self.modem.emit(bytes(self._held))

    def _release(self) -> None:
        piece = bytes(self._held[: self.portion()])
        del self._held[: len(piece)]
        self._timer = self.later(self.wait, self._release) if self._held else None
        self.modem.emit(piece)


@dataclass(kw_only=True, eq=False)
class SlowLine(Paced):
    """octets come a few at a time"""

    name = "slow"

    wait: float = option(DURATION, 0.05, "between two portions", word="every", draw=either(0.002, 0.01, 0.05))
    octets: int = option(count(range(1, 10_000)), 1, "in a portion", draw=either(1, 2, 7))

    def portion(self) -> int:
        return self.octets


@dataclass(kw_only=True, eq=False)
class Burst(Paced):
    """what is said in a while comes all in one write"""

    name = "burst"

    wait: float = option(DURATION, 0.1, "how long it is gathered", word="gather", draw=either(0.02, 0.1, 0.3))

    def portion(self) -> int:
        return len(self._held)
