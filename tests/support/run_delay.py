"""For how long processes were ready to go on and had no processor, because of what else the machine did."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def waited_s(pids: Iterable[int]) -> float:
    """Seconds, of all their threads together, since they began. A kernel that does not count it tells 0."""
    nanoseconds = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds += int(thread.read_text(encoding="ascii").split()[1])
    return nanoseconds / 1e9
