"""A serial device: pyserial opens and configures the tty, the event loop moves the bytes.

Pseudo-terminals are serial devices too, on which the modem-control calls fail and are passed over. The device is held
exclusively: by `flock` against well-behaved programs, by TIOCEXCL against the others.
"""

from __future__ import annotations

import errno
import fcntl
import os
import termios
from pathlib import Path

import serial

from drivers.errors import PortBusy, PortForbidden, PortMissing, TransportError
from drivers.transport.descriptor import DescriptorTransport

DEFAULT_BAUDRATE = 115_200

_MISSING = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}

# Device numbers of the slaves of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt: 136-143).
_PSEUDO_TERMINALS = range(136, 144)


class SerialTransport(DescriptorTransport):
    """A tty by its path. `baudrate` means nothing on USB; `rtscts` has to be off on three-wire cables."""

    def __init__(self, path: str, *, baudrate: int = DEFAULT_BAUDRATE, rtscts: bool = False) -> None:
        super().__init__(path)
        self._baudrate = baudrate
        self._rtscts = rtscts
        self._port: serial.Serial | None = None

    async def _connect(self) -> int:
        try:
            port = serial.Serial(
                self.name, self._baudrate, timeout=0, write_timeout=0, rtscts=self._rtscts, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            raise explain(self.name, error) from error
        self._port = port
        descriptor: int = port.fileno()
        _end_of_stream_is_loss(descriptor)
        _keep_others_out(descriptor)
        return descriptor

    def _disconnect(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        descriptor: int = port.fileno()
        for request in (_let_others_in, _forget_output):
            try:
                request(descriptor)
            except (OSError, termios.error):  # the device is gone, and its state with it
                continue
        try:
            port.close()
        except (OSError, termios.error):
            return


def explain(path: str, error: Exception) -> TransportError:
    """Why `path` could not be opened, as a typed error for people."""
    number = getattr(error, "errno", None)
    if number in _MISSING:
        return PortMissing(f"there is no device {path}")
    if number in _FORBIDDEN:
        return PortForbidden(f"no permission to open {path} (on most systems it belongs to the group dialout)")
    if number in _BUSY:
        return PortBusy(f"{path} is held by another program")
    if Path(path).exists() and not Path(path).is_char_device():
        return TransportError(f"{path} is not a serial device")
    return TransportError(f"{path} cannot be configured as a serial device")


def _end_of_stream_is_loss(descriptor: int) -> None:
    """With VMIN 1 an empty read means hang-up; pyserial's VMIN 0 would also give it when nothing has come yet."""
    try:
        attributes = termios.tcgetattr(descriptor)
        attributes[6][termios.VMIN] = 1
        attributes[6][termios.VTIME] = 0
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    except termios.error:
        return


def _is_pseudo_terminal(descriptor: int) -> bool:
    return os.major(os.fstat(descriptor).st_rdev) in _PSEUDO_TERMINALS


def _keep_others_out(descriptor: int) -> None:
    # On a pseudo-terminal the flag would outlive us as long as its owner holds the slave open, and lock us out too.
    if _is_pseudo_terminal(descriptor):
        return
    try:
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
    except OSError:
        return


def _let_others_in(descriptor: int) -> None:
    if not _is_pseudo_terminal(descriptor):
        fcntl.ioctl(descriptor, termios.TIOCNXCL)


def _forget_output(descriptor: int) -> None:
    """Closing a tty waits, up to half a minute, for output that a dead device will never take."""
    termios.tcflush(descriptor, termios.TCOFLUSH)
