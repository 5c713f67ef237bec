"""Which numbers may be written to: a number that costs more than a message, or belongs to no person, never is.

Asked at the door, and again in front of the modem: the list of countries may be shorter by then, another host may have
accepted the message, and a confirmation of STOP goes to whoever the sender was said to be.

Refused unless `[api] allowed_numbers` names them: premium rate and shared cost (whoever hands in such numbers may be
their holder, and nobody reads messages there), personal numbers that are priced like them, satellites and ranges of no
country, short codes behind a country code. With a list of countries: every number of another one. A number of a calling
code that several countries share is of the country that the metadata says; of none, if it says none, unless all of them
are listed. Porting a number to another operator changes neither.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers

from gateway.address import NumberInvalid, calling_code, country_of, parse_recipient
from gateway.rules.number_ranges import RANGES, Kind

_ELSEWHERE = "is in a country that may not be written to (api.allowed_countries)"
_NO_LISTED = "is in no country for certain, and only some may be written to (api.allowed_countries)"
# No short code of the metadata that looks like a number is longer.
_SHORT_MAX = 8


# Known to telephones of nearly every country, whatever its own list says (GSM 02.30, 3GPP TS 22.101, 10.1; France).
_EMERGENCY = frozenset({"15", "17", "18", "112", "110", "115", "116", "119", "911", "999", "000"})
_CODE = re.compile(r"[0-9]{2,6}")


def _short_refusal(text: str, country: str | None) -> str | None:
    """What a text is that is no number of a person and yet can be dialled, as a predicate; None for any other."""
    if not _CODE.fullmatch(text):
        return None
    if text in _EMERGENCY or (country is not None and phonenumbers.is_emergency_number(text, country)):
        return "is an emergency number: nobody reads messages there"
    if country is None:
        return None
    code = phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(country), national_number=int(text)
    )
    if not phonenumbers.is_valid_short_number_for_region(code, country):
        return None
    return "is a short code: api.allowed_numbers names those that may be written to"


class Numbers:
    """The numbers that may be written to. Of `countries` (ISO 3166 alpha-2) alone, if there are any; the modems' `own`
    numbers always, so that modems can be tested by each other, and what is `allowed` by itself: numbers, beginnings of
    numbers, short codes."""

    def __init__(
        self, countries: Collection[str] = (), own: Collection[str] = (), allowed: Collection[str] = ()
    ) -> None:
        self._countries = frozenset(countries)
        self._own = frozenset((*own, *(each for each in allowed if not each.startswith("+"))))
        self._allowed = tuple(each for each in allowed if each.startswith("+"))

    def judged(self, text: str, country: str | None) -> tuple[str, str | None]:
        """The number that was written, in its normal form, and why it is not written to. Raises `NumberInvalid` for
        what is no number at all."""
        try:
            number = parse_recipient(text, country)
        except NumberInvalid:
            if (refusal := _short_refusal(text.strip(), country)) is None:
                raise
            return text, refusal
        return number, self.refusal(number)

    def refusal(self, number: str) -> str | None:
        """Why an E.164 number is not written to, as a predicate without the number ("is …"); None if it may be."""
        if number in self._own or (self._allowed and number.startswith(self._allowed)):
            return None
        code = calling_code(number)
        if code == number or not number.startswith("+"):
            return Kind.UNKNOWN.value
        plan = _plan_of(code)
        kind = plan.kind_of(number, number[len(code) :])
        if kind is not None:
            return kind.value
        return self._country_refusal(number, plan.countries) if self._countries else None

    def _country_refusal(self, number: str, shared: frozenset[str]) -> str | None:
        if shared <= self._countries:
            return None
        if shared.isdisjoint(self._countries):
            return _ELSEWHERE
        country = country_of(number)
        if country is None:
            return _NO_LISTED
        return None if country in self._countries else _ELSEWHERE


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of the numbers of one calling code."""

    countries: frozenset[str]
    rows: tuple[tuple[re.Pattern[str], Kind], ...]
    #: Whatever any of them fits; None where there are none.
    any_row: re.Pattern[str] | None
    #: Of whole national numbers: of premium rate, of shared cost, short codes.
    premium: re.Pattern[str] | None
    shared: re.Pattern[str] | None
    short: re.Pattern[str] | None

    def kind_of(self, number: str, national: str) -> Kind | None:
        """What kind of refused number this is; None for any other."""
        if self.any_row is not None and self.any_row.match(number):
            return next(kind for pattern, kind in self.rows if pattern.match(number))
        if self.premium is not None and self.premium.fullmatch(national):
            return Kind.PREMIUM
        if self.shared is not None and self.shared.fullmatch(national):
            return Kind.SHARED
        if self.short is not None and len(national) <= _SHORT_MAX and self.short.fullmatch(national):
            # In small countries a subscriber's number may look like a code.
            return None if phonenumbers.is_valid_number(phonenumbers.parse(number, None)) else Kind.SHORT
        return None


@cache
def _plan_of(code: str) -> _Plan:
    """`code` with its +."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    countries = frozenset(each for each in regions if each != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY)
    # No calling code begins with another one, so these are all the rows that may fit.
    rows = tuple((_compiled(prefix), kind) for prefix, kind, _ in RANGES if prefix.startswith(code))
    # A code of no country that has no row is still of no country.
    rows += () if countries else ((re.compile(""), Kind.NO_COUNTRY),)
    long: list[Any] = [phonenumbers.PhoneMetadata.metadata_for_region(each) for each in sorted(countries)]
    short: list[Any] = [phonenumbers.PhoneMetadata.short_metadata_for_region(each) for each in sorted(countries)]
    return _Plan(
        countries,
        rows,
        any_row=re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in rows)) if rows else None,
        premium=_any_of(each.premium_rate for each in long if each),
        shared=_any_of(each.shared_cost for each in long if each),
        short=_any_of(each.general_desc for each in short if each),
    )


def _compiled(prefix: str) -> re.Pattern[str]:
    return re.compile(r"\+" + prefix.removeprefix("+").replace("x", "[0-9]"))


def _any_of(found: Iterator[Any]) -> re.Pattern[str] | None:
    """One pattern for whatever fits any of the metadata's descriptions."""
    patterns = {each.national_number_pattern for each in found if each is not None} - {None, "", "NA"}
    return re.compile("|".join(f"(?:{each})" for each in sorted(patterns))) if patterns else None
