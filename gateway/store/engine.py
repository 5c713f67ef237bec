"""What a store asks of its database, whichever it is; `gateway.store.engines` has the two there are."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from gateway.errors import StorageFull, Unavailable

READERS = 2


class StoreUnusable(Exception):
    """The store cannot be opened safely; the message says why and what to do."""


class StoreEngine(ABC):
    """One kind of database at one place."""

    #: Where the store is, as people may read it: never a secret.
    place: str
    #: Whether several hosts may work on it.
    shared = False
    #: How long a commit may be in doubt before callers who cannot wait for the truth are told so, in seconds.
    doubt_s = 5.0

    @abstractmethod
    def writing(self) -> Engine:
        """Connections that write, every commit flushed."""

    @abstractmethod
    def reading(self) -> Engine:
        """Connections that cannot write and see one committed state for a whole transaction."""

    @abstractmethod
    def beside(self) -> Engine:
        """Connections that write although another process may hold the store: for one short transaction."""

    @abstractmethod
    def check(self, connection: Connection) -> None:
        """Refuse settings under which a commit is no promise: `StoreUnusable` names the setting."""

    @abstractmethod
    def translate(self, error: Exception) -> Exception:
        """What the database refused for the moment becomes `Unavailable`; anything else stays what it is."""

    @abstractmethod
    def in_transaction(self, connection: Connection) -> bool:
        """Whether the transaction still stands after an error, so that a savepoint can be gone back to."""

    def hold(self, connection: Connection) -> None:  # noqa: B027 - a file needs no more than its folder's lock
        """Keep a second daemon of this node away for as long as this connection lives, or raise `StoreInUse`."""

    def is_lost(self, connection: Connection, error: BaseException) -> bool:  # noqa: ARG002 - a file is never lost
        """Whether the connection is gone after this error."""
        return connection.closed

    def ticket(self, connection: Connection) -> str | None:  # noqa: ARG002 - as `is_lost`
        """What `was_committed` needs to know of the transaction that runs."""
        return None

    def was_committed(  # noqa: B027 - a file is never lost
        self, connection: Connection, ticket: str | None
    ) -> bool | None:
        """Whether a transaction whose commit was never answered took place; None when nobody can tell."""

    @contextmanager
    def alone(self, connection: Connection) -> Generator[None]:  # noqa: ARG002 - as `hold`
        """While the schema is looked at and changed, no other host does so."""
        yield

    def collided(self, error: BaseException) -> bool:  # noqa: ARG002 - as `is_lost`
        """Whether another host was in the way: run again, the work sees what that host did."""
        return False

    def listening(self) -> Any | None:
        """A connection of its own that hears signals; None where nobody else is."""
        return None

    @property
    def own_process(self) -> int | None:
        """The server's number of the session that writes: its own signals are no news."""
        return None

    def absence(self) -> StorageFull | None:  # noqa: B027 - a database does not move away under its connections
        """Why nothing may be written now although the connection would take it; None as a rule."""

    def seal(self) -> None:  # noqa: B027 - only a file has rights to set
        """Close what opening left open to others."""


def number_of(node: str) -> int:
    """The name of a node as a number of 32 bits, with sign: how a server's lock on it is called."""
    return int.from_bytes(hashlib.sha256(node.encode()).digest()[:4], "big", signed=True) or 1


def unreachable() -> Unavailable:
    """The database does not answer: nothing was stored."""
    return Unavailable("store_unreachable", "the database cannot be reached; nothing was stored", retry_after_s=5)


def full() -> StorageFull:
    """The disk takes no more for the moment."""
    return StorageFull("storage_full", "the disk under the store is full or cannot be written", retry_after_s=30)
