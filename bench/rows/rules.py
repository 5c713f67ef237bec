"""Decisions about the right moment: for people in ten countries, each asked once, and again in the same minute."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from bench.figures import Figure, Goal, at_least, at_most, percentile
from bench.plan import Plan
from gateway.config.categories import BUILT_IN
from gateway.config.holiday_calendar import HolidayCalendar
from gateway.config.settings import Category
from gateway.config.zones import ZoneBook
from gateway.rules.moments import MINUTE_US, Home, Moments
from gateway.rules.places import Places

_GOAL = at_least(20_000)  # more than twice what a queue moves
_ANY_MINUTE = at_most(5000, "p99")  # a preview may ask for any
_AT_US = 1_795_000_000_000_000  # a November morning
_DAY_MIN = 1440
_FEW = 5000
#: Beginnings of mobile numbers, and how many digits follow.
_COUNTRIES = {
    "+336": 8, "+4915": 8, "+4479": 8, "+1212": 7, "+3247": 7,
    "+4179": 7, "+352621": 6, "+3934": 8, "+346": 8, "+1416": 7,
}  # fmt: skip


async def measure(plan: Plan) -> list[Figure]:
    """For advertising, which has hours, days and holidays: as it is asked at the gate."""
    numbers = list(_numbers(plan.people))
    category, moments = BUILT_IN["promotional"], _moments()
    for number in numbers[: len(_COUNTRIES)]:
        moments.judge(category, number, _AT_US)  # the zones and holidays of each country are read once
    now = [(each, _AT_US) for each in numbers]
    some = [(each, _AT_US + index * 7919 % (365 * _DAY_MIN) * MINUTE_US) for index, each in enumerate(numbers[:_FEW])]
    return [
        _figure("right moment, each number for the first time", moments, category, now, _GOAL),
        _figure("right moment, again in the same minute", moments, category, now[-_FEW:], _GOAL),
        _figure("right moment, each in another minute of a year", moments, category, some, _ANY_MINUTE),
    ]


def _moments() -> Moments:
    zones = ZoneBook(lambda: time.monotonic_ns() // 1000)
    return Moments(Places("Europe/Paris", zones.has), zones, HolidayCalendar().is_holiday, Home("FR", "57"))


def _numbers(count: int) -> Iterator[str]:
    chance = random.Random(23040)
    for number in range(count):
        beginning, digits = list(_COUNTRIES.items())[number % len(_COUNTRIES)]
        yield beginning + "".join(chance.choice("0123456789") for _ in range(digits))


def _figure(work: str, moments: Moments, category: Category, asked: list[tuple[str, int]], goal: Goal) -> Figure:
    took_us: list[float] = []
    began = time.perf_counter()
    for number, at_us in asked:
        before = time.perf_counter_ns()
        moments.wait(category, number, at_us)
        took_us.append((time.perf_counter_ns() - before) / 1000)
    seconds = time.perf_counter() - began
    took_us.sort()
    return Figure(
        work, "1/s", len(asked) / seconds, p50=percentile(took_us, 50), p99=percentile(took_us, 99), goals=[goal],
        note=f"{len(asked)} numbers of {len(_COUNTRIES)} countries; p50 and p99 in µs",
    )  # fmt: skip
