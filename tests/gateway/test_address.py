"""Numbers: one normal form, or a sentence."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import AddressKind, NumberInvalid, country_of, normalise_sender, parse_recipient


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+33612345678", None, "+33612345678"),
        ("+33 6 12 34 56 78", "DE", "+33612345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("0033612345678", "FR", "+33612345678"),
        ("0033612345678", None, "+33612345678"),
        ("(0171) 123-4567", "DE", "+491711234567"),
        ("+33639980101", "FR", "+33639980101"),
        ("011 33 6 12 34 56 78", "US", "+33612345678"),
    ],
)
def test_numbers_in_every_dress(text: str, country: str | None, expected: str) -> None:
    assert parse_recipient(text, country) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "12ab", "0612345678x", "+", "++33612345678", "+33", "+999123456789", "112", "911", "15", "36111",
        "*100#", "#31#0612345678", "+33612345678;AT", "+336123\r\n45678", "+33612345678\x1a", "+3361234567890123456",
        "٠٦١٢٣٤٥٦٧٨", "06123456781", "Clinique", "+33\u202e612345678", "0" * 500,
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NumberInvalid) as refused:
        parse_recipient(text, "FR")
    assert len(text) < 3 or text not in str(refused.value)


def test_a_national_number_needs_a_country() -> None:
    with pytest.raises(NumberInvalid, match="country"):
        parse_recipient("0612345678", None)


@given(st.text(max_size=30), st.sampled_from(["FR", "US", None]))
def test_any_text_is_e164_or_refused(text: str, country: str | None) -> None:
    try:
        number = parse_recipient(text, country)
    except NumberInvalid:
        return
    assert number.startswith("+")
    assert number[1:].isascii()
    assert number[1:].isdecimal()
    assert parse_recipient(number, None) == number


@pytest.mark.parametrize(
    ("text", "stored", "kind"),
    [
        ("+33612345678", "+33612345678", AddressKind.E164),
        ("0612345678", "+33612345678", AddressKind.E164),
        ("36111", "36111", AddressKind.SHORT_CODE),
        ("Clinique", "Clinique", AddressKind.ALPHANUMERIC),
        ("12ab", "12ab", AddressKind.ALPHANUMERIC),
        ("*100#", "*100#", AddressKind.ALPHANUMERIC),
        ("", "", AddressKind.ALPHANUMERIC),
        ("+99912345", "+99912345", AddressKind.SHORT_CODE),
        ("+36179", "+36179", AddressKind.SHORT_CODE),
        ("1234567890123", "1234567890123", AddressKind.SHORT_CODE),
    ],
)
def test_senders_are_kept_whatever_they_are(text: str, stored: str, kind: AddressKind) -> None:
    assert normalise_sender(text, "FR") == (stored, kind)


def test_country_of_a_number() -> None:
    assert country_of("+33612345678") == "FR"
    assert country_of("+870773111632") is None
    assert country_of("nonsense") is None


def by_the_library(text: str) -> str | None:
    """What the library alone makes of an international number."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else None


def by_us(text: str) -> str | None:
    try:
        return parse_recipient(text, None)
    except NumberInvalid:
        return None


_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
_PREFIXES = ["", "0", "00", "015", "1", "8", "9"]


@pytest.mark.parametrize("code", _CODES)
def test_a_plain_number_of_any_country_is_what_the_library_says(code: int) -> None:
    """The short way of `parse_recipient` against the long one: every country, length, and usual national prefix."""
    for length in (3, 5, *range(7, 13), 15, 17):
        for prefix in _PREFIXES:
            text = f"+{code}{(prefix + '2345678901234567')[:length]}"
            assert by_us(text) == by_the_library(text)
        text = f"+{code}{'0' * length}"
        assert by_us(text) == by_the_library(text)


@settings(max_examples=500)
@given(st.sampled_from(_CODES), st.text("0123456789", min_size=1, max_size=16))
def test_the_short_way_never_differs(code: int, national: str) -> None:
    assert by_us(f"+{code}{national}") == by_the_library(f"+{code}{national}")


def test_examples_of_every_region_and_kind() -> None:
    seen = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
                assert by_us(text) == by_the_library(text) == text
                seen += 1
    assert seen > 400


def test_a_sender_longer_than_can_be_is_kept_as_far_as_there_is_room() -> None:
    assert normalise_sender("a" * 200, "FR") == ("a" * 64, AddressKind.ALPHANUMERIC)
    assert len(normalise_sender("+" + "1" * 200, "FR")[0]) == 64
