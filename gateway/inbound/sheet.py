"""What a group of received messages writes, put off so that one statement serves many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.store import events, inbox
from gateway.store.schema import AnyRow


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole message: what it says, and the rows of its parts in order, or its only part, which is not kept yet."""

    text: str | None
    data: bytes | None
    sent_us: int | None
    part_ids: Sequence[int] = ()
    new_part: dict[str, Any] | None = None


class Sheet:
    """The rows of one transaction, until somebody needs to read them."""

    def __init__(self, connection: Connection, now_us: int, answered: Mapping[int, AnyRow]) -> None:
        self.connection = connection
        self.now_us = now_us
        #: The latest message that has left to each of these people.
        self.answered = answered
        self._parts: list[dict[str, Any]] = []
        self._items: list[dict[str, Any]] = []
        self._ties: list[tuple[int, str]] = []

    def add(self, row: dict[str, Any], whole: Whole) -> None:
        """A whole message, its parts, and its event."""
        self._items.append(row)
        self._ties += [(part_id, row["id"]) for part_id in whole.part_ids]
        if whole.new_part is not None:
            self._parts.append(whole.new_part | {"inbox_id": row["id"]})

    def keep(self, row: dict[str, Any]) -> None:
        """A part that makes no message for people."""
        self._parts.append(row | {"inbox_id": None})

    def write(self) -> None:
        """Write what was put off."""
        if self._parts:
            inbox.add_parts(self.connection, self._parts)
        if self._items:
            inbox.add(self.connection, self._items)
            told = [(row["id"], f"through {row['modem']}") for row in self._items]
            events.record_all(self.connection, self.now_us, "inbound.received", told)
        if self._ties:
            inbox.tie(self.connection, self._ties)
        self._parts, self._items, self._ties = [], [], []
