"""The message storages of the equipment: numbered slots that fill up.

It knows no command and no network. Source: 3GPP TS 27.005, 3.1 (<stat>, <index>) and 3.2.2 (storages).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol


class MemoryFullError(Exception):
    """No slot is free: +CMS ERROR 322, and RP-ERROR "memory capacity exceeded" towards the network."""


class Status(IntEnum):
    """<stat> of 27.005, 3.1 as PDU mode writes it."""

    REC_UNREAD = 0
    REC_READ = 1
    STO_UNSENT = 2
    STO_SENT = 3


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One slot: `pdu` is the service centre address field and the TPDU behind it."""

    status: Status
    pdu: bytes

    @property
    def tpdu(self) -> bytes:
        """The TPDU alone."""
        return self.pdu[1 + self.pdu[0] :]


class MessageMemory(Protocol):
    """What commands ask of a storage, of a single one or of several joined."""

    @property
    def capacity(self) -> int: ...
    @property
    def used(self) -> int: ...
    def store(self, message: StoredMessage) -> int: ...
    def get(self, index: int) -> StoredMessage | None: ...
    def put(self, index: int, message: StoredMessage) -> None: ...
    def mark(self, index: int, status: Status) -> None: ...
    def delete(self, index: int) -> None: ...
    def items(self) -> Iterator[tuple[int, StoredMessage]]: ...


class SlotMemory:
    """A storage of `capacity` slots whose numbers begin with `first_index`; the lowest free one is taken."""

    def __init__(self, capacity: int, first_index: int = 1) -> None:
        self.first_index = first_index
        self._slots: list[StoredMessage | None] = [None] * capacity

    @property
    def capacity(self) -> int:
        return len(self._slots)

    @property
    def used(self) -> int:
        return sum(slot is not None for slot in self._slots)

    def store(self, message: StoredMessage) -> int:
        """Put `message` into the lowest free slot and return its index; MemoryFullError when there is none."""
        for position, slot in enumerate(self._slots):
            if slot is None:
                self._slots[position] = message
                return position + self.first_index
        raise MemoryFullError

    def get(self, index: int) -> StoredMessage | None:
        """The message of a slot, None when it is empty; IndexError when there is no such slot."""
        return self._slots[self._position(index)]

    def put(self, index: int, message: StoredMessage) -> None:
        """Put `message` into a slot in place of what is there; IndexError when there is no such slot."""
        self._slots[self._position(index)] = message

    def mark(self, index: int, status: Status) -> None:
        """Give the message of an occupied slot another status."""
        position = self._position(index)
        if message := self._slots[position]:
            self._slots[position] = replace(message, status=status)

    def delete(self, index: int) -> None:
        """Empty a slot, which may be empty already; IndexError when there is no such slot."""
        self._slots[self._position(index)] = None

    def items(self) -> Iterator[tuple[int, StoredMessage]]:
        """Index and message of every occupied slot, in the order of indices."""
        for position, slot in enumerate(self._slots):
            if slot is not None:
                yield position + self.first_index, slot

    def _position(self, index: int) -> int:
        position = index - self.first_index
        if not 0 <= position < len(self._slots):
            raise IndexError(index)
        return position


class JoinedMemory:
    """Several storages read as one, such as "MT": the second one's indices follow the first one's."""

    def __init__(self, *memories: SlotMemory) -> None:
        self._memories = memories

    @property
    def capacity(self) -> int:
        return sum(memory.capacity for memory in self._memories)

    @property
    def used(self) -> int:
        return sum(memory.used for memory in self._memories)

    def store(self, message: StoredMessage) -> int:
        """Put `message` into the first storage that has room; MemoryFullError when none has."""
        for offset, memory in self._offsets():
            if memory.used < memory.capacity:
                return memory.store(message) + offset
        raise MemoryFullError

    def get(self, index: int) -> StoredMessage | None:
        """As SlotMemory.get."""
        memory, own = self._locate(index)
        return memory.get(own)

    def put(self, index: int, message: StoredMessage) -> None:
        """As SlotMemory.put."""
        memory, own = self._locate(index)
        memory.put(own, message)

    def mark(self, index: int, status: Status) -> None:
        """As SlotMemory.mark."""
        memory, own = self._locate(index)
        memory.mark(own, status)

    def delete(self, index: int) -> None:
        """As SlotMemory.delete."""
        memory, own = self._locate(index)
        memory.delete(own)

    def items(self) -> Iterator[tuple[int, StoredMessage]]:
        """As SlotMemory.items."""
        for offset, memory in self._offsets():
            for index, message in memory.items():
                yield index + offset, message

    def _offsets(self) -> Iterator[tuple[int, SlotMemory]]:
        offset = 0
        for memory in self._memories:
            yield offset, memory
            offset += memory.capacity

    def _locate(self, index: int) -> tuple[SlotMemory, int]:
        for offset, memory in self._offsets():
            if index - offset < memory.capacity + memory.first_index:
                return memory, index - offset
        raise IndexError(index)
