"""How much of what waits shares a transaction, and in which order it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.store.jobs import Job, Shared
from gateway.store.waiting import MAX_GROUP, Pace, Waiting


def job() -> Job:
    return Job(lambda _connection: None)


def one_kind(_connection: object, items: Sequence[object]) -> list[object]:
    return list(items)


def other_kind(_connection: object, items: Sequence[object]) -> list[object]:
    return list(items)


def paced(work_us: int, flush_us: int) -> Pace:
    pace = Pace()
    for _ in range(200):
        pace.learn(works=2, work_us=2 * work_us, flush_us=flush_us)
    return pace


@pytest.mark.parametrize(
    ("work_us", "flush_us", "waiting", "most"),
    [
        (200, 200, 8, 2),
        (200, 200, 3, 1),
        (200, 20_000, 8, 100),
        (200, 100, 1, 1),
        (5000, 100, 64, 16),
        (0, 0, 2, 1),
    ],
)
def test_works_share_what_costs_as_much_as_they_do(work_us: int, flush_us: int, waiting: int, most: int) -> None:
    assert paced(work_us, flush_us).most(waiting) == most


async def test_what_is_taken_keeps_its_order_and_is_taken_once() -> None:
    waiting = Waiting()
    waiting.pace = paced(200, 600)
    jobs = [job() for _ in range(7)]
    for each in jobs:
        waiting.put(each)
    assert [waiting.take(), waiting.take(), waiting.take()] == [jobs[:3], jobs[3:6], jobs[6:]]


async def test_neighbours_that_can_be_done_together_are_one_work() -> None:
    waiting = Waiting()
    waiting.pace = paced(200, 400)
    jobs = [*[Shared(one_kind, n) for n in range(5)], *[Shared(other_kind, n) for n in range(3)], job(), job()]
    for each in jobs:
        waiting.put(each)
    assert [waiting.take(), waiting.take()] == [jobs[:8], jobs[8:]]


async def test_a_transaction_has_a_bound() -> None:
    waiting = Waiting()
    for number in range(MAX_GROUP + 1):
        waiting.put(Shared(one_kind, number))
    assert [len(waiting.take()), len(waiting.take())] == [MAX_GROUP, 1]


async def test_what_is_to_be_run_again_comes_first() -> None:
    waiting = Waiting()
    first, second, third = job(), job(), job()
    waiting.put(third)
    waiting.again([first, second])
    assert [waiting.take_one(0), waiting.take_one(0), waiting.take_one(0)] == [first, second, third]


async def test_closed_it_gives_out_what_is_left_and_then_nothing() -> None:
    waiting = Waiting()
    left = job()
    waiting.put(left)
    waiting.close()
    assert not waiting.is_over
    assert (waiting.take(), waiting.take(), waiting.take()) == ([left], [], [])
    assert waiting.is_over


async def test_the_writer_waits_until_something_comes() -> None:
    waiting = Waiting()
    taken = asyncio.create_task(asyncio.to_thread(waiting.take))
    late = job()
    waiting.put(late)
    assert await taken == [late]


async def test_nothing_in_time_is_nothing() -> None:
    assert Waiting().take_one(0.001) is None


async def test_one_that_was_offered_goes_along_with_others_and_is_taken_once() -> None:
    waiting = Waiting()
    patient, other = job(), job()
    waiting.offer(patient)
    waiting.put(other)
    assert waiting.take() == [other, patient]
    # Its time is over, and it was taken already.
    waiting.put(patient)
    last = job()
    waiting.put(last)
    assert waiting.take() == [last]


async def test_one_whose_time_was_over_before_it_was_taken_is_taken_once() -> None:
    waiting = Waiting()
    patient = job()
    waiting.offer(patient)
    waiting.put(patient)
    assert waiting.take() == [patient]
    waiting.close()
    assert waiting.take() == []


async def test_what_was_offered_is_taken_before_the_end() -> None:
    waiting = Waiting()
    patient = job()
    waiting.offer(patient)
    waiting.close()
    assert (waiting.take(), waiting.take()) == ([patient], [])
