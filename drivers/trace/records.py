r"""A trace as text: one record a line, ``SECONDS DIRECTION TEXT``.

`SECONDS` count from the beginning of the trace and may be left out in a transcript that knows no times. `DIRECTION` is
``>`` (to the modem), ``<`` (from it) or ``!`` (the line is lost); TEXT is what passed, with ``<CR>``, ``<LF>``,
``<SUB>`` (Ctrl-Z), ``<ESC>`` and otherwise ``<XX>`` in hexadecimal for what is not printable ASCII, and for ``<``
itself. A line that begins with ``#`` is a note, one with ``=`` begins a section: an opening of the port.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_NAMED = {0x0D: "<CR>", 0x0A: "<LF>", 0x1A: "<SUB>", 0x1B: "<ESC>"}
_OCTETS = {name: octet for octet, name in _NAMED.items()}
_ESCAPED = re.compile(r"<(?:CR|LF|SUB|ESC|[0-9A-F]{2})>")
_RECORD = re.compile(r"(?:\s*(\d+(?:\.\d+)?)\s+)?([<>!=#])(?: (.*))?", re.DOTALL)
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E


class Direction(StrEnum):
    """What a record is about."""

    SENT = ">"
    RECEIVED = "<"
    LOST = "!"
    SECTION = "="
    NOTE = "#"


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One line of a trace. `seconds` is None where the transcript has no times."""

    direction: Direction
    text: str
    seconds: float | None = None

    @property
    def octets(self) -> bytes:
        """What passed."""
        return unescape(self.text)

    def to_line(self) -> str:
        """The line, without its end."""
        time = "" if self.seconds is None else f"{self.seconds:.6f} "
        return f"{time}{self.direction} {self.text}" if self.text else f"{time}{self.direction}"


def escape(data: bytes) -> str:
    """Octets as printable ASCII, one way for each."""
    return "".join(map(_character, data))


def _character(octet: int) -> str:
    if octet in _NAMED:
        return _NAMED[octet]
    if _FIRST_PRINTABLE <= octet <= _LAST_PRINTABLE and octet != ord("<"):
        return chr(octet)
    return f"<{octet:02X}>"


def unescape(text: str) -> bytes:
    """The octets of `text`; what is no escape stands for itself."""
    out = bytearray()
    at = 0
    for found in _ESCAPED.finditer(text):
        out += text[at : found.start()].encode("latin-1", "replace")
        name = found.group()
        out.append(_OCTETS[name] if name in _OCTETS else int(name[1:-1], 16))
        at = found.end()
    return bytes(out + text[at:].encode("latin-1", "replace"))


def parse_record(line: str) -> TraceRecord | None:
    """The record of one line; None for an empty one. Raises ValueError for what is none."""
    line = line.rstrip("\n")
    if not line.strip():
        return None
    found = _RECORD.fullmatch(line)
    if found is None:
        raise ValueError(f"not a record of a trace: {line[:40]!r}")
    seconds, direction, text = found.groups()
    return TraceRecord(Direction(direction), text or "", None if seconds is None else float(seconds))


def parse_trace(text: str) -> list[TraceRecord]:
    """Every record of a trace, the notes too."""
    return [record for line in text.split("\n") if (record := parse_record(line)) is not None]
