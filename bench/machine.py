"""The machine that is measured: what it is, how fast its disk flushes, what a process of it has used."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.figures import Figure, spread

_TICKS = os.sysconf("SC_CLK_TCK")


def description(folder: Path) -> dict[str, Any]:
    """What the figures depend on."""
    flush = commits(folder, 0.5)
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "file_system": file_system(folder),
        "flush_ms": {"p50": flush.p50, "p99": flush.p99},
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """The type of the file system under a folder; tmpfs would make every flush free."""
    best, found = "", "unknown"
    place = str(folder.resolve())
    for line in _lines(Path("/proc/mounts")):
        _, mounted, kind, *_ = line.split(" ")
        if len(mounted) >= len(best) and (place + "/").startswith(mounted.rstrip("/") + "/"):
            best, found = mounted, kind
    return found


def commits(folder: Path, seconds: float) -> Figure:
    """Milliseconds of a transaction of one row as the store writes it: write-ahead log, fully flushed."""
    with TemporaryDirectory(dir=folder) as scratch:
        connection = sqlite3.connect(Path(scratch) / "flush.db", isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE one (value)"):
            connection.execute(statement)
        samples: list[float] = []
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends or not samples:
            began = time.perf_counter()
            connection.execute("INSERT INTO one VALUES (1)")
            samples.append(1000 * (time.perf_counter() - began))
        connection.close()
    return spread("flush of one row", "ms", samples)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int, *, highest: bool = False) -> float:
    """Resident memory of a process, now or at its highest."""
    return _status(pid, "VmHWM" if highest else "VmRSS") / 1024


def threads(pid: int) -> int:
    """How many threads a process has."""
    return _status(pid, "Threads")


def _status(pid: int, name: str) -> int:
    for line in _lines(Path(f"/proc/{pid}/status")):
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"the system does not tell {name}")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
