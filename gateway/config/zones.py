"""The zone data base, as it is now. The standard library reads a zone once and keeps it as long as the process lives; a
daemon lives for years, and a government decides on summer time in weeks.

So the files of the zones that were asked for are looked at once in a while, by their time, size and inode. When one of
them is another one, everything is read anew and `edition` changes: whoever has computed with the old one knows.
"""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.clock import SECOND_US

_LOOK_US = 60 * SECOND_US
_MOST = 2000  # the data base has 600 names
_Stamp = tuple[int, int, int]


class ZoneBook:
    """Zones by their IANA names. `monotonic_us` says when it is time to look at the files again."""

    def __init__(self, monotonic_us: Callable[[], int]) -> None:
        self._monotonic_us = monotonic_us
        self._looked_us = monotonic_us()
        self._edition = 0
        self._zones: dict[str, tuple[ZoneInfo | None, _Stamp | None]] = {}

    def zone(self, name: str) -> ZoneInfo | None:
        """None for a name that the data base does not have, whatever the name is."""
        found = self._zones.get(name)
        if found is None:
            if len(self._zones) >= _MOST:
                self._zones.clear()
            # The stamp first: a file that changes in between is found changed at the next look.
            stamp = _stamp_of(name)
            found = self._zones[name] = (_read(name), stamp)
        return found[0]

    def has(self, name: str) -> bool:
        """Whether the data base has such a zone."""
        return self.zone(name) is not None

    def edition(self) -> int:
        """Another number whenever a zone has other rules; looks at the files once a minute."""
        now_us = self._monotonic_us()
        if now_us - self._looked_us >= _LOOK_US:
            self._looked_us = now_us
            self._look()
        return self._edition

    def _look(self) -> None:
        changed = {name: stamp for name, (_, old) in list(self._zones.items()) if (stamp := _stamp_of(name)) != old}
        for name, stamp in changed.items():
            before = self._zones[name][0]
            # A file that is gone or half written is no better than what was known.
            self._zones[name] = (_read(name) or before, stamp)
        self._edition += bool(changed)


def _read(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo.no_cache(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # none; a name that leads out of the data base; a folder of it
        return None


def _stamp_of(name: str) -> _Stamp | None:
    """What tells the file of a zone from a later one."""
    if ".." in name or name.startswith("/") or "\0" in name:
        return None
    for root in _roots():
        try:
            found = os.stat(root / name)  # noqa: PTH116 - a look at each zone once a minute
        except (OSError, ValueError):
            continue
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None


def _roots() -> Iterator[Path]:
    """Where zones are looked for: the system's folders, then the package that brings them."""
    yield from map(Path, zoneinfo.TZPATH)
    package = find_spec("tzdata")
    for folder in (package.submodule_search_locations or ()) if package else ():
        yield Path(folder, "zoneinfo")
