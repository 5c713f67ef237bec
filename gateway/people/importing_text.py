"""The text of a file as it came: which charset it is in, and the same as UTF-8 whose lines end with a line feed.

A file is read in pieces, so that it may be of any size. Pure but for the files that it is given.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

UTF8: Final = "utf-8"
#: The charsets that a caller may name, and Python's names of them. Who says Latin-1 means what Windows makes of it.
CHARSETS: Final = {
    "utf-8": UTF8,
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-2": "iso8859-2",
    "iso-8859-15": "iso8859-15",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "cp850": "cp850",
    "cp437": "cp437",
    "macintosh": "mac-roman",
}
_PIECE: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Sniffer:
    """Finds the charset of octets that go by."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder = codecs.getincrementaldecoder(UTF8)()
        self._is_utf8 = True
        self._has_feeds = False
        self._has_returns = False

    def look(self, octets: bytes) -> None:
        """Take the next octets into account."""
        if len(self._head) < 1024:
            self._head += octets[:1024]
        self._has_feeds = self._has_feeds or b"\n" in octets
        self._has_returns = self._has_returns or b"\r" in octets
        if self._is_utf8:
            try:
                self._decoder.decode(octets)
            except UnicodeDecodeError:
                self._is_utf8 = False

    def charset(self) -> str:
        """Its name in Python. What is neither marked, nor UTF-8, nor full of zeros is of a Windows of Western Europe,
        which has all of Latin-1."""
        for mark, name in _BOMS:
            if self._head.startswith(mark):
                return name
        pairs = self._head[: len(self._head) // 2 * 2]
        zeros = pairs[0::2].count(0), pairs[1::2].count(0)
        if max(zeros) > len(pairs) // 4:
            return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        return UTF8 if self._is_whole() else "cp1252"

    def is_plain(self, charset: str) -> bool:
        """Whether it can be read as it is."""
        return charset == UTF8 and self._is_whole() and (self._has_feeds or not self._has_returns)

    def _is_whole(self) -> bool:
        if self._is_utf8:
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self._is_utf8 = False
        return self._is_utf8


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How far a file was rewritten: octets read and written, and what the decoder keeps in mind."""

    read: int = 0
    written: int = 0
    state: tuple[bytes, int] = (b"", 0)
    #: A carriage return that may be followed by a line feed.
    held: bool = False
    over: bool = False


def rewrite(source: Path, target: Path, charset: str, so_far: Rewriting, pieces: int) -> Rewriting:
    """Write the next pieces of a file as UTF-8. What is not of the charset becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(charset)("replace")
    decoder.setstate(so_far.state)
    held, over = so_far.held, False
    with source.open("rb") as file, target.open("r+b") as out:
        file.seek(so_far.read)
        out.seek(so_far.written)
        for _ in range(pieces):
            octets = file.read(_PIECE)
            over = len(octets) < _PIECE
            text = ("\r" if held else "") + decoder.decode(octets, final=over)
            held = text.endswith("\r") and not over
            text = text.removesuffix("\r") if held else text
            out.write(text.replace("\r\n", "\n").replace("\r", "\n").encode(UTF8, "replace"))
            if over:
                break
        return Rewriting(file.tell(), out.tell(), decoder.getstate(), held, over)


class Lines:
    """The lines of a UTF-8 file, from one on: how many were read, up to which octet. Lines and records that are too
    long end in `TooLong`."""

    def __init__(self, file: BinaryIO, octet: int, line: int, *, longest: int) -> None:
        self._file = file
        self._longest = longest
        self._began = (octet, line)
        self._first_end = octet
        self.octet = octet
        self.line = line
        file.seek(octet)

    def begin(self) -> None:
        """A record begins here."""
        self._began = (self.octet, self.line)
        self._first_end = self.octet

    def give_up(self) -> int:
        """Go on behind the first line of the record; its number, from 1."""
        octet, line = self._began
        self._file.seek(octet)
        while (octets := self._file.readline(_PIECE)) and not octets.endswith(b"\n"):
            octet += len(octets)
        self.octet, self.line = octet + len(octets), line + 1
        return self.line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        octets = self._file.readline(self._longest + 1)
        if not octets:
            raise StopIteration
        self.octet += len(octets)
        self.line += 1
        if self.octet - self._began[0] > self._longest:
            raise TooLong
        return octets.decode(UTF8)


class TooLong(Exception):
    """A line or a record is longer than any that is taken."""


def past_lines(path: Path, lines: int) -> int:
    """The octet behind so many lines."""
    octet = 0
    with path.open("rb") as file:
        while lines > 0 and (piece := file.read(_PIECE)):
            count = piece.count(b"\n")
            if count < lines:
                lines -= count
                octet += len(piece)
                continue
            place = -1
            for _ in range(lines):
                place = piece.index(b"\n", place + 1)
            return octet + place + 1
    return octet


def count_lines(path: Path, octet: int, pieces: int) -> tuple[int, int, bool]:
    """Line feeds of the next pieces, the octet behind them, and whether that is the end."""
    lines = 0
    with path.open("rb") as file:
        file.seek(octet)
        for _ in range(pieces):
            piece = file.read(_PIECE)
            lines += piece.count(b"\n")
            octet += len(piece)
            if len(piece) < _PIECE:
                return lines, octet, True
    return lines, octet, False
