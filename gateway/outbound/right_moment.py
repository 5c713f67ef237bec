"""The rules of hours with what they need of this machine: the zone data base, the holidays, the clock."""

from __future__ import annotations

from collections.abc import Callable

from gateway.clock import SystemClock
from gateway.config.country_files import country_profiles
from gateway.config.holiday_calendar import HolidayCalendar, holiday_country
from gateway.config.settings import Settings
from gateway.config.table import Findings, join
from gateway.config.zones import ZoneBook
from gateway.rules.feasible import hours_findings
from gateway.rules.moments import Home, Moments, ProfilesOf, no_profiles
from gateway.rules.places import Place, Places, Subdivisions
from gateway.rules.profiles import Profiles

_HOLIDAYS = "holidays"


def moments_of(
    settings: Settings,
    *,
    profiles_of: ProfilesOf = no_profiles,
    subdivisions: Subdivisions | None = None,
    monotonic_us: Callable[[], int] | None = None,
) -> Moments:
    """The moments of a configuration. `monotonic_us` tells when to look for a newer zone data base."""
    zones = ZoneBook(monotonic_us or SystemClock().monotonic_us)
    places = Places(settings.gateway.timezone, zones.has, subdivisions)
    home = Home(settings.gateway.country, settings.gateway.holiday_region)
    return Moments(places, zones, HolidayCalendar().is_holiday, home, profiles_of)


def check_hours(settings: Settings, findings: Findings, *, at_us: int | None = None) -> None:
    """Whether each category may ever leave, where the gateway is. A check for `gateway.config.loader`."""
    moments = moments_of(settings, profiles_of=Profiles(country_profiles(), settings.profiles).of)
    gateway = settings.gateway
    place = Place(gateway.country, None, (gateway.timezone,))
    at_us = SystemClock().now_us() if at_us is None else at_us
    for category in settings.categories.values():
        path = join("categories", category.name)
        for found in hours_findings(moments, category, place, at_us):
            note = findings.problem if found.grave else findings.warning
            note(join(path, found.key), found.message)
        for key in ("quiet_hours", "windows", "preferred"):
            named = any(text.startswith(_HOLIDAYS) for text in getattr(category, key))
            if named and gateway.country is not None and not holiday_country(gateway.country):
                findings.warning(join(path, key), f"no public holidays of {gateway.country} are known: it has none")
