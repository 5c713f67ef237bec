"""Numbers of a file in their normal form, quickly: a list has a hundred thousand of them, written in a few ways.

What is plain is read without the library, which takes some fifty times as long; `tests/gateway/people` compares the
two. Everything else is the library's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import phonenumbers

from gateway.address import parse_recipient

_BETWEEN: Final = str.maketrans("", "", "  \t-.()/\u00a0\u202f\u2011")


@dataclass(frozen=True, slots=True)
class _National:
    """How a country writes its numbers."""

    code: str
    prefixes: tuple[str, ...]
    abroad: re.Pattern[str]
    pattern: re.Pattern[str]
    lengths: Collection[int]
    longest: int


def normal_number(text: str, country: str | None) -> str:
    """As `gateway.address.parse_recipient`, which see."""
    plan = _plan_of(country) if country is not None else None
    if plan is not None:
        digits = text.translate(_BETWEEN)
        if digits.isascii() and digits.isdigit() and (number := _plain(plan, digits)) is not None:
            return number
    return parse_recipient(text, country)


def _plain(plan: _National, digits: str) -> str | None:
    """The number where nothing about it is doubtful."""
    if plan.abroad.match(digits) or digits.startswith(plan.code):
        return None
    national = digits
    for prefix in plan.prefixes:
        if digits.startswith(prefix):
            national = digits[len(prefix) :]
            break
    if len(national) not in plan.lengths or not plan.pattern.fullmatch(national):
        return None
    # With its prefix it would be a number too: which of them is meant is the library's to say.
    if len(national) < len(digits) <= plan.longest and plan.pattern.fullmatch(digits):
        return None
    return f"+{plan.code}{national}"


@cache
def _plan_of(country: str) -> _National | None:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(country)
    if metadata is None:
        return None
    prefixes = (metadata.national_prefix_for_parsing or "").split("|")
    if metadata.national_prefix_transform_rule or not all(each.isdigit() or not each for each in prefixes):
        return None
    general = metadata.general_desc
    return _National(
        code=str(metadata.country_code),
        prefixes=tuple(each for each in prefixes if each),
        abroad=re.compile(metadata.international_prefix or "00"),
        pattern=re.compile(general.national_number_pattern),
        lengths=frozenset(general.possible_length) - frozenset(general.possible_length_local_only),
        longest=max(general.possible_length),
    )
