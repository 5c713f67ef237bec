"""Open descriptors that the service manager keeps while this process is not there (systemd: sd_notify and FDSTORE).

Towards the manager: one datagram on $NOTIFY_SOCKET, the descriptor with it (SCM_RIGHTS). Back from it, at the next
start: LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID, descriptors from 3 on. Without a manager all of it does nothing. It
knows names and descriptors, not what they are open on. Sources: sd_notify(3), sd_listen_fds(3), systemd.service(5).
"""

from __future__ import annotations

import array
import logging
import os
import socket
from collections.abc import Iterator, MutableMapping

log = logging.getLogger(__name__)

#: Before each name, so that descriptors of other purposes are left alone.
PREFIX = "tocsin-modem-"
_FIRST = 3
# A manager that does not read must not hold up the event loop; what it then does not keep is lost with a crash only.
_PATIENCE_S = 1.0


class DescriptorStore:
    """What the manager keeps of this service. `held` are the names and descriptors that it gave back."""

    def __init__(self, address: str | None, held: dict[str, int]) -> None:
        self._address = address
        self._held = held

    @classmethod
    def of_process(cls, environ: MutableMapping[str, str]) -> DescriptorStore:
        """The store of this process; the variables that speak of inherited descriptors are taken out of `environ`."""
        held = dict(_inherited(environ))
        return cls(environ.get("NOTIFY_SOCKET") or None, held)

    @property
    def names(self) -> tuple[str, ...]:
        """What was given back and not taken yet."""
        return tuple(self._held)

    def peek(self, name: str) -> int | None:
        """The descriptor under a name, which stays ours."""
        return self._held.get(name)

    def port(self, name: str) -> StoredPort:
        """What one port needs of the store."""
        return StoredPort(self, name)

    def take(self, name: str) -> int | None:
        """The descriptor under a name, from now on the caller's."""
        return self._held.pop(name, None)

    def keep(self, name: str, descriptor: int) -> None:
        """Have a copy kept under this name, in place of any other."""
        self.forget(name)
        # FDPOLL is left on: a device that is unplugged hangs up, and the manager lets its copy go by itself.
        self._tell(f"FDSTORE=1\nFDNAME={PREFIX}{name}", descriptor)

    def forget(self, name: str) -> None:
        """Have whatever is kept under this name closed."""
        self._tell(f"FDSTOREREMOVE=1\nFDNAME={PREFIX}{name}")

    def _tell(self, text: str, descriptor: int | None = None) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        rights = [] if descriptor is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(_PATIENCE_S)
                channel.connect(address)
                channel.sendmsg([text.encode("ascii")], rights)
        except OSError as error:
            log.warning(
                "the service manager cannot be told", extra={"action": "notify_failed", "cause": error.strerror}
            )


class StoredPort:
    """One name of the store, as `drivers` want it."""

    def __init__(self, store: DescriptorStore, name: str) -> None:
        self._store = store
        self._name = name

    def take(self) -> int | None:
        """The descriptor that was kept, once."""
        return self._store.take(self._name)

    def keep(self, descriptor: int) -> None:
        """Have a copy kept."""
        self._store.keep(self._name, descriptor)

    def forget(self) -> None:
        """The port is closed for good."""
        self._store.forget(self._name)


def _inherited(environ: MutableMapping[str, str]) -> Iterator[tuple[str, int]]:
    """Name and descriptor of everything of ours that was handed to this very process."""
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal() or len(names) != int(count):
        return
    for descriptor, name in enumerate(names, _FIRST):
        try:
            os.set_inheritable(descriptor, False)
        except OSError:  # the manager promised more than it gave
            continue
        if not name.startswith(PREFIX):
            continue
        if names.count(name) > 1:
            # Which of them is the port of the last submit cannot be known.
            os.close(descriptor)
            continue
        yield name.removeprefix(PREFIX), descriptor
