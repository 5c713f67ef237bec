"""Which program holds a device: by the kernel's table of locks, by lock files, by the open files of processes.

Without permission to look into other users' processes the table of locks still names the process, and the names of all
processes can be read by everybody. Sources: proc_locks(5), proc_pid_fd(5), proc_pid_comm(5); Filesystem Hierarchy
Standard 3.0, 5.9 (lock files: ten characters, the pid in decimal).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.transport.roots import Roots

_PSEUDO_TERMINALS = Path("/dev/pts")

MODEM_MANAGER = "ModemManager"
#: What makes ModemManager let a stick go.
MODEM_MANAGER_MEND = (
    "stop it (systemctl stop ModemManager), "
    'or have it leave this stick alone by the udev rule ENV{ID_MM_DEVICE_IGNORE}="1"'
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: its name as `ps` shows it, None when that cannot be read."""

    pid: int
    program: str | None

    def __str__(self) -> str:
        return f"{self.program or 'a program'} (pid {self.pid})"


def holder_of_device(path: Path, roots: Roots) -> Holder | None:
    """Who holds the device at `path`, as far as this process may see; never this process itself."""
    pid = next((pid for pid in _pids(path, roots) if pid != os.getpid()), None)
    return None if pid is None else Holder(pid, _name_of(pid, roots))


def holder_if_in_use(path: Path, roots: Roots) -> Holder | None:
    """The same, before a port is opened only to ask something: even who is not kept out leaves it to its holder.

    Whoever made a pseudo-terminal has both of its ends open, which says nothing.
    """
    try:
        if path.resolve().is_relative_to(_PSEUDO_TERMINALS):
            return None
    except OSError:
        return None
    return holder_of_device(path, roots)


def _pids(path: Path, roots: Roots) -> Iterator[int]:
    yield from _by_locks(path, roots)
    if (pid := lock_file_pid(path, roots)) is not None:
        yield pid
    yield from _by_open_files(path, roots)


def running(program: str, roots: Roots) -> Holder | None:
    """The first process of that name; everybody may see that."""
    for pid in _processes(roots):
        if _name_of(pid, roots) == program[:15]:  # the kernel keeps so much of it
            return Holder(pid, program)
    return None


def busy_text(path: str, holder: Holder | None, roots: Roots) -> str:
    """What to say of a device that is held, with the mend where one is known."""
    if holder is not None:
        mend = f": {MODEM_MANAGER_MEND}" if holder.program == MODEM_MANAGER else ""
        return f"{path} is held by {holder}{mend}"
    suspect = running(MODEM_MANAGER, roots)
    if suspect is None:
        return f"{path} is held by another program"
    return f"{path} is held by another program, perhaps {suspect}: {MODEM_MANAGER_MEND}"


def lock_file_pid(path: Path, roots: Roots) -> int | None:
    """The living process whose lock file names the device, other than this one."""
    try:
        name = path.resolve().name
        pid = int((roots.locks / f"LCK..{name}").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pid != os.getpid() and (roots.proc / str(pid)).exists() else None


def _by_locks(path: Path, roots: Roots) -> Iterator[int]:
    """A line is `1: FLOCK  ADVISORY  WRITE 812 00:06:530 0 EOF`, the place being device and inode."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        node = path.stat()
        place = f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}"
        for line in (roots.proc / "locks").read_text("ascii").splitlines():
            words = line.split()
            if place in words and (pid := int(words[words.index(place) - 1])) > 0:
                yield pid


def _by_open_files(path: Path, roots: Roots) -> Iterator[int]:
    try:
        device = str(path.resolve())
    except OSError:
        return
    for pid in _processes(roots):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            folder = roots.proc / str(pid) / "fd"
            if any(_goal(link) == device for link in folder.iterdir()):
                yield pid


def _goal(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def _processes(roots: Roots) -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from sorted(int(entry.name) for entry in roots.proc.iterdir() if entry.name.isdecimal())


def _name_of(pid: int, roots: Roots) -> str | None:
    try:
        name = (roots.proc / str(pid) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return None
    return "".join(character for character in name if character.isprintable()) or None
