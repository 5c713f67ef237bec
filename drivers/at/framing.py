"""Octets to lines, for the terminal's side: whatever the modem's habits with CR, LF, blanks and the prompt.

It knows where a line ends and nothing of what a line says. What it keeps is bounded, whatever comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

# The longest line of sense is a PDU in hexadecimal (some 360 characters) or a list of alternatives; a modem that sends
# more than this without a line end sends noise (wrong baud rate, binary data).
MAX_LINE = 8192

# CR and LF end a line, in any number and order (V.250, S3 and S4). Ctrl-Z and ESC come back as the echo of our own
# payload, and end a line as well.
_LINE_END = re.compile(rb"[\r\n\x1a\x1b]")

PROMPT_CHARACTER = ord(">")
_BLANKS = b" \t"


class Mark(Enum):
    """What is not a line: the prompt, which has no line end (TS 27.005, 3.5.1), and a shortage of octets."""

    PROMPT = auto()
    NEED_DATA = auto()


@dataclass(frozen=True, slots=True)
class Noise:
    """So many octets were dropped because no line end came."""

    octets: int


class LineFramer:
    """Feed octets, take lines. NULs are dropped; other octets beyond ASCII come through as Latin-1, never as errors."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._buffer = bytearray()
        self._scanned = 0
        self._discarding = False

    @property
    def pending(self) -> int:
        """Octets kept that do not make a line yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Keep octets, cut anywhere."""
        self._buffer += data.replace(b"\x00", b"")

    def next(self) -> str | Mark | Noise:
        """The next line without its end, never empty; or the prompt, some noise, or the wish for more octets."""
        while True:
            if self._scanned == 0 and not self._discarding and self._at_prompt():
                return Mark.PROMPT
            end = _LINE_END.search(self._buffer, self._scanned)
            if end is None:
                return self._incomplete()
            line = self._take(end.end())
            if line:
                return line

    def _at_prompt(self) -> bool:
        """Whether a line begins with the prompt; it is taken out. The blank that may follow goes with the next line."""
        buffer = self._buffer
        start = 0
        while start < len(buffer) and (buffer[start] in _BLANKS or buffer[start] in b"\r\n"):
            start += 1
        del buffer[:start]
        if not buffer or buffer[0] != PROMPT_CHARACTER:
            return False
        del buffer[0]
        return True

    def _take(self, end: int) -> str:
        raw = bytes(self._buffer[: end - 1])
        del self._buffer[:end]
        self._scanned = 0
        if self._discarding:  # the tail of what was noise
            self._discarding = False
            return ""
        return raw.decode("latin-1").strip()

    def _incomplete(self) -> Mark | Noise:
        self._scanned = len(self._buffer)
        if self._scanned <= self._max_line:
            return Mark.NEED_DATA
        noise = Noise(self._scanned)
        self._buffer.clear()
        self._scanned = 0
        self._discarding = True
        return noise
