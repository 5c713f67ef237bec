"""Where a number is, as far as its digits tell: a country, sometimes a state of it, and the time zones it may lie in.

What the library of numbers says is asked by its own patterns and prefixes, compiled once for each calling code: the
library itself takes a hundred times as long, too long for thousands of messages a second. The answers are the same
(`tests/gateway/rules/test_places.py` compares them), with one addition. A number that fits no pattern, as one of a
range that was opened after the release of the metadata, or one kept for fiction, is "Etc/Unknown" to the library. Here
it has all zones of its calling code: a French number is in Paris whatever its range is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from gateway.address import Residence

#: For a country the beginnings of its national numbers that lie in one state of it: `{"US": {"305": "FL"}}`.
Subdivisions: TypeAlias = Mapping[str, Mapping[str, str]]

_KEPT = 8192
_LOCAL = "local"
_E164 = re.compile(r"\+[1-9][0-9]{1,19}")
#: Patterns of numbers that lie nowhere in particular.
_PLACELESS = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """`country` is ISO 3166 alpha-2, None where the digits do not tell; `subdivision` a state of it; `zones` are IANA
    names, at least one, sorted."""

    country: str | None
    subdivision: str | None
    zones: tuple[str, ...]


class Places:
    """Places of numbers. `timezone` is the zone where a number has none; `is_zone` says whether the zone data base has
    one: a zone that it does not have is left out."""

    def __init__(self, timezone: str, is_zone: Callable[[str], bool], subdivisions: Subdivisions | None = None) -> None:
        self._timezone = timezone
        self._is_zone = is_zone
        self._areas = {country: _by_length(areas) for country, areas in (subdivisions or {}).items()}
        self._numbers: dict[str, Place] = {}
        self._places: dict[tuple[str | None, str | None, tuple[str, ...]], Place] = {}

    def of(self, number: str, *, timezone: str | None = None, country: str | None = None) -> Place:
        """The place of an E.164 number. What is known of its holder goes first: `timezone`, `country`."""
        place = self._numbers.get(number)
        if place is None:
            if len(self._numbers) >= _KEPT:
                self._numbers.clear()
            place = self._numbers[number] = self._read(number)
        return place if timezone is None and country is None else self._known(place, timezone, country)

    def where(self, number: str, residence: Residence | None) -> Place:
        """The place of somebody: of the number, and of what is known beside it."""
        if residence is None:
            return self.of(number)
        return self.of(number, timezone=residence.timezone, country=residence.country)

    def forget(self) -> None:
        """The zone data base is another one."""
        self._numbers.clear()
        self._places.clear()

    def _known(self, place: Place, timezone: str | None, country: str | None) -> Place:
        zones = (timezone,) if timezone is not None and self._is_zone(timezone) else place.zones
        if country is None or country == place.country:
            return self._one(place.country, place.subdivision, zones)
        return self._one(country, None, zones)

    def _read(self, number: str) -> Place:
        country, zones, national = located(number)
        return self._one(country, self._subdivision(country, national), zones)

    def _subdivision(self, country: str | None, national: str) -> str | None:
        for length, areas in self._areas.get(country or "", ()):
            if found := areas.get(national[:length]):
                return found
        return None

    def _one(self, country: str | None, subdivision: str | None, zones: Sequence[str]) -> Place:
        """The same object for the same place, so that few are kept."""
        key = (country, subdivision, tuple(zones))
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _KEPT:
                self._places.clear()
            known = tuple(sorted(zone for zone in key[2] if self._is_zone(zone)))
            place = self._places[key] = Place(country, subdivision, known or (self._timezone,))
        return place


def located(number: str) -> tuple[str | None, tuple[str, ...], str]:
    """Country, zones (none where the metadata has none) and national digits of a number."""
    found = _plan_at(number[:_CODE_MAX]) if _E164.fullmatch(number) else None
    return (None, (), "") if found is None else found[1].located(number[1:], number[found[0] :])


# A + and three digits: no calling code is longer.
_CODE_MAX = 4


@lru_cache(maxsize=1024)
def _plan_at(beginning: str) -> tuple[int, _CodePlan] | None:
    """What is known of the calling code that so much of a number begins with, and how long that is with its +."""
    for length in range(2, _CODE_MAX + 1):
        # No calling code begins with another one.
        plan = _plan_of_code(beginning[1:length])
        if plan is not None:
            return length, plan
    return None


def _by_length(areas: Mapping[str, str]) -> tuple[tuple[int, dict[str, str]], ...]:
    """Beginnings by their length, the longest first."""
    lengths = sorted({len(area) for area in areas}, reverse=True)
    return tuple((length, {area: name for area, name in areas.items() if len(area) == length}) for length in lengths)


@dataclass(frozen=True, slots=True)
class _Region:
    """A country's numbers: `kinds` fits whole national numbers, and the name of its group says of which kind."""

    country: str | None
    #: Where there is one, it alone tells this country from others of the same calling code.
    leading: re.Pattern[str] | None
    kinds: re.Pattern[str]

    def has(self, national: str) -> bool:
        """Whether the number is one of this country."""
        if self.leading is not None:
            return self.leading.match(national) is not None
        return self.kinds.fullmatch(national) is not None

    def is_local(self, national: str) -> bool:
        """Whether the digits tell in which part of the country the number is."""
        found = self.kinds.fullmatch(national)
        return found is not None and found.lastgroup == _LOCAL


