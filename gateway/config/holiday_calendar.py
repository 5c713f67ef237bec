"""Public holidays of countries and their regions, from the package `holidays`: its category "public" alone, with the
days on which a holiday is made up for. The package is imported when the first holiday is asked for, a country's module
with its first one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any
from warnings import catch_warnings, simplefilter

_YEARS_KEPT = 2048


class HolidayCalendar:
    """Computed for a country, a region and a year at a time, and kept."""

    def __init__(self) -> None:
        self._years: dict[tuple[str, str, int], frozenset[int]] = {}

    def is_holiday(self, country: str, region: str, day: int) -> bool:
        """Whether the day (its ordinal, as of `datetime.date`) is a public holiday of the country, or of the region
        where one is given. A country, a region or a year that the package does not know has none."""
        year = date.fromordinal(day).year if 1 <= day <= date.max.toordinal() else 0
        key = (country, region, year)
        days = self._years.get(key)
        if days is None:
            if len(self._years) >= _YEARS_KEPT:
                self._years.clear()
            days = self._years[key] = _days_of(*key)
        return day in days


def holiday_country(country: str) -> bool:
    """Whether the package knows holidays of a country (ISO 3166 alpha-2)."""
    return country in _known_countries()


def holiday_regions(country: str) -> Collection[str]:
    """How the regions of a country may be written: codes, and names as aliases."""
    if not holiday_country(country):
        return ()
    entity = _entity(country)
    return {*entity.subdivisions, *entity.subdivisions_aliases}


def _days_of(country: str, region: str, year: int) -> frozenset[int]:
    if not holiday_country(country):
        return frozenset()
    entity = _entity(country)
    if not max(entity.start_year, 1) <= year <= entity.end_year:
        return frozenset()
    subdivision = region if region in holiday_regions(country) else None
    with catch_warnings():
        # Some countries warn of years for which the moon has not been asked: they have the others.
        simplefilter("ignore")
        found = entity(years=year, subdiv=subdivision, expand=False, categories=("public",))
    return frozenset(day.toordinal() for day in found)


@cache
def _known_countries() -> frozenset[str]:
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - a twentieth of a second, for who uses holidays alone

    return frozenset(codes[1] for codes in COUNTRIES.values())


def _entity(country: str) -> Any:
    """The package's class of a country."""
    import holidays  # noqa: PLC0415 - as above

    return getattr(holidays, country)
