"""Dates, times, numbers and money in the words of the recipient, as filters of templates.

The spaces of typography that the CLDR has in them (U+202F in "16:40 PM", U+00A0 before a currency) are no letters of
the GSM alphabet and would more than double the parts of a text: they become plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, is_currency

from gateway.people.liquid_values import LARGEST, TemplateRefusal

#: The lengths in which the CLDR writes a date.
LENGTHS: Final = ("full", "long", "medium", "short")

_SPACES: Final = {ord(each): " " for each in "\u00a0\u2007\u2009\u202f"}
_PLAIN: Final = str.maketrans({**_SPACES, "\u2212": "-", "\u200e": None, "\u200f": None, "\u061c": None})
_DIRECTIVE: Final = re.compile("%(-?[a-zA-Z%])")
#: Directives of `strftime` that are words of a language, as patterns of the CLDR.
_WORDS: Final = {"A": "EEEE", "a": "EEE", "B": "MMMM", "b": "MMM", "p": "a"}
_MOST_FORMAT: Final = 200
_QUOTED: Final = re.compile("('[^']*')")


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a text is written: in which language, and by which clock."""

    locale: Locale
    zone: tzinfo

    def date(self, value: object, form: object = "medium") -> str:
        """`form` is a length of the CLDR, or directives of `strftime`, whose words are in the recipient's language."""
        day = self._day(value)
        if form in LENGTHS:
            return plainly(format_date(day, format=str(form), locale=self.locale))  # pyright: ignore[reportArgumentType] - one of LENGTHS
        if not isinstance(form, str) or "%" not in form or len(form) > _MOST_FORMAT:
            raise TemplateRefusal(f"date takes one of {', '.join(LENGTHS)}, or directives such as %d/%m/%Y")
        return plainly(_DIRECTIVE.sub(lambda found: self._directive(day, found[1]), form))

    def day(self, value: object) -> str:
        """The day as one speaks of it: "vendredi 27 novembre"."""
        return plainly(format_date(self._day(value), _spoken(self.locale), locale=self.locale))

    def weekday(self, value: object) -> str:
        """The name of the day."""
        return plainly(format_date(self._day(value), "EEEE", locale=self.locale))

    def time(self, value: object) -> str:
        """Hours and minutes: "16:40", "4:40 PM"."""
        moment = self._moment(value)
        if not isinstance(moment, datetime):
            raise TemplateRefusal("time needs a time of day, and was given a date without any")
        return plainly(format_time(moment.time(), format="short", locale=self.locale))

    def money(self, value: object, currency: object = None) -> str:
        """`currency` is an ISO 4217 code: `12,50 €`."""
        if not isinstance(currency, str) or not is_currency(currency):
            raise TemplateRefusal('money needs a currency by its ISO 4217 code, such as "EUR"')
        return plainly(format_currency(_amount("money", value), currency, locale=self.locale))

    def number(self, value: object) -> str:
        """The number with the marks of the language: `1 234,5`."""
        return plainly(format_decimal(_amount("number", value), locale=self.locale))

    def _day(self, value: object) -> date:
        return self._moment(value)

    def _moment(self, value: object) -> date:
        found = _parsed(value)
        if isinstance(found, datetime) and found.tzinfo is not None:
            try:
                return found.astimezone(self.zone)
            except (OverflowError, ValueError):
                raise TemplateRefusal("a date lies outside the calendar") from None
        return found

    def _directive(self, day: date, directive: str) -> str:
        moment = day if isinstance(day, datetime) else _midday(day).replace(hour=0)
        if directive in _WORDS:
            return format_datetime(moment, _WORDS[directive], locale=self.locale)
        return moment.strftime("%" + directive)


#: The filters that ask the reader, by their names.
READER_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "date": Reader.date,
    "day": Reader.day,
    "weekday": Reader.weekday,
    "time": Reader.time,
    "money": Reader.money,
    "number": Reader.number,
}


def plainly(text: str) -> str:
    """The text with plain spaces and minus signs, and without marks of direction."""
    return text.translate(_PLAIN)


@lru_cache(maxsize=256)
def _spoken(locale: Locale) -> str:
    """The pattern of a day without its year, in whole words. The CLDR has it with the short name of the day."""
    skeletons = locale.datetime_skeletons
    found = next((skeletons[each] for each in ("MMMMEEEEd", "MMMMEd", "MMMEd") if each in skeletons), None)
    pattern = found.pattern if found is not None else "EEEE, d MMMM"
    pieces = _QUOTED.split(pattern)
    # What stands in quotes are letters of the text, at every second place.
    return "".join(each if place % 2 else _in_full(each) for place, each in enumerate(pieces))


def _in_full(pattern: str) -> str:
    return re.sub("MMM+|LLL+", "MMMM", re.sub("E+|c+", "EEEE", pattern))


def _parsed(value: object) -> date:
    """An instant as UTC seconds or RFC 3339, a time without a zone as a reading of the recipient's clock, or a date."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and len(value) <= len("YYYY-MM-DD"):
            return date.fromisoformat(value)
        if isinstance(value, str):
            return datetime.fromisoformat(value.strip()[:64])
    except (ValueError, OverflowError, OSError):
        pass
    raise TemplateRefusal("a date must be written as YYYY-MM-DD, or with a time as YYYY-MM-DDThh:mm:ss and its zone")


def _midday(day: date) -> datetime:
    """Naive, so that no zone moves it to another day."""
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 - a day is the same in all zones


def _amount(name: str, value: object) -> Decimal:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) <= 32:
            amount = Decimal(str(value))
            if amount.is_finite() and abs(amount) <= LARGEST:
                return amount
    except InvalidOperation:
        pass
    raise TemplateRefusal(f"{name} needs a number")
