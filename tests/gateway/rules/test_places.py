"""Country, state and zones of numbers: as the library of numbers has them, in a hundredth of its time."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers import timezone

from gateway.address import country_of
from gateway.config.zones import ZoneBook
from gateway.rules.places import Place, Places, located

KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
HERE = "Indian/Reunion"


@pytest.fixture
def places() -> Places:
    return Places(HERE, ZoneBook(lambda: 0).has, {"US": {"305": "FL", "21": "XX", "214": "TX"}})


def _sample(chance: random.Random) -> set[str]:
    """Numbers of every kind in every country, by example and with digits by lot, of every prefix that has zones, and of
    every calling code."""

    def digits(count: int) -> str:
        return "".join(chance.choice("0123456789") for _ in range(count))

    found = {f"+{code}{digits(chance.randint(5, 11))}" for code in _codes() for _ in range(20)}
    found |= {f"+{prefix}{digits(max(9 + chance.randrange(3) - len(prefix), 0))}" for prefix in timezone.TIMEZONE_DATA}
    for region in phonenumbers.SUPPORTED_REGIONS:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        for kind in KINDS:
            example = getattr(getattr(metadata, kind), "example_number", None)
            for kept in [len(example), *(chance.randrange(len(example)) for _ in range(6))] if example else []:
                found.add(f"+{metadata.country_code}{example[:kept]}{digits(len(example) - kept)}")
    return found


def _codes() -> list[int]:
    return sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def test_zones_and_countries_are_those_of_the_library(seeded: random.Random):
    compared = unknown = 0
    for number in sorted(_sample(seeded)):
        parsed = phonenumbers.parse(number, None)
        if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
            continue  # not as the gateway stores it
        country, zones, _ = located(number)
        assert country == country_of(number), number
        if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.UNKNOWN:
            unknown += 1
            continue
        theirs = timezone.time_zones_for_number(parsed)
        assert (zones or (timezone.UNKNOWN_TIMEZONE,)) == theirs, number
        compared += 1
    assert compared > 5000
    assert unknown > 1000


@pytest.mark.parametrize(
    ("number", "country", "zones"),
    [
        ("+33612345678", "FR", ["Europe/Paris"]),
        ("+33639980101", "FR", ["Europe/Paris"]),  # kept for fiction: of no known range
        ("+447700900123", None, ["Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "Europe/London"]),
        ("+12125550123", "US", ["America/New_York"]),
        ("+594694123456", "GF", ["America/Cayenne"]),
        ("+390612345678", "IT", ["Europe/Rome"]),  # its zero stays
        ("+551123456789", "BR", ["America/Sao_Paulo"]),
        ("+870773111632", None, [HERE]),  # a satellite
        ("+80012345678", None, [HERE]),
        ("+999123", None, [HERE]),
        ("38200", None, [HERE]),
        ("BANK", None, [HERE]),
        ("", None, [HERE]),
    ],
)
def test_places_of_numbers(places: Places, number: str, country: str | None, zones: list[str]):
    place = places.of(number)
    assert (place.country, list(place.zones)) == (country, zones)


def test_a_number_of_many_zones_has_them_all(places: Places):
    zones = places.of("+61491570156").zones
    assert {"Australia/Perth", "Australia/Sydney", "Australia/Lord_Howe"} <= set(zones)
    assert list(zones) == sorted(zones)


def test_states_by_the_longest_area_code(places: Places):
    assert places.of("+13055550123").subdivision == "FL"
    assert places.of("+12145550123").subdivision == "TX"
    assert places.of("+12125550123").subdivision == "XX"
    assert places.of("+14155550123").subdivision is None
    assert places.of("+33612345678").subdivision is None


def test_what_is_known_of_the_person_goes_first(places: Places):
    assert places.of("+33612345678", timezone="Asia/Tokyo") == Place("FR", None, ("Asia/Tokyo",))
    assert places.of("+13055550123", country="CA") == Place("CA", None, ("America/New_York",))
    assert places.of("+13055550123", country="US").subdivision == "FL"
    assert places.of("+33612345678", timezone="Mars/Olympus").zones == ("Europe/Paris",)


def test_zones_that_the_data_base_does_not_have_are_left_out():
    known = {"Europe/London", HERE}
    places = Places(HERE, known.__contains__)
    assert places.of("+447700900123").zones == ("Europe/London",)
    assert places.of("+33612345678").zones == (HERE,)
    known.add("Europe/Paris")
    places.forget()
    assert places.of("+33612345678").zones == ("Europe/Paris",)


def test_few_places_for_many_numbers(places: Places):
    assert len({id(places.of(f"+3361234{number:04}")) for number in range(10_000)}) == 1
    assert len(places._numbers) <= 8192
