"""Which numbers may be written to: tables against the rule, and the rule's table against the numbering metadata."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType
from support.numbers import ALLOWED, REFUSED

from gateway.rules.number_ranges import RANGES, Kind, Range
from gateway.rules.numbers import Numbers

SUBSCRIBERS = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
PRICED = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}


def _examples(kinds: set[int]) -> Iterator[str]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in sorted(kinds):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                yield phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(("number", "countries", "why"), REFUSED)
def test_refused(number: str, countries: tuple[str, ...], why: str) -> None:
    said = Numbers(countries).refusal(number)
    assert said is not None
    assert said.startswith(why)
    assert number not in said


@pytest.mark.parametrize(("number", "countries"), ALLOWED)
def test_allowed(number: str, countries: tuple[str, ...]) -> None:
    assert Numbers(countries).refusal(number) is None


@pytest.mark.parametrize(("number", "countries", "why"), [row for row in REFUSED if not row[1]])
def test_no_list_allows_what_is_refused_everywhere(number: str, countries: tuple[str, ...], why: str) -> None:
    assert countries == ()
    assert Numbers(phonenumbers.SUPPORTED_REGIONS).refusal(number) == why


def test_a_modems_own_number_is_always_allowed() -> None:
    own = {"+32470123456", "+883510012345"}
    assert [Numbers(("FR",), own).refusal(number) for number in sorted(own)] == [None, None]
    assert Numbers(("FR",), own).refusal("+32470123457") is not None


@pytest.mark.parametrize("number", ["+999123456789", "+991123456789", "+", "", "36111", "+0"])
def test_what_has_no_country_code_is_refused(number: str) -> None:
    assert Numbers().refusal(number) == Kind.UNKNOWN


def test_every_country_has_subscribers_that_are_written_to_and_no_priced_number_that_is() -> None:
    every, none = Numbers(phonenumbers.SUPPORTED_REGIONS), Numbers()
    subscribers = list(_examples(SUBSCRIBERS))
    assert len(subscribers) > len(phonenumbers.SUPPORTED_REGIONS)
    assert {number: said for number in subscribers if (said := none.refusal(number))} == {}
    assert {number: said for number in subscribers if (said := every.refusal(number))} == {}
    priced = list(_examples(PRICED))
    assert len(priced) > 100
    assert [number for number in priced if none.refusal(number) not in {Kind.PREMIUM, Kind.SHARED}] == []


def test_each_row_stands_once_and_names_its_source() -> None:
    assert len({row.prefix for row in RANGES}) == len(RANGES)
    assert [row for row in RANGES if not (row.source and re.fullmatch(r"\+[0-9x]+(\[\d-\d\])?", row.prefix))] == []


@pytest.mark.parametrize("row", [row for row in RANGES if "x" not in row.prefix], ids=lambda row: row.prefix)
def test_no_subscriber_has_a_number_of_a_range(row: Range, seeded: random.Random) -> None:
    prefix = re.sub(r"\[(\d)-\d\]", r"\1", row.prefix)
    for _ in range(500):
        # Of 7 to 15 digits, as E.164 numbers are.
        more = "".join(seeded.choices("0123456789", k=seeded.randint(7, 15) - len(prefix) + 1))
        number = phonenumbers.parse(prefix + more, None) if len(more) > 1 else None
        # What has no country is served by satellites, or on the way between networks.
        country = None if number is None else phonenumbers.region_code_for_country_code(number.country_code)
        assert country in {None, "001"} or phonenumbers.number_type(number) not in SUBSCRIBERS
        assert Numbers().refusal(prefix + more) == row.kind
