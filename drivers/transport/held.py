"""Ports that outlive the process: the serial device stays open in somebody else's hands while nobody runs.

Then what the modem says meanwhile waits in the kernel, and the next process reads it through the same open file, whose
lock and exclusive use go with it. Who keeps the descriptors is handed in; nothing of that is known here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
import termios
from pathlib import Path
from typing import Protocol

# Device numbers of the slaves of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt: 136-143).
_PSEUDO_TERMINALS = range(136, 144)
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class PortKeeper(Protocol):
    """Keeps the open port of one modem. None of these raises."""

    def take(self) -> int | None:
        """The descriptor that was kept, now the caller's; None when there is none, and at every later call."""
        ...

    def keep(self, descriptor: int) -> None:
        """Keep a copy of this one, in place of any other."""
        ...

    def forget(self) -> None:
        """The port is closed for good."""
        ...


def is_open_port(descriptor: int, path: str) -> bool:
    """Whether `descriptor` is still alive, and the device at which `path` points.

    A device that was unplugged hangs its old descriptors up, even if another has taken its name since.
    """
    try:
        mine, named = os.fstat(descriptor), Path(path).stat()
        termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        return False
    if not stat.S_ISCHR(mine.st_mode) or mine.st_rdev != named.st_rdev:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not any(events & _GONE for _, events in poll.poll(0))


def is_pseudo_terminal(descriptor: int) -> bool:
    """Whether it is the slave of one."""
    return os.major(os.fstat(descriptor).st_rdev) in _PSEUDO_TERMINALS


def let_others_in(descriptor: int) -> None:
    """Before closing: undo what would keep others out for as long as any copy is open, and drop unsent output.

    Closing a tty waits, up to half a minute, for output that a dead device will never take.
    """
    # The device may be gone, and its state with it.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    with contextlib.suppress(OSError):
        if not is_pseudo_terminal(descriptor):
            fcntl.ioctl(descriptor, termios.TIOCNXCL)
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(descriptor, termios.TCOFLUSH)


def let_go(descriptor: int) -> None:
    """Close a port that nobody goes on with."""
    let_others_in(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)
