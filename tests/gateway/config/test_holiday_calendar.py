"""Public holidays by country and region."""

from __future__ import annotations

from datetime import date

import pytest
from holidays.registry import COUNTRIES

from gateway.config.holiday_calendar import HolidayCalendar, holiday_country, holiday_regions


def _is(country: str, region: str, day: date) -> bool:
    return HolidayCalendar().is_holiday(country, region, day.toordinal())


@pytest.mark.parametrize(
    ("country", "region", "day", "expected"),
    [
        ("FR", "", date(2026, 7, 14), True),
        ("FR", "", date(2026, 7, 15), False),
        ("FR", "", date(2026, 12, 26), False),
        ("FR", "57", date(2026, 12, 26), True),
        ("FR", "Moselle", date(2026, 4, 3), True),
        ("GP", "", date(2026, 5, 27), True),  # of Guadeloupe alone
        ("US", "", date(2026, 7, 3), True),  # made up for a Saturday
        ("DE", "", date(2026, 10, 3), True),
        ("DE", "", date(2026, 11, 1), False),
        ("DE", "BW", date(2026, 11, 1), True),
        ("FR", "nowhere", date(2026, 7, 14), True),
        ("AC", "", date(2026, 12, 25), False),  # a country of the number plan that nobody knows holidays of
        ("XX", "", date(2026, 12, 25), False),
        ("FR", "", date(1, 1, 1), False),
        ("FR", "", date(9999, 12, 25), False),
    ],
)
def test_holidays(country: str, region: str, day: date, expected: bool):
    assert _is(country, region, day) is expected


@pytest.mark.parametrize("day", [-1, 0, 10**9])
def test_days_that_no_calendar_has(day: int):
    assert not HolidayCalendar().is_holiday("FR", "", day)


def test_every_known_country_can_be_asked_for_the_years_of_a_gateway():
    """None of them warns, fails, or is short of a year."""
    calendar = HolidayCalendar()
    for _, code, *_ in COUNTRIES.values():
        assert holiday_country(code)
        for year in (1970, 2026, 2040, 2101):
            calendar.is_holiday(code, "", date(year, 1, 1).toordinal())


def test_few_years_are_kept():
    calendar = HolidayCalendar()
    for number in range(5000):
        calendar.is_holiday("XX", str(number), date(2026, 1, 1).toordinal())
    assert len(calendar._years) <= 2048


def test_regions():
    assert {"57", "6AE", "Alsace"} <= set(holiday_regions("FR"))
    assert holiday_regions("XX") == ()
