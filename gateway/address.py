"""Numbers as the gateway stores them: one normal form per person.

A recipient is an E.164 number (`+33612345678`). A sender may also be a short code (digits alone) or a name
(alphanumeric, TS 23.040, 9.1.2.5), to which nobody can reply.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException

# Whatever people write between the digits; anything else, a letter above all, is a mistake and not a number.
_SEPARATORS = str.maketrans("", "", "  \t-.()/\u00a0\u202f\u2011")
_DIGITS = re.compile(r"\+?[0-9]{1,20}")
_LONGEST_SENDER = 64
# What mail programs read as more than an address (a list, a name, a query) is none here.
_MAIL = re.compile(
    r"[^\s@,;:<>()\[\]\"\\&?%/\x00-\x1f\x7f\ud800-\udfff]{1,64}@[^\s@,;:<>()\[\]\"\\&?%/\x00-\x1f\x7f\ud800-\udfff]+"
)
_LONGEST_MAIL = 254  # RFC 5321, 4.5.3.1.3, without the brackets
_SHORT_CODE_MAX = 6


class AddressKind(StrEnum):
    """What a stored number is."""

    E164 = "e164"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"


@dataclass(frozen=True, slots=True)
class Residence:
    """What is known of where somebody is, whatever the digits of the number say: an IANA name, ISO 3166 alpha-2."""

    timezone: str | None
    country: str | None


class NumberInvalid(ValueError):
    """The text is no number that a message could be sent to; the message says why, without the text."""


def parse_recipient(text: str, country: str | None) -> str:
    """The E.164 form of a number written internationally, or nationally in `country` (ISO 3166 alpha-2).

    Raises `NumberInvalid` with a sentence for the user.
    """
    compact = text.translate(_SEPARATORS)
    if _is_plain(compact):
        return compact
    if not _DIGITS.fullmatch(compact):
        raise NumberInvalid("is not a phone number: write + and the country code, then digits only")
    if not compact.startswith(("+", "00")) and country is None:
        raise NumberInvalid("has no country code, and the configuration names no country for national numbers")
    try:
        number = phonenumbers.parse(_with_plus(compact, country), country)
    except NumberParseException as error:
        raise NumberInvalid(_PARSE_ERRORS.get(error.error_type, "is not a phone number")) from None
    # "Possible" and not "valid": ranges that were opened after the metadata's release must stay reachable.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberInvalid("has the wrong length for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_mail(text: str) -> bool:
    """Whether it is one plain mail address, and nothing around it."""
    return len(text) <= _LONGEST_MAIL and _MAIL.fullmatch(text) is not None


def kind_of(number: str) -> AddressKind:
    """Of a number that may be written to: a short code has no +."""
    return AddressKind.E164 if number.startswith("+") else AddressKind.SHORT_CODE


_PLAIN = re.compile(r"\+[1-9][0-9]{5,16}")


def _is_plain(compact: str) -> bool:
    """Whether an international number is certainly possible and already in its E.164 form.

    True only where the library would change no digit of it, and finds its length among those of its country: it strips
    something only where the pattern of the national prefix fits. A fiftieth of the library's time; whatever is not so
    plain is left to it.
    """
    if not _PLAIN.fullmatch(compact):
        return False
    code = calling_code(compact)
    plan = _plan(int(code[1:])) if code != compact else None
    if plan is None:
        return False
    lengths, prefix = plan
    national = compact[len(code) :]
    return len(national) in lengths and (prefix is None or prefix.match(national) is None)


@cache
def _plan(country_code: int) -> tuple[Collection[int], re.Pattern[str] | None] | None:
    """Possible lengths of national numbers, and what a national prefix looks like; None for no country code."""
    region = phonenumbers.region_code_for_country_code(country_code)
    if region == phonenumbers.UNKNOWN_REGION:
        return None
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    if metadata is None:
        return None
    # Some lengths can be dialled within an area alone.
    lengths = set(metadata.general_desc.possible_length) - set(metadata.general_desc.possible_length_local_only)
    pattern = metadata.national_prefix_for_parsing
    return lengths, re.compile(pattern) if pattern else None


def country_of(number: str) -> str | None:
    """ISO 3166 alpha-2 country of an E.164 number, None where it has none (satellite, unknown)."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except NumberParseException:
        return None
    return region if region and len(region) == 2 and region.isalpha() else None


def normalise_sender(text: str, country: str | None) -> tuple[str, AddressKind]:
    """The stored form of who wrote to us, with its kind. Never refuses: an odd sender is kept as it came, as far as
    there is room; a possible one has 20 digits or 11 letters at most (23.040, 9.1.2.5)."""
    text = text[:_LONGEST_SENDER]
    if not _DIGITS.fullmatch(text):
        return text, AddressKind.ALPHANUMERIC
    if len(text) <= _SHORT_CODE_MAX and not text.startswith(("+", "0")):
        return text, AddressKind.SHORT_CODE
    try:
        return parse_recipient(text, country), AddressKind.E164
    except NumberInvalid:
        # Some networks write a short code as if it were international.
        return text, AddressKind.SHORT_CODE


def _with_plus(compact: str, country: str | None) -> str:
    """00 is the international prefix where no national plan says otherwise."""
    return "+" + compact[2:] if compact.startswith("00") and country is None else compact


_PARSE_ERRORS = {
    NumberParseException.INVALID_COUNTRY_CODE: "has an unknown country code",
    NumberParseException.TOO_LONG: "is too long for a phone number",
    NumberParseException.TOO_SHORT_NSN: "is too short for a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "is too short for a phone number",
}


def calling_code(number: str) -> str:
    """The calling code of an E.164 number, with its +; the whole number if no country has it, as of
    a short code."""
    return _code_at(number[:_CODE_MAX]) or number


# A + and three digits: no calling code is longer, and none begins with another one.
_CODE_MAX = 4


@lru_cache(maxsize=1024)
def _code_at(beginning: str) -> str | None:
    """The calling code that so much of a number begins with."""
    digits = beginning.removeprefix("+") if beginning.startswith("+") else ""
    for length in (1, 2, 3):
        if digits[:length].isdigit() and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return f"+{digits[:length]}"
    return None