@dataclass(frozen=True, slots=True)
class _CodePlan:
    """What is known of the numbers of one calling code."""

    regions: tuple[_Region, ...]
    zones: tuple[str, ...]
    #: What the library would take away from the national digits.
    stripped: re.Pattern[str] | None

    def located(self, digits: str, national: str) -> tuple[str | None, tuple[str, ...], str]:
        """`digits` begin with the calling code, `national` after it."""
        if self.stripped is not None and self.stripped.match(national):
            digits, national = _respelled(digits, national)
        region = self._region_of(national)
        if region is None:
            return None, self.zones, national
        zones = _zones_of(digits) if region.is_local(national) else self.zones
        return region.country, zones, national

    def _region_of(self, national: str) -> _Region | None:
        if len(self.regions) == 1:
            return self.regions[0]
        return next((region for region in self.regions if region.has(national)), None)


def _zones_of(digits: str) -> tuple[str, ...]:
    """The zones of the longest beginning that the metadata has."""
    for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        zones = TIMEZONE_DATA.get(digits[:length])
        if zones is not None:
            return zones
    return ()


def _respelled(digits: str, national: str) -> tuple[str, str]:
    """Both as the library reads them: it may take a national prefix away."""
    try:
        parsed = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return digits, national
    national = phonenumbers.national_significant_number(parsed)
    return f"{parsed.country_code}{national}", national


@cache
def _plan_of_code(code: str) -> _CodePlan | None:
    """None where no country has the calling code."""
    names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if names is None:
        return None
    found: list[tuple[str, Any]] = [
        (name, phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), name)) for name in names
    ]
    main: Any = found[0][1]
    prefix = main.national_prefix_for_parsing if main else None
    regions = tuple(_region(name, int(code), metadata) for name, metadata in found if metadata)
    return _CodePlan(regions, _zones_of(code), re.compile(prefix) if prefix else None)


def _region(name: str, code: int, metadata: Any) -> _Region:
    local, other = [metadata.fixed_line], [metadata.mobile]
    if phonenumbers.is_number_type_geographical(PhoneNumberType.MOBILE, code):
        # There a mobile number tells its area as well.
        local, other = [metadata.fixed_line, metadata.mobile], []
    placeless = _any_whole(getattr(metadata, kind) for kind in _PLACELESS)
    # The first kind that fits is meant, as with the library.
    kinds = f"(?:{placeless})|(?P<{_LOCAL}>{_any_whole(local)})|(?:{_any_whole(other)})"
    return _Region(
        None if name == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else name,
        re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        re.compile(rf"(?=(?:{_any_whole([metadata.general_desc])})\Z)(?:{kinds})"),
    )


def _any_whole(descriptions: Any) -> str:
    """One pattern for the whole numbers that any of the metadata's descriptions fits, by length and digits."""
    fitting = [_lengths(each) + f"(?:{each.national_number_pattern})" for each in descriptions if _says(each)]
    return "|".join(f"(?:{each})" for each in fitting) or "(?!)"


def _says(description: Any) -> bool:
    return description is not None and description.national_number_pattern not in (None, "", "NA")


def _lengths(description: Any) -> str:
    if not description.possible_length:
        return ""
    return "(?=(?:" + "|".join(f".{{{length}}}" for length in description.possible_length) + r")\Z)"
