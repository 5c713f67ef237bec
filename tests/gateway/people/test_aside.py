"""The process beside the gateway: answers, errors, and what never ends."""

from __future__ import annotations

import time

import pytest

from gateway.errors import InvalidRequest
from gateway.people.aside import Aside, TookTooLong


def double(value: int) -> int:
    return 2 * value


def spin() -> None:
    while True:
        pass


def fill() -> int:
    return len([bytearray(1 << 20) for _ in range(4096)])


def refuse() -> None:
    raise InvalidRequest.field("unknown_field", "/filter", "there is no such attribute")


def tell() -> None:
    raise ValueError("Marie Curie")


@pytest.fixture
async def aside():
    made = Aside()
    yield made
    await made.close()


async def test_a_job_answers_and_so_does_the_next(aside: Aside):
    assert [await aside.run(20, double, each) for each in (1, 2, 3)] == [2, 4, 6]


async def test_what_never_ends_is_ended_and_the_next_job_has_a_new_process(aside: Aside):
    assert await aside.run(20, double, 1) == 2
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        await aside.run(0.2, spin)
    assert time.monotonic() - began < 10
    assert await aside.run(20, double, 1) == 2


async def test_what_takes_all_memory_fails_alone(aside: Aside):
    with pytest.raises((TookTooLong, RuntimeError)):
        await aside.run(30, fill)
    assert await aside.run(20, double, 1) == 2


async def test_our_errors_come_back_and_others_without_their_words(aside: Aside):
    with pytest.raises(InvalidRequest) as refused:
        await aside.run(20, refuse)
    assert refused.value.errors[0].pointer == "/filter"
    with pytest.raises(RuntimeError) as told:
        await aside.run(20, tell)
    assert "Marie" not in str(told.value)
