"""Where a token may write to: beginnings of international numbers (`+33`) and countries (`FR`, ISO 3166 alpha-2).

A number of a calling code that countries share belongs to the country that the metadata says, and to none where it says
none: who may write to `US` may not write to Canada, nor to a `+1` number that nobody can place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from gateway.address import calling_code, country_of

_SEPARATORS = re.compile(r"[\s.()/-]")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")


def normalised(written: str) -> str | None:
    """`+33 6` as `+336`, `fr` as `FR`; None if it is neither the beginning of a number nor a known country."""
    if written.upper() in phonenumbers.SUPPORTED_REGIONS:
        return written.upper()
    compact = _SEPARATORS.sub("", written)
    return compact if _PREFIX.fullmatch(compact) else None


def reaches(destinations: Sequence[str], number: str) -> bool:
    """Whether an E.164 number is at one of these (normalised) destinations."""
    if number.startswith(tuple(each for each in destinations if each.startswith("+"))):
        return True
    countries = frozenset(each for each in destinations if not each.startswith("+"))
    if not countries or not number.startswith("+"):
        return False
    code = calling_code(number)
    if code == number:
        return False
    sharing = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)])
    if sharing.isdisjoint(countries):
        return False
    return sharing <= countries or country_of(number) in countries
