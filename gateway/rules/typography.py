"""Characters that look like others which GSM-7 has, as data, and what is made of them.

Two lists with two rights. `LOOK_ALIKES` may be written instead without asking: the reader sees the same text. What
`gsm7_version` changes besides (accents, letters of other alphabets in a Latin word, signs that have a spelling) is only
ever suggested to a person. Nothing is translated or left out: what has no counterpart keeps the whole text in UCS-2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from drivers.tpdu.gsm7 import DEFAULT


class Fold(NamedTuple):
    """Characters that are all written as `plain`, and why that is the same to a reader."""

    characters: str
    plain: str
    reason: str


#: The default alphabet with its extension (TS 23.038, 6.2.1): whatever is not in it forces UCS-2.
GSM7 = DEFAULT.characters

LOOK_ALIKES: tuple[Fold, ...] = (
    Fold("\u2018\u2019\u201a\u201b\u02bc\u2039\u203a\u00b4`", "'", "single quotes, apostrophes and loose accents"),
    Fold("\u2032", "'", "the prime of minutes and feet"),
    Fold("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"', "double quotes of any country, the prime of seconds"),
    Fold("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63", "-", "hyphens, dashes and the minus sign"),
    Fold("\u2022\u2023\u25e6\u25aa\u25cf\u2219\u00b7", "-", "bullets and middle dots: a line of a list, or a joint"),
    Fold("\u2026", "...", "an ellipsis is three dots"),
    Fold("\u2025", "..", "a leader of two dots"),
    Fold("\u00a0\u202f\u205f\u3000\t", " ", "blanks that do not break, or are wide"),
    Fold("\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " ", "blanks of typesetters"),
    Fold("\u2028\u2029\u0085", "\n", "ends of lines and paragraphs"),
    Fold("\u00ad\u200b\u2060\ufeff", "", "says where a line may break, or is nothing at all"),
    Fold("\u200c\u200d\ufe0e\ufe0f", "", "joins letters of other scripts and parts of emoji"),
    Fold("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e", "", "turns the direction of other scripts"),
    Fold("\u2066\u2067\u2068\u2069", "", "turns the direction of other scripts"),
    Fold("\ufb00", "ff", "a ligature"),
    Fold("\ufb01", "fi", "a ligature"),
    Fold("\ufb02", "fl", "a ligature"),
    Fold("\ufb03", "ffi", "a ligature"),
    Fold("\ufb04", "ffl", "a ligature"),
    Fold("\ufb05\ufb06", "st", "a ligature"),
    Fold("\u0153", "oe", "a ligature: French writes it so on keyboards without it"),
    Fold("\u0152", "OE", "a ligature: French writes it so on keyboards without it"),
    Fold("\u0133", "ij", "a digraph: two letters in Dutch"),
    Fold("\u0132", "IJ", "a digraph: two letters in Dutch"),
    Fold("\u00d7", "x", "the sign of times, as everybody types it"),
    Fold("\u2044\u2215", "/", "slashes of fractions"),
    Fold("\u2236", ":", "the sign of ratio"),
    Fold("\u2217", "*", "the asterisk operator"),
    Fold("\u2192", "->", "an arrow, as everybody types it"),
    Fold("\u2190", "<-", "an arrow, as everybody types it"),
    Fold("\u21d2", "=>", "an arrow, as everybody types it"),
)

#: What a person may accept instead: other letters or signs, the same word.
SUGGESTED: tuple[Fold, ...] = (
    Fold("ł", "l", "the stroke of Polish"),
    Fold("Ł", "L", "the stroke of Polish"),
    Fold("đð", "d", "the stroke of Croatian and Vietnamese; eth"),
    Fold("ĐÐ", "D", "the stroke of Croatian and Vietnamese; eth"),
    Fold("ħ", "h", "the stroke of Maltese"),
    Fold("Ħ", "H", "the stroke of Maltese"),
    Fold("ŧ", "t", "the stroke of Sami"),
    Fold("Ŧ", "T", "the stroke of Sami"),
    Fold("þ", "th", "thorn"),
    Fold("Þ", "Th", "thorn"),
    Fold("ı", "i", "the dotless i of Turkish"),
    Fold("ſ", "s", "the long s"),
    Fold("ẞ", "SS", "the capital sharp s"),
    Fold("ª", "a", "an ordinal's letter"),
    Fold("º", "o", "an ordinal's letter"),
    Fold("©", "(c)", "as it is typed"),
    Fold("®", "(r)", "as it is typed"),
    Fold("™", "(tm)", "as it is typed"),
    Fold("÷", "/", "the sign of division"),
    Fold("≤", "<=", "as it is typed"),
    Fold("≥", ">=", "as it is typed"),
)

#: The degree sign has no plain form of its own, only in these.
_DEGREES = (("n°", "no"), ("N°", "No"), (" °C", " C"), (" °F", " F"), ("°C", " C"), ("°F", " F"))

# Letters of Cyrillic and Greek that are drawn as Latin ones; each stands above the one it is taken for.
_FOREIGN = "аеорсухіјѕАВЕКМНОРСТУХІЈЅαονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_LATIN = "aeopcyxijsABEKMHOPCTYXIJSaovABEZHIKMNOPTYX"
_LATIN_FOR = dict(zip(map(ord, _FOREIGN), _LATIN, strict=True))
_WORD = re.compile(r"[^\W\d_]{2,}")
_WORDS = re.compile(f"({_WORD.pattern})")
_FOREIGN_LETTER = re.compile(f"[{_FOREIGN}]")
_LATIN_LETTER = re.compile("[A-Za-zÀ-ÖØ-öø-ɏ]")

_FULL_WIDTH = range(0xFF01, 0xFF5F)
_FULL_WIDTH_OFFSET = 0xFF01 - 0x21


def _folds(table: tuple[Fold, ...]) -> dict[int, str]:
    return {ord(character): fold.plain for fold in table for character in fold.characters}


# Full-width forms are the printable characters of ASCII in another width; the backquote is an apostrophe here too.
_FULL_WIDTH_FOLDS = {code: chr(code - _FULL_WIDTH_OFFSET).replace("`", "'") for code in _FULL_WIDTH}
_TYPOGRAPHIC = _FULL_WIDTH_FOLDS | _folds(LOOK_ALIKES)
_BY_HAND = _folds(SUGGESTED)
_FOLDED_SIGN = re.compile(f"[{re.escape(''.join(map(chr, _TYPOGRAPHIC)))}]")
_NOT_GSM7 = re.compile(f"[^{re.escape(''.join(sorted(GSM7)))}]")
# A long text has few different characters to change: each is looked for and exchanged at once, which is ten times
# cheaper than asking about every character. One that has more is asked about character by character.
_FEW = 12


def is_gsm7(text: str) -> bool:
    """Whether the default alphabet has every character."""
    return _NOT_GSM7.search(text) is None


def folded(text: str) -> str:
    """The text with typographic characters written plainly, letters and their accents composed."""
    if text.isascii():
        return text.replace("`", "'").replace("\t", " ") if "`" in text or "\t" in text else text
    # Composed twice: what stood between a letter and its accent may be gone.
    return unicodedata.normalize("NFC", _written_plainly(unicodedata.normalize("NFC", text)))


def _written_plainly(text: str) -> str:
    """The text with what the table has exchanged. Nothing that GSM-7 has is in the table, so nothing goes twice."""
    for _ in range(_FEW):
        if (sign := _FOLDED_SIGN.search(text)) is None:
            return text
        text = text.replace(sign[0], _TYPOGRAPHIC[ord(sign[0])])
    return text.translate(_TYPOGRAPHIC)


def gsm7_version(text: str) -> str | None:
    """The nearest text that GSM-7 has, to be accepted by a person; None for one that it has already, or has no such.

    Accents go only where GSM-7 lacks them (ê, ç; not é, à).
    """
    if is_gsm7(text):
        return None
    found = mended(folded(text))
    for sign, plain in _DEGREES:
        found = found.replace(sign, plain)
    for _ in range(_FEW):
        if (sign := _NOT_GSM7.search(found)) is None:
            return found
        if not is_gsm7(plain := _plain(sign[0])):
            return None
        found = found.replace(sign[0], plain)
    plain = found.translate({ord(character): _plain(character) for character in set(found) - GSM7})
    return plain if is_gsm7(plain) else None


def strange_words(text: str) -> Iterator[re.Match[str]]:
    """Words of Latin letters among which some are Cyrillic or Greek and only look so."""
    if not _has_both(text):
        return
    for match in _WORD.finditer(text):
        if _has_both(match[0]):
            yield match


def mended(text: str) -> str:
    """The text with Latin letters where a word of them has others that look the same."""
    if not _has_both(text):
        return text
    # Words and what is between them, in turns; a long text has few different words.
    pieces = _WORDS.split(text)
    better = {word: word.translate(_LATIN_FOR) for word in set(pieces[1::2]) if _has_both(word)}
    return "".join([better.get(piece, piece) for piece in pieces]) if better else text


def _has_both(text: str) -> bool:
    """Whether there are Latin letters and such as only look so."""
    return not text.isascii() and _FOREIGN_LETTER.search(text) is not None and _LATIN_LETTER.search(text) is not None


def _plain(character: str) -> str:
    """One character by the list, else without its accents, else as a letter of no special font; else itself."""
    if (by_hand := _BY_HAND.get(ord(character))) is not None:
        return by_hand
    decomposition = unicodedata.decomposition(character)
    if decomposition.startswith("<") and not decomposition.startswith("<font>"):
        # Superscripts, fractions, numbers in circles: written plainly they would mean something else.
        return character
    bare = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
    return bare if is_gsm7(bare) else character
