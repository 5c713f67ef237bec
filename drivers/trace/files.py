"""A trace's file: lines are handed over at once and written by a thread, within bounds, or not at all.

Nothing that the disk does reaches the modem: what is written waits in memory, and little of that; a file that cannot
be written ends the trace.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

#: A file that has grown so long becomes the old one, in place of the one before.
MAX_OCTETS = 8 << 20
_FLUSH_SECONDS = 0.2
# So many lines wait for a slow disk; then lines are left out, and the file says how many.
_MAX_WAITING = 20_000
_OLD = ".1"


class TraceFile:
    """Appends to `path` (mode 0600). `failed` is called once, with the reason, when nothing can be written any more."""

    def __init__(self, path: Path, failed: Callable[[str], None], *, max_octets: int = MAX_OCTETS) -> None:
        self.path = path
        self._failed = failed
        self._max_octets = max_octets
        self._waiting: list[str] = []
        self._left_out = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._broken = False

    @property
    def old(self) -> Path:
        """Where the file before this one is."""
        return self.path.with_name(self.path.name + _OLD)

    def write(self, line: str) -> None:
        """Take a line; returns at once and never raises."""
        if self._broken:
            return
        if len(self._waiting) >= _MAX_WAITING:
            self._left_out += 1
            return
        if self._left_out:
            self._waiting.append(f"# {self._left_out} lines left out: the disk was too slow")
            self._left_out = 0
        self._waiting.append(line)
        if self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._begin)

    async def close(self) -> None:
        """Write what waits."""
        while (self._waiting or self._writing is not None) and not self._broken:
            if self._writing is None:
                self._begin()
            if self._writing is not None:
                await asyncio.wait({self._writing})
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._waiting:
            self._writing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(append_bounded, self.path, self.old, "\n".join(lines) + "\n", self._max_octets)
        except OSError as error:
            self._broken = True
            self._waiting.clear()
            self._failed(error.strerror or type(error).__name__)
        finally:
            self._writing = None
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._begin)


def append_bounded(path: Path, old: Path, text: str, max_octets: int) -> None:
    """Append `text`; a file that has reached its bound becomes `old` first. Raises OSError."""
    data = text.encode("ascii", "replace")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _opened(path)
    try:
        if os.fstat(descriptor).st_size >= max_octets:
            os.close(descriptor)
            descriptor = -1
            path.replace(old)
            descriptor = _opened(path)
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def size_of_writable(path: Path) -> int:
    """The octets in `path`, made if need be. Raises OSError when it cannot be written."""
    append_bounded(path, path, "", sys.maxsize)
    return path.stat().st_size


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
