"""A serial device: pyserial opens and configures the tty, the event loop moves the bytes.

Pseudo-terminals are serial devices too, on which the modem-control calls fail and are passed over. The device is held
exclusively: by `flock` against well-behaved programs, by TIOCEXCL against the others. One that was left open for us
(`held`) is taken over as it is, and what waits in it is read, not flushed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import stat
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path

import serial

from drivers.errors import PortBusy, PortForbidden, PortMissing, TransportError, TransportLost
from drivers.transport.apart import StillHangingError, run_apart
from drivers.transport.descriptor import DescriptorTransport
from drivers.transport.held import PortKeeper, is_open_port, is_pseudo_terminal, let_others_in
from drivers.transport.holders import busy_text, holder_of_device, lock_file_pid
from drivers.transport.roots import Roots, roots_of

DEFAULT_BAUDRATE = 115_200
# Far more than a living device takes.
OPEN_SECONDS = 15.0
CLOSE_SECONDS = 5.0

# Majors of what is never a line: memory (/dev/null, /dev/zero) and miscellaneous devices, of which a watchdog begins to
# bite when it is opened. Source: Linux, Documentation/admin-guide/devices.txt.
_NO_LINES = {1, 10}
_MISSING = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}


class SerialTransport(DescriptorTransport):
    """A tty by its path. `baudrate` means nothing on USB; `rtscts` has to be off on three-wire cables."""

    def __init__(
        self, path: str, *, baudrate: int = DEFAULT_BAUDRATE, rtscts: bool = False, keeper: PortKeeper | None = None
    ) -> None:
        super().__init__(path)
        self._keeper = keeper
        self._baudrate = baudrate
        self._rtscts = rtscts
        self._port: serial.Serial | None = None
        self._held = -1
        self._closing: asyncio.Future[None] | None = None

    async def _connect(self) -> int:
        if self._keeper is not None and (held := self._keeper.take()) is not None:
            return self._take_over(held)
        _refuse_locked(self.name)
        try:
            port = await run_apart(self.name, self._open_device, OPEN_SECONDS, serial.Serial.close)
        except (TimeoutError, StillHangingError) as error:
            raise TransportError(f"{self.name} does not open: its device or its driver hangs") from error
        except (OSError, ValueError, termios.error) as error:
            raise explain(self.name, error) from error
        self._port = port
        descriptor: int = port.fileno()
        _end_of_stream_is_loss(descriptor)
        _keep_others_out(descriptor)
        if self._keeper is not None:
            self._keeper.keep(descriptor)
        return descriptor

    def _open_device(self) -> serial.Serial:
        """May block, as may closing: a dead device answers neither the kernel's questions nor takes its output."""
        return serial.Serial(self.name, self._baudrate, timeout=0, write_timeout=0, rtscts=self._rtscts, exclusive=True)

    def _take_over(self, descriptor: int) -> int:
        """The port as an earlier process left it: configured, locked, and with what came meanwhile still in it."""
        self._held = descriptor
        if not is_open_port(descriptor, self.name):
            self._disconnect()
            raise TransportLost(f"{self.name} is gone (it was left open, and is another device now)")
        os.set_blocking(descriptor, False)
        try:
            # Held already, unless the process before had let it go in order.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._disconnect()
            raise explain(self.name, error) from error
        _keep_others_out(descriptor)
        return descriptor

    def _disconnect(self) -> None:
        port, self._port = self._port, None
        held, self._held = self._held, -1
        descriptor: int = held if port is None else port.fileno()
        if descriptor < 0:
            return
        closing = partial(_close, descriptor, None if port is None else port.close)
        self._closing = asyncio.ensure_future(run_apart(f"closing {self.name}", closing, CLOSE_SECONDS))
        if self._keeper is not None:
            self._keeper.forget()

    async def close(self) -> None:
        """As of any transport; waits for the device to be let go, so that it can be opened again, but not for ever."""
        await super().close()
        if self._closing is not None:
            with contextlib.suppress(TimeoutError, StillHangingError):
                await asyncio.shield(self._closing)


def _close(descriptor: int, close: Callable[[], None] | None) -> None:
    let_others_in(descriptor)
    with contextlib.suppress(OSError, termios.error):
        if close is None:
            os.close(descriptor)
        else:
            close()


def explain(path: str, error: Exception, roots: Roots | None = None) -> TransportError:
    """Why `path` could not be opened, as a typed error for people; the holder of a busy device is named, if seen."""
    number = getattr(error, "errno", None)
    if number in _MISSING:
        return PortMissing(f"there is no device {path}")
    if number in _FORBIDDEN:
        return PortForbidden(f"no permission to open {path} (on most systems it belongs to the group dialout)")
    if number in _BUSY:
        seen = roots or roots_of()
        return PortBusy(busy_text(path, holder_of_device(Path(path), seen), seen))
    if is_no_line(Path(path)):
        return TransportError(f"{path} is not a serial device")
    return TransportError(f"{path} cannot be configured as a serial device")


def is_no_line(path: Path) -> bool:
    """Whether what is at `path` can be no serial device, as far as its inode tells: nothing is opened.

    OSError when the inode cannot be read, but for what is not there.
    """
    try:
        node = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISCHR(node.st_mode) or os.major(node.st_rdev) in _NO_LINES


def _refuse_locked(path: str) -> None:
    """Programs of the old school keep each other out by lock files alone; opening the port would garble their line."""
    roots = roots_of()
    if lock_file_pid(Path(path), roots) is not None:
        raise PortBusy(busy_text(path, holder_of_device(Path(path), roots), roots))


def _end_of_stream_is_loss(descriptor: int) -> None:
    """With VMIN 1 an empty read means hang-up; pyserial's VMIN 0 would also give it when nothing has come yet."""
    try:
        attributes = termios.tcgetattr(descriptor)
        attributes[6][termios.VMIN] = 1
        attributes[6][termios.VTIME] = 0
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    except termios.error:
        return


def _keep_others_out(descriptor: int) -> None:
    # On a pseudo-terminal the flag would outlive us as long as its owner holds the slave open, and lock us out too.
    if is_pseudo_terminal(descriptor):
        return
    try:
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
    except OSError:
        return
