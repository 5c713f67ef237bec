"""The sockets of `[api] listen`, bound before all else is touched: an address that cannot be had ends the start."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.config.settings import ListenAddress, UnixAddress

# A socket in the file system is for its owner and the group of its folder's choice: 0660.
_UNIX_UMASK = 0o117
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class AddressInUse(Exception):
    """An address of `[api] listen` cannot be bound; the message names it and says why."""


@contextmanager
def bound(listen: Iterable[ListenAddress | UnixAddress]) -> Generator[list[socket.socket]]:
    """A socket for every address, bound and not yet listening. At the end nothing of them stays in the file system."""
    sockets: list[socket.socket] = []
    files: list[tuple[Path, tuple[int, int]]] = []
    try:
        for address in listen:
            if isinstance(address, ListenAddress):
                sockets.append(_bind(address))
            else:
                sockets.append(_bind_unix(address.path))
                files.append((address.path, _identity(address.path)))
        yield sockets
    finally:
        for path, identity in files:
            _remove(path, identity)
        for each in sockets:
            each.close()


def url_of(bound_socket: socket.socket, *, tls: bool) -> str:
    """How clients on this machine write the address of a socket: of one that listens everywhere, the loopback's."""
    if bound_socket.family == socket.AF_UNIX:
        return f"unix:{bound_socket.getsockname()}"
    name, port = bound_socket.getsockname()[:2]
    host = _HERE.get(str(name), str(name))
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _bind(address: ListenAddress) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused(f"{address.host}:{address.port}", error) from error
    try:
        # A restart must not wait for connections of the one before to be forgotten.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(where)
    except OSError as error:
        made.close()
        raise _refused(f"{address.host}:{address.port}", error) from error
    return made


def _bind_unix(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode is right from the first moment, not after a chmod that somebody could be faster than.
    before = os.umask(_UNIX_UMASK)
    try:
        _make_room(path)
        made.bind(os.fspath(path))
    except OSError as error:
        made.close()
        raise _refused(f"unix:{path}", error) from error
    except AddressInUse:
        made.close()
        raise
    finally:
        os.umask(before)
    return made


def _make_room(path: Path) -> None:
    """Take away the socket that a process left which is no more; nothing else is touched."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise AddressInUse(f"cannot listen on unix:{path}: there is something that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            # Its queue is full: somebody listens, and has much to do.
            pass
    raise AddressInUse(f"cannot listen on unix:{path}: another process listens there")


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _remove(path: Path, identity: tuple[int, int]) -> None:
    """Unless somebody has put another one there meanwhile."""
    with suppress(OSError):
        if _identity(path) == identity:
            path.unlink()


def _refused(where: str, error: OSError) -> AddressInUse:
    return AddressInUse(f"cannot listen on {where}: {error.strerror or error}")
