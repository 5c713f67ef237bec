"""Telling other hosts that they may have something to do: with the commit, once for all that it brings.

A signal is a hint. Whoever misses it finds out by looking, a few seconds later at most; so it carries nothing but its
topic. On SQLite nobody listens.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection

from gateway.store.engines import is_shared


class Topic(StrEnum):
    """What there may be to do."""

    #: Something may leave, or become due earlier.
    WORK = "work"
    #: A command was left, or answered.
    COMMANDS = "commands"
    #: A token was made or revoked.
    TOKENS = "tokens"
    #: A host took its place, or has other modems now.
    HOSTS = "hosts"


def send(connection: Connection, topic: Topic) -> None:
    """Tell the others, if and when this transaction is committed."""
    if is_shared(connection):
        raw = connection.connection.driver_connection
        raw.signal(topic.value)  # type: ignore[union-attr]
