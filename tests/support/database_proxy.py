"""A door to the database that can be slammed: a socket that passes octets on, and cuts at a trip or COMMIT as told.

It can also freeze: every connection stays open, and nothing passes until it thaws; then what was held goes on, late.

It stands between the daemon and the server, in threads of its own, and knows no protocol but two words.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"
_MOST = 65536


# "Sync" of the protocol: the end of a trip.
_SYNC = b"S\x00\x00\x00\x04"


class Cut(Enum):
    """What happens to the COMMIT, or to the trip, at which is cut."""

    BEFORE = "the server never hears of it"
    AFTER = "the server does it, and its answer is lost"


class Proxy:
    """Passes connections on; belongs to `proxied`."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = server
        self._next_cut: Cut | None = None
        self._trips = 0
        self._cut_trip: tuple[int, Cut] | None = None
        self._delay_s = 0.0
        self._shut = False
        #: Times that a client said something.
        self.trips = 0
        #: Clients that were sent away while the door was shut.
        self.sent_away = 0
        self._unheard: socket.socket | None = None
        self._answered = threading.Event()
        self._stranded: set[socket.socket] = set()
        # The connections on which was said that they listen, by the server's end.
        self._listeners: dict[socket.socket, socket.socket] = {}
        self._deaf: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        #: Set when a COMMIT was cut.
        self.was_cut = threading.Event()
        #: While clear, nobody gets in.
        self.lets_in = threading.Event()
        self.lets_in.set()
        self._flows = threading.Event()
        self._flows.set()
        self._next_freeze: Cut | None = None
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / _SOCKET))
        self._listening.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut_next_commit(self, how: Cut, *, shut: bool = False) -> None:
        """Cut every connection at the next COMMIT; with `shut` nobody gets in again until `lets_in` is set."""
        self.was_cut.clear()
        self._answered.clear()
        self._shut = shut
        self._next_cut = how

    def cut_trip(self, number: int, how: Cut) -> None:
        """Cut every connection at the trip to the server of that number, counted from now, from 1."""
        self.was_cut.clear()
        self._answered.clear()
        self._trips = 0
        self._cut_trip = (number, how)

    def be_slow(self, seconds: float) -> None:
        """Let each trip wait so long before it goes on; 0 ends it."""
        self._delay_s = seconds

    def freeze(self) -> None:
        """Let nothing pass in either direction; whoever comes is let in, and hears nothing."""
        self._flows.clear()

    def freeze_at_commit(self, how: Cut) -> None:
        """Freeze when the next COMMIT comes: before the server gets it, or before its answer is passed on."""
        self.was_cut.clear()
        self._next_freeze = how

    def thaw(self) -> None:
        """Let everything pass again, what was held first."""
        self._flows.set()

    def strand(self) -> None:
        """Hang up on the clients; the server does not hear of it and keeps their sessions, until the next time at most.

        On a network it would find out by itself after some seconds.
        """
        with self._lock:
            before, fresh = self._stranded, self._open
            self._stranded, self._open = fresh.copy(), set()
        for end in before:
            _shut(end)
        for end in fresh:
            # The server's ends have no name of their own, the clients' were accepted under ours.
            if end.getsockname() == self._listening.getsockname():
                _shut(end)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._open) // 2

    def deafen(self, *, half_open: bool = False) -> None:
        """Keep from those who listen now whatever the server tells them.

        With `half_open` the server's ends are gone as well, and the clients do not hear of it.
        """
        with self._lock:
            self._deaf |= set(self._listeners)
            if half_open:
                self._stranded |= set(self._listeners.values())
        if half_open:
            for server in self._deaf:
                _shut(server)

    def shut(self) -> None:
        """Hang up on everybody, and let nobody in."""
        self.lets_in.clear()
        self._hang_up()

    def heal(self) -> None:
        """Everything goes through again, and nothing more is cut."""
        with self._lock:
            self._next_cut = self._cut_trip = self._next_freeze = None
            self._shut = False
            self._delay_s = 0.0
            self.lets_in.set()
        self.thaw()

    def close(self) -> None:
        """End everything."""
        self.thaw()
        self._hang_up()
        for end in self._stranded:
            _shut(end)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if not self.lets_in.is_set():
                self.sent_away += 1
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server / _SOCKET))
            with self._lock:
                self._open |= {client, server}
            for work in (self._to_server, self._to_client):
                threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        while octets := _received(client):
            self._passing(client, server, octets)
            if (cut := self._cut_for(octets)) is not None:
                if cut is Cut.AFTER:
                    self._commit_unheard(server, octets)
                self._hang_up()
                self.was_cut.set()
                return
            if not self._froze_at(octets, server):
                self._flows.wait()
                with suppress(OSError):
                    server.sendall(octets)
        self._end(client, server)

    def _froze_at(self, octets: bytes, server: socket.socket) -> bool:
        """Freeze here if it was asked for; whether the octets have gone on all the same."""
        if self._next_freeze is None or b"COMMIT" not in octets:
            return False
        how, self._next_freeze = self._next_freeze, None
        self.freeze()
        if how is Cut.AFTER:
            server.sendall(octets + _SYNC)
        self.was_cut.set()
        return how is Cut.AFTER

    def _passing(self, client: socket.socket, server: socket.socket, octets: bytes) -> None:
        """A client says something: see what it is, and keep it for as long as it takes."""
        self.trips += 1
        if b"LISTEN" in octets:
            with self._lock:
                self._listeners[server] = client
        if self._delay_s:
            time.sleep(self._delay_s)
        self._flows.wait()

    def _cut_for(self, octets: bytes) -> Cut | None:
        """What is to happen here, at these octets of a client."""
        with self._lock:
            self._trips += 1
            if self._cut_trip is not None and self._trips == self._cut_trip[0]:
                (_, cut), self._cut_trip = self._cut_trip, None
            else:
                cut, self._next_cut = (self._next_cut, None) if b"COMMIT" in octets else (None, self._next_cut)
            if cut is not None and self._shut:
                self.lets_in.clear()
            return cut

    def _commit_unheard(self, server: socket.socket, octets: bytes) -> None:
        """The answer goes to nobody: whoever passes answers on is told to leave this one."""
        with self._lock:
            self._unheard = server
        # What shares a trip is answered at its end, which may be behind these octets.
        server.sendall(octets + _SYNC)
        self._answered.wait(5)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        while octets := _received(server):
            if self._unheard is server:
                self._answered.set()
                return
            self._flows.wait()
            if server not in self._deaf:
                with suppress(OSError):
                    client.sendall(octets)
        self._end(client, server)

    def _hang_up(self) -> None:
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _shut(end)

    def _end(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open -= set(ends)
            for end in ends:
                self._listeners.pop(end, None)
        for end in set(ends) - self._stranded:
            _shut(end)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(_MOST)
    except OSError:
        return b""


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(folder: Path, server: Path) -> Iterator[Proxy]:
    """A proxy whose socket stands in `folder`, in front of the server whose socket stands in `server`."""
    proxy = Proxy(folder, server)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def door_to(server: Path) -> Iterator[Proxy]:
    """As `proxied`, in a folder of its own: the path of a socket is short, and a test's own folder is not."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder, proxied(Path(folder), server) as proxy:
        yield proxy
