"""Where the kernel shows its devices: /sys, /dev and /proc, or what stands in for them in a test or a container."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SYSFS_VARIABLE = "TOCSIN_SYSFS"
DEV_VARIABLE = "TOCSIN_DEV"
_DEV = Path("/dev")


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders below which devices are looked for. `locks` holds the lock files of other serial programs."""

    sys: Path = Path("/sys")
    dev: Path = _DEV
    proc: Path = Path("/proc")
    locks: Path = Path("/run/lock")

    def path_of(self, port: str) -> Path:
        """A device as the configuration writes it: below /dev means below `dev`, and any other path is itself."""
        path = Path(port)
        return self.dev / path.relative_to(_DEV) if path.is_relative_to(_DEV) else path

    def written(self, path: Path) -> str:
        """The same the other way round: what the configuration would write."""
        return str(_DEV / path.relative_to(self.dev)) if path.is_relative_to(self.dev) else str(path)


def roots_of(environ: Mapping[str, str] = os.environ) -> Roots:
    """Those of this machine, unless the environment names others."""
    plain = Roots()
    return Roots(
        sys=Path(environ.get(SYSFS_VARIABLE) or plain.sys),
        dev=Path(environ.get(DEV_VARIABLE) or plain.dev),
    )
