"""A text without its dress: what is left when case, accents, signs, blanks and look-alikes do not count.

The words of the configuration and those of replies are compared in this form. Sources: Unicode Standard Annex 15
(NFKD), Unicode Technical Standard 39 (which Cyrillic and Greek letters are taken for Latin ones).
"""

from __future__ import annotations

import re
import unicodedata

# Marks (accents, Arabic vowels, keycaps, variation selectors) and format characters (zero width, directions, soft
# hyphens) stand within words and count for nothing.
_UNCOUNTED = frozenset({"Mn", "Me", "Cf"})
_MOST_MORE = 1000
_RUN = re.compile(r"[^\W_]+")


def _letters() -> dict[int, str | None]:
    """Letters that stand for others, after case was folded; None for what fills a place and shows nothing."""
    pairs = (
        ("авекмнорстухѕіјԁһԛԝпё", "abekmhopctyxsijdhqwpe"),  # Cyrillic
        ("αβεζηικμνορτυχσςπγ", "abezhikmnoptyxsspy"),  # Greek; Σ is in the alphabet of GSM
        ("øłđıħŧʂɪᴏᴘ", "oldihtsiop"),
        ("ٱىةکیګہھ", "ايهكيكهه"),  # forms of alef, ya, kaf and ha
    )
    table: dict[int, str | None] = {
        ord(one): other for ones, others in pairs for one, other in zip(ones, others, strict=True)
    }
    table |= {ord("æ"): "ae", ord("œ"): "oe", ord("ـ"): None}
    table |= dict.fromkeys((0x115F, 0x1160, 0x3164), None)
    # Letters in black circles and squares, which no normal form opens.
    for first in (0x1F150, 0x1F170):
        table |= {first + place: chr(ord("a") + place) for place in range(26)}
    return table


_LETTERS = _letters()


def fold(text: str) -> str:
    """The text in small letters without accents and look-alikes; blanks and signs stay. Takes time in proportion."""
    if text.isascii():
        return text.lower()
    # One character can stand for eighteen: what a text becomes is bounded like the text.
    open_ = unicodedata.normalize("NFKD", text)[: len(text) + _MOST_MORE]
    small = unicodedata.normalize("NFKD", open_.casefold()).translate(_LETTERS)
    return "".join(character for character in small if unicodedata.category(character) not in _UNCOUNTED)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, folded. Three and more letters that stand alone are one word: "S.T.O.P"."""
    found: list[str] = []
    spaced: list[str] = []
    for word in _RUN.findall(fold(text)):
        if len(word) == 1 and word.isalpha():
            spaced.append(word)
            continue
        _close(found, spaced)
        found.append(word)
    _close(found, spaced)
    return tuple(found)


def bare(text: str) -> str:
    """The words of a text, run together."""
    return "".join(words_of(text))


def _close(found: list[str], spaced: list[str]) -> None:
    """Add the letters that stood alone."""
    found += ["".join(spaced)] if len(spaced) > 2 else spaced
    spaced.clear()
