"""The wire journal: how far the submit that is under way has come, for whoever comes after a crash.

One small file per modem in the state directory. It is written and never flushed: the page cache outlives a killed
process, which is the crash that it is for, and after a power cut it says nothing. It holds the line of one attempt at a
time, since a modem has one submit in flight; beginning the next one is what lets the lines of the one before go.

The file has always the same size, and its space is taken when it is opened: one that is shorter or that does not read
to its end was torn, and a torn journal is no evidence of anything. No number, no text and no TPDU stands in it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any

from drivers.gsm.submit_answer import tells_outcome

FOLDER = "journal"
SIZE = 4096
#: Longer answers are no answers to a submit.
_LINE = 200
_ID_BYTES = 8
# The lines of a part are put together by hand: they stand in its way.
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Trace:
    """What a journal that can be trusted says: of which attempt, whether Ctrl-Z was next, and what was answered.

    `attempt_id` is None when no submit was begun since the journal was opened.
    """

    journal: str
    attempt_id: int | None
    ended: bool
    lines: tuple[str, ...]


class WireJournal:
    """The journal of one modem, for as long as the gateway runs. Whatever cannot be written raises `OSError`.

    `goes_on` is the content of the file, where the submit that stands in it may still be answered.
    """

    def __init__(self, path: Path, header: Mapping[str, object], goes_on: bytes = b"") -> None:
        entries = _entries(goes_on)
        #: Names this journal; a mark carries it, so that no other file can speak of it.
        self.id: str = entries[0]["journal"] if entries else secrets.token_hex(_ID_BYTES)
        self._head = _line({"journal": self.id, **header})
        self._used = goes_on.find(b"\0") if entries else 0
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.ftruncate(self._descriptor, SIZE)
        os.posix_fallocate(self._descriptor, 0, SIZE)
        if not entries:
            self._write(self._head.ljust(SIZE, b"\0"), 0)

    def begin(self, attempt_id: int, at_us: int) -> None:
        """A submit begins; the one before is settled, and its lines go. One write, so never half of it."""
        text = self._head + b'{"attempt":%d,"at_us":%d}\n' % (attempt_id, at_us)
        self._write(text.ljust(SIZE, b"\0"), 0)
        self._used = len(text)

    def end_next(self, at_us: int) -> None:
        """Ctrl-Z is written next."""
        self._append(b'{"next":"ctrl-z","at_us":%d}\n' % at_us)

    def answered(self, line: str) -> None:
        """The modem answered. What is not the outcome is left out: it might be about somebody."""
        if tells_outcome(line):
            self._append(b'{"line":%s}\n' % encode_basestring_ascii(line[:_LINE]).encode("ascii"))

    def close(self) -> None:
        """Let the file go; it stays, for a start after a crash."""
        os.close(self._descriptor)

    def _append(self, text: bytes) -> None:
        if self._used + len(text) >= SIZE:
            raise OSError("the journal is full")
        self._write(text, self._used)
        self._used += len(text)

    def _write(self, text: bytes, at: int) -> None:
        if os.pwrite(self._descriptor, text, at) != len(text):
            raise OSError("the journal took only a part of what was written")


class Journals:
    """The journals of one node. `boot` names the start of the machine; None makes every journal say nothing."""

    def __init__(self, state_dir: Path, node: str, boot: str | None) -> None:
        self._folder = state_dir / FOLDER
        self._node = node
        self._boot = boot

    def open(self, modem: str) -> WireJournal:
        """Begin a journal, in place of the one that an earlier process left: ask for its `trace` before."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return WireJournal(self._path(modem), self._header(modem))

    def go_on(self, modem: str) -> WireJournal:
        """As `open`, but what an earlier process left stays, if it can be trusted: the next lines may belong to it."""
        kept = b"" if self.trace(modem) is None else self._path(modem).read_bytes()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return WireJournal(self._path(modem), self._header(modem), kept)

    def trace(self, modem: str) -> Trace | None:
        """What the last process left; None when it is missing, torn, or of another boot or modem."""
        try:
            with self._path(modem).open("rb") as file:
                content = file.read(SIZE + 1)
        except OSError:
            return None
        entries = _entries(content)
        if (
            self._boot is None
            or not entries
            or (entries[0].get("boot"), entries[0].get("modem")) != (self._boot, modem)
        ):
            return None
        return _trace(entries)

    def _path(self, modem: str) -> Path:
        return self._folder / f"{modem}.wire"

    def _header(self, modem: str) -> dict[str, object]:
        return {"boot": self._boot, "node": self._node, "modem": modem}


def _line(entry: Mapping[str, object]) -> bytes:
    return _ENCODE(entry).encode("ascii") + b"\n"


def _entries(content: bytes) -> list[dict[str, Any]]:
    """Every line, or none at all when something is missing or cannot be read."""
    text, _, rest = content.partition(b"\0")
    if len(content) != SIZE or rest.strip(b"\0") or not text.endswith(b"\n"):
        return []
    try:
        entries = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return []
    return entries if all(isinstance(entry, dict) for entry in entries) else []


def _trace(entries: list[dict[str, Any]]) -> Trace | None:
    head, *rest = entries
    journal = head.get("journal")
    attempts = [entry["attempt"] for entry in rest[:1] if isinstance(entry.get("attempt"), int)]
    if not isinstance(journal, str) or (rest and not attempts):
        return None
    lines = tuple(str(entry["line"]) for entry in rest if "line" in entry)
    return Trace(journal, attempts[0] if attempts else None, any("next" in entry for entry in rest), lines)
