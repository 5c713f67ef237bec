"""A limit of memory for a process that runs, and how much it has taken: what the kernel kills for, and counts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup/memory")


def peak_mib(pid: int) -> float:
    """The most memory that the process has had so far, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def resident_mib(pid: int) -> float:
    """The memory that the process has now, in MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def why_no_limit() -> str | None:
    """Why the kernel cannot be told a limit here, None where it can."""
    if os.geteuid() != 0:
        return "a control group needs root"
    if not (_GROUPS / "memory.limit_in_bytes").exists():
        return "no control group of memory (version 1) is mounted here"
    return None


@contextmanager
def limited(pid: int, more_mib: int) -> Iterator[None]:
    """From now on the process may take so much more; beyond that the kernel kills it."""
    group = _GROUPS / f"tocsin-{pid}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(more_mib << 20), encoding="ascii")
        (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
        yield
    finally:
        group.rmdir()
