"""Numbers are read quickly exactly as the library reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.address import NumberInvalid, parse_recipient
from gateway.people.importing_numbers import _plain, _plan_of, normal_number

COUNTRIES = ("FR", "BE", "CH", "LU", "DE", "GB", "US", "ES", "IT", "PT", "NL", "AT", "PL", "CZ", "DK", "JP", "MC", "RE")
DIGITS = st.text("0123456789", min_size=3, max_size=15)


def _read(reader, text: str, country: str | None) -> str:
    try:
        return reader(text, country)
    except NumberInvalid:
        return "invalid"


@given(
    st.sampled_from(COUNTRIES), st.sampled_from(["", "0", "00", "1", "06", "07", "3", "33", "44", "+33", "+"]), DIGITS
)
def test_any_digits_are_read_alike(country: str, prefix: str, digits: str):
    text = prefix + digits
    assert _read(normal_number, text, country) == _read(parse_recipient, text, country)


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        # A spreadsheet has taken it for a sum.
        ("612345678", "FR", "+33612345678"),
        ("33612345678", "FR", "+33612345678"),
        ("0033612345678", "FR", "+33612345678"),
        ("(0)475 12 34 56", "BE", "+32475123456"),
        ("+33 6 12 34 56 78", None, "+33612345678"),
    ],
)
def test_numbers_as_people_write_them(text: str, country: str | None, number: str):
    assert normal_number(text, country) == number


def test_the_usual_ones_need_no_library():
    for country, digits in (("FR", "0612345678"), ("BE", "0475123456"), ("GB", "07912345678"), ("ES", "612345678")):
        plan = _plan_of(country)
        assert plan is not None
        assert _plain(plan, digits) is not None
