"""Storages: slots that fill up, and several read as one."""

from __future__ import annotations

import pytest

from drivers.sim.memory import JoinedMemory, MemoryFullError, SlotMemory, Status, StoredMessage


def message(number: int) -> StoredMessage:
    return StoredMessage(Status.REC_UNREAD, bytes((0, number)))


def test_the_lowest_free_slot_is_taken():
    memory = SlotMemory(3, first_index=0)
    assert [memory.store(message(number)) for number in range(3)] == [0, 1, 2]
    with pytest.raises(MemoryFullError):
        memory.store(message(9))
    memory.delete(1)
    assert memory.used == 2
    assert memory.store(message(7)) == 1
    assert memory.get(1) == message(7)


@pytest.mark.parametrize("index", [0, 4, -1])
def test_there_are_no_other_slots(index: int):
    memory = SlotMemory(3)
    with pytest.raises(IndexError):
        memory.get(index)
    with pytest.raises(IndexError):
        memory.delete(index)


def test_marking_an_empty_slot_changes_nothing():
    memory = SlotMemory(3)
    memory.mark(1, Status.REC_READ)
    assert memory.get(1) is None


@pytest.fixture(params=[0, 1])
def joined(request: pytest.FixtureRequest) -> tuple[SlotMemory, SlotMemory, JoinedMemory]:
    first, second = SlotMemory(2, request.param), SlotMemory(3, request.param)
    return first, second, JoinedMemory(first, second)


def test_joined_storages_number_on(joined: tuple[SlotMemory, SlotMemory, JoinedMemory]):
    first, second, both = joined
    start = first.first_index
    assert (both.capacity, both.used) == (5, 0)
    assert [both.store(message(number)) for number in range(5)] == list(range(start, start + 5))
    with pytest.raises(MemoryFullError):
        both.store(message(9))
    assert (first.used, second.used) == (2, 3)
    assert [index for index, _ in both.items()] == list(range(start, start + 5))
    both.mark(start + 2, Status.REC_READ)
    assert second.get(start) == StoredMessage(Status.REC_READ, bytes((0, 2)))
    both.delete(start + 4)
    assert both.get(start + 4) is None
    assert both.get(start + 1) == message(1)
    for index in (start - 1, start + 5):
        with pytest.raises(IndexError):
            both.get(index)


def test_a_stored_message_knows_its_tpdu():
    assert StoredMessage(Status.STO_SENT, bytes.fromhex("0391132101ff")).tpdu == b"\x01\xff"
