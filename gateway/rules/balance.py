"""The amount in what an operator answers when it is asked for the balance of a SIM.

Nobody writes that answer for programs: it is a sentence in the operator's language, with dates, numbers to call, prices
and offers beside the one amount. What is taken is the first amount with a currency behind a word such as *solde*; else
the first amount with a currency; else a bare number right behind such a word; else a text that is nothing but a number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# What is not an amount: dates, times, codes to dial, numbers to call.
_ELSEWHERE = re.compile(
    r"\d{1,4}([./-])\d{1,2}\1\d{2,4}|\d{1,2}\s?[:h]\s?\d{2}(?::\d{2})?(?!\d)|[*#][\d*#]+|\+?\d{8,}(?![.,]\d)"
)
_GROUPED = r"\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?"
_NUMBER = re.compile(
    rf"(?<![\d/])(?<!\d[.,])(?P<sign>[-−]\s?)?(?P<digits>{_GROUPED}(?!\d)|\d+(?:[.,]\d{{1,4}})?)(?![\d/%])"
)
_SIGNS = r"[€£$₹₽₴₺]"
_CODES = (
    r"EUROS?|EUR|USD|US\$|GBP|CHF|SFr|Fr|PLN|z[lł]|CZK|K[cč]|HUF|Ft|DKK|(?-i:SEK)|NOK|kr|RON|lei|BGN|lv|TRY|TL|MAD|DHS?|TND|DT"
    r"|DZD|DA|XOF|XAF|F\s?CFA|CFA|RUB|руб|r|р|UAH|грн|INR|PKR|Rs|IDR|Rp|KES|KSh|NGN|ZAR|Rials?|KWD|BHD|JOD|OMR|LYD"
)
_BEFORE = re.compile(rf"(?:{_SIGNS}|(?<![^\W\d_])(?:{_CODES})\.?)\s?:?\s?[-−]?\s?$", re.IGNORECASE)
_BEHIND = re.compile(rf"\s?(?:{_SIGNS}|(?:{_CODES})(?![^\W\d_]))", re.IGNORECASE)
# In German, French, English, Italian, Spanish; and what is cheap to know of others.
_WORDS = re.compile(
    r"guthaben|kontostand|solde|cr[ée]dit|balance|saldo|kredit|stan\s+konta|balans|баланс|pulsa|etebar", re.IGNORECASE
)
# A number of these is no money.
_UNITS = re.compile(
    r"\s?(?:[KMG][BOo]|[kMG]bit|Minuten|minutos|minuti|minutes|min|mn|sek|sec|s|h|heures|hours|Uhr|SMS|MMS|texts?|jours"
    r"|days|d[ií]as|giorni|Tage)\b",
    re.IGNORECASE,
)
# How far behind its word a bare number may stand: "est de", "beträgt:", "residuo e' di".
_NEAR = 40
_THREE_DECIMALS = re.compile(r"\s?(?:TND|DT|KWD|BHD|JOD|OMR|LYD)\b", re.IGNORECASE)
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class _Found:
    """A number in the text: where it begins, its thousandths, whether a currency stands beside it."""

    at: int
    milli: int
    money: bool


def balance_in(text: str) -> int | None:
    """The balance in thousandths of the operator's currency, or None where no amount can be told."""
    plain = _ELSEWHERE.sub(lambda match: " " * len(match[0]), text[:_LONGEST])
    numbers = [found for match in _NUMBER.finditer(plain) if (found := _found(plain, match)) is not None]
    words = [match.end() for match in _WORDS.finditer(plain)]
    chosen = _chosen(numbers, words, plain)
    return None if chosen is None else chosen.milli


def _chosen(numbers: Sequence[_Found], words: Sequence[int], plain: str) -> _Found | None:
    money = [found for found in numbers if found.money]
    if words:
        behind = next((found for found in money if found.at >= words[0]), None)
        if behind is not None:
            return behind
    if money:
        return money[0]
    for word in words:
        near = next((found for found in numbers if found.at >= word), None)
        if near is not None and near.at - word <= _NEAR:
            return near
    return numbers[0] if len(numbers) == 1 and not re.search(r"[^\W\d_]", plain) else None


def _found(plain: str, match: re.Match[str]) -> _Found | None:
    """One number; None for what is part of a word, or counts minutes, messages and the like."""
    before = _BEFORE.search(plain, 0, match.start("digits")) is not None
    money = before or _BEHIND.match(plain, match.end()) is not None
    in_word = plain[match.start("digits") - 1 : match.start("digits")].isalpha()
    if (in_word and not before) or (not money and _UNITS.match(plain, match.end())):
        return None
    milli = _milli(match["digits"], three=_THREE_DECIMALS.match(plain, match.end()) is not None)
    return _Found(match.start(), -milli if match["sign"] else milli, money)


def _milli(digits: str, *, three: bool) -> int:
    """The number in thousandths. The last sign that parts digits is the decimal one, unless three digits follow."""
    parts = re.split(r"[^\d]", digits)
    signs = re.findall(r"[^\d]", digits)
    if not signs:
        return int(digits) * 1000
    decimal = signs[-1] in ".," and (len(parts[-1]) != 3 or three or digits.startswith("0"))
    whole = parts[:-1] if decimal else parts
    fraction = (parts[-1] if decimal else "")[:3].ljust(3, "0")
    return int("".join(whole)) * 1000 + int(fraction)
