"""Guesses: whoever offers wrong tokens waits longer and longer, and nobody else notices."""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable
from itertools import count

import pytest
from support.http import Api

from api.sources import source_of
from api.throttle import FREE, TOGETHER, Guesses

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Now:
    """A clock that stands still."""

    s = 0.0

    def __call__(self) -> float:
        return self.s


async def test_the_wait_grows_up_to_an_hour_and_goes_when_the_guesses_stop():
    now = Now()
    guesses = Guesses(now)
    assert [guesses.wrong("192.0.2.1") for _ in range(FREE)] == [None] * FREE
    assert guesses.wrong("192.0.2.1") == 1
    now.s += 0.5
    assert guesses.wrong("192.0.2.1") == 1
    # An impatient one gets no further.
    for _ in range(200):
        assert guesses.wrong("192.0.2.1") is not None
    assert guesses.wrong("192.0.2.2") is None
    now.s += 24 * 3600
    assert guesses.wrong("192.0.2.1") is None


async def test_who_keeps_guessing_waits_twice_as_long_each_time():
    now = Now()
    guesses, waits = Guesses(now), []
    for _ in range(5 * FREE):
        wait = guesses.wrong("192.0.2.1")
        if wait is not None:
            waits.append(wait)
            now.s += wait
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) <= 3600


async def test_many_addresses_share_one_budget_and_bounded_memory():
    now = Now()
    guesses = Guesses(now)
    answers = [guesses.wrong(f"198.51.100.{number}") for number in range(TOGETHER)]
    assert set(answers) == {None}
    assert guesses.wrong("203.0.113.1") == 60
    for number in range(10_000):
        guesses.wrong(f"source {number}")
    assert len(guesses) == 4096
    now.s += 60
    assert guesses.wrong("203.0.113.1") is None


async def test_one_line_a_minute_names_the_address_and_no_token(caplog: pytest.LogCaptureFixture):
    now = Now()
    guesses = Guesses(now)
    for _ in range(3 * FREE):
        guesses.wrong("192.0.2.1")
    assert [record.__dict__["from"] for record in caplog.records] == ["192.0.2.1"]
    now.s += 60
    for _ in range(3 * FREE):
        guesses.wrong("192.0.2.1")
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::ff", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 3), "fe80::/64"),
        (None, "unknown"),
    ],
)
async def test_sources(peer: object, source: str):
    class Transport:
        def get_extra_info(self, name: str) -> object:
            return peer if name == "peername" else None

    assert source_of(Transport()) == source  # pyright: ignore[reportArgumentType]


async def test_the_source_of_a_socket_in_the_file_system_is_its_user():
    one, other = socket.socketpair()

    class Transport:
        def get_extra_info(self, name: str) -> object:
            return {"peername": "", "socket": one}[name]

    with one, other:
        assert source_of(Transport()).startswith("uid:")  # pyright: ignore[reportArgumentType]


async def test_ten_thousand_guesses_change_nothing_for_a_right_token(
    api: Api, tell: Callable[[str], None], caplog: pytest.LogCaptureFixture
):
    # Of another gateway's tokens: the guesses here must not be held against what other tests offer.
    caplog.set_level(logging.WARNING)
    guesses = Guesses(time.monotonic)
    started, answers = time.process_time(), [guesses.wrong("127.0.0.1") for _ in range(10_000)]
    alone_us = (time.process_time() - started) / 10_000 * 1e6
    spread = Guesses(time.monotonic)
    numbers = count()
    over = sum(spread.wrong(f"2001:db8:{next(numbers):x}::/64") is not None for _ in range(10_000))
    free = sum(wait is None for wait in answers)
    tell(
        f"A04: of 10 000 guesses {free} from one address and {10_000 - over} from 10 000 addresses got 401, the "
        f"rest 429; {alone_us:.1f} us of bookkeeping each; {len(spread)} addresses kept"
    )
    assert free <= FREE + math.ceil(alone_us)
    assert 10_000 - over <= TOGETHER
    assert (await api.get("/v1/modems")).status == 200
