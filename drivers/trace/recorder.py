"""From octets in two directions, cut anywhere, to records: a record is a whole line, or the prompt.

A line is shown when its end has come, so that what is to be replaced in it is seen whole. What is left without an end
is filled, not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.at.framing import MAX_LINE
from drivers.trace.placeholders import Placeholders, filled
from drivers.trace.records import Direction, TraceRecord, escape
from drivers.trace.redaction import Redactor

FORMAT = 1

_RECEIVED = re.compile(rb"([\r\n\x00 ]*)([^\r\n\x1a\x1b]*)(\r*\n|\r+(?=[^\r\n])|[\x1a\x1b])")
_SENT = re.compile(rb"([\r\n\x00]*)([^\r\n\x1a\x1b]*)(\r\n?|\n|[\x1a\x1b])")
_PROMPT = re.compile(rb"[\r\n\x00 ]*> ?")
_ENDS_PAYLOAD = (b"\x1a", b"\x1b")


class Recorder:
    """The records of one trace, handed to `write`. `clock` is monotonic; `about` says what is known of the modem."""

    def __init__(
        self,
        write: Callable[[str], None],
        clock: Callable[[], float],
        *,
        title: str,
        about: Callable[[], str],
        redacted: bool = True,
    ) -> None:
        self._write = write
        self._clock = clock
        self._start = clock()
        self._title = title
        self._about = about
        self._told = ""
        self._redacted = redacted
        self._redactor = Redactor(Placeholders(), secrets_only=not redacted)
        self._from_modem = bytearray()
        self._to_modem = bytearray()

    # --- an observer of the wire

    def opened(self, port: str) -> None:
        """A section begins."""
        self._drop_rest()
        kind = "redacted" if self._redacted else "unredacted but for PINs"
        self._record(Direction.SECTION, f"trace {FORMAT}, {kind}, {self._title}, port {port}")
        self._told = ""
        self._tell_about()

    def sent(self, data: bytes) -> None:
        """Octets to the modem."""
        self._flush_received()
        self._to_modem += data
        self._cut(self._to_modem, _SENT, Direction.SENT)

    def received(self, data: bytes) -> None:
        """Octets from the modem."""
        self._tell_about()
        self._from_modem += data
        self._cut(self._from_modem, _RECEIVED, Direction.RECEIVED)
        prompt = _PROMPT.fullmatch(bytes(self._from_modem))
        if prompt is not None:
            self._redactor.received(">")
            self._record(Direction.RECEIVED, escape(prompt.group()))
            self._from_modem.clear()

    def ended(self, reason: str) -> None:
        """The line is closed or lost; so is what had no end."""
        self._flush_received()
        self._drop_rest()
        self._record(Direction.LOST, reason)

    # --- cutting

    def _cut(self, buffer: bytearray, pattern: re.Pattern[bytes], direction: Direction) -> None:
        at = 0
        octets = bytes(buffer)
        start = 0
        while (found := pattern.match(octets, at)) is not None:
            at = found.end()
            if found.group(2) or found.group(3) in _ENDS_PAYLOAD:
                self._show(octets[start:at], direction)
                start = at
        del buffer[:start]
        if len(buffer) > MAX_LINE:
            self._record(Direction.NOTE, f"{len(buffer)} octets without a line end, left out")
            buffer.clear()

    def _flush_received(self) -> None:
        """A line that ends with a CR alone is whole when the other side speaks."""
        if self._from_modem.rstrip(b"\r") != self._from_modem and self._from_modem.strip(b"\r\n\x00 "):
            self._show(bytes(self._from_modem), Direction.RECEIVED)
            self._from_modem.clear()

    def _drop_rest(self) -> None:
        for buffer, direction in ((self._to_modem, Direction.SENT), (self._from_modem, Direction.RECEIVED)):
            if buffer.strip(b"\r\n\x00 "):
                self._record(direction, filled(bytes(buffer).strip(b"\r\n\x00 ").decode("latin-1")))
            buffer.clear()

    def _show(self, octets: bytes, direction: Direction) -> None:
        line = octets.strip(b"\r\n\x00\x1a\x1b")
        before, _, after = octets.partition(line) if line else (octets, b"", b"")
        text = line.decode("latin-1")
        if direction is Direction.SENT:
            shown = self._redactor.sent(text, ends_payload=octets.endswith(_ENDS_PAYLOAD))
        else:
            shown = self._redactor.received(text)
        self._record(direction, escape(before) + escape(shown.encode("latin-1")) + escape(after))

    # --- writing

    def _tell_about(self) -> None:
        told = self._about()
        if told != self._told:
            self._told = told
            self._record(Direction.NOTE, f"modem {told}")

    def _record(self, direction: Direction, text: str) -> None:
        self._write(TraceRecord(direction, text, self._clock() - self._start).to_line())
