"""From a text to parts: the smallest alphabet, then cuts that spare escapes, surrogate pairs and graphemes.

Knows the sizes of 3GPP TS 23.040, 9.2.3.24, and nothing of addresses or modems.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import regex

from drivers.tpdu.data_coding import Alphabet
from drivers.tpdu.errors import TpduError
from drivers.tpdu.gsm7 import DEFAULT, gsm7_alphabet
from drivers.tpdu.languages import ESCAPE, Language, locking_table, single_shift_table
from drivers.tpdu.user_data import MAX_OCTETS
from drivers.tpdu.user_data_header import ElementIdentifier, InformationElement, language_element

MAX_PARTS = 255
_GRAPHEMES = regex.compile(r"\X")
_SURROGATES = regex.compile("[\ud800-\udfff]")
_ONE_PART = MAX_OCTETS * 8 // 7  # septets of a part without header
_LANGUAGE_ELEMENT = 3  # octets of a shift element
_CONCATENATION = {8: 5, 16: 6}  # octets of a concatenation element

_LOCKING = [frozenset(locking_table(language).values()) - {chr(ESCAPE)} for language in Language]
_SINGLE = [frozenset(single_shift_table(language).values()) for language in Language]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A text cut into parts.

    `characters` counts code points of the whole text. `remaining` is what still fits the last part: septets in GSM-7,
    16-bit units in UCS-2. `forced_ucs2_by` lists the graphemes, each once and in their order, that GSM-7 has not.
    `locking` and `single` are National Language Identifiers, 0 for the default tables. `bits` is the longest
    concatenation reference for which there is room.
    """

    encoding: Literal["gsm7", "ucs2"]
    parts: tuple[str, ...]
    characters: int
    remaining: int
    forced_ucs2_by: tuple[str, ...] = ()
    locking: int = 0
    single: int = 0
    bits: Literal[8, 16] = 8

    @property
    def alphabet(self) -> Alphabet:
        """The alphabet for TP-DCS."""
        return Alphabet(self.encoding)

    @property
    def language_elements(self) -> tuple[InformationElement, ...]:
        """The shift elements that every part carries."""
        chosen = ((ElementIdentifier.LOCKING_SHIFT, self.locking), (ElementIdentifier.SINGLE_SHIFT, self.single))
        return tuple(language_element(iei, language) for iei, language in chosen if language)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One way to code the text: how many units a piece of it takes, and what the shift elements cost."""

    encoding: Literal["gsm7", "ucs2"]
    size: Callable[[str], int]
    locking: int = 0
    single: int = 0

    @property
    def tables(self) -> int:
        return bool(self.locking) + bool(self.single)

    def capacity(self, concatenation: int = 0) -> int:
        """Units in one part whose header has `concatenation` octets besides the shift elements."""
        elements = concatenation + _LANGUAGE_ELEMENT * self.tables
        octets = MAX_OCTETS - elements - bool(elements)  # and UDHL
        return octets * 8 // 7 if self.encoding == "gsm7" else octets // 2

    def rank(self, text: str, bits: int) -> tuple[int, int]:
        """Fewest parts first; then the default alphabet before shift tables before UCS-2."""
        units = self.size(text)
        parts = 1 if units <= self.capacity() else -(-units // self.capacity(_CONCATENATION[bits]))
        return parts, 3 if self.encoding == "ucs2" else self.tables


def segment(
    text: str, *, national_tables: bool = False, bits: Literal[8, 16] = 8, max_parts: int = MAX_PARTS
) -> Segmentation:
    """The parts of `text` for a concatenation reference of `bits`.

    The coding with the fewest parts is taken, shift tables only where `national_tables` allows them. TpduError for more
    than `max_parts` parts (255 can be numbered) and for a text with half a surrogate pair.
    """
    septets = _in_default(text)
    if septets is not None and septets <= _ONE_PART and max_parts > 0:
        # One part without tables is the best there can be.
        return Segmentation("gsm7", (text,), len(text), _ONE_PART - septets, bits=bits)
    if _SURROGATES.search(text):
        raise TpduError("TP-UD", 0, "has half of a surrogate pair")
    candidate, allowed = _choose(text, national_tables, bits), min(max_parts, MAX_PARTS)
    parts, capacity, units = [text], candidate.capacity(), candidate.size(text)
    if units > capacity:
        capacity = candidate.capacity(_CONCATENATION[bits])
        # A text far too long is refused before it is cut, so that it costs little.
        parts = list(_cut(text, candidate.size, capacity)) if units <= allowed * capacity else []
    if not 0 < len(parts) <= allowed:
        raise TpduError("TP-UD", 0, f"is too long: at most {allowed} parts are allowed")
    remaining = capacity - candidate.size(parts[-1])
    forced = _outside_gsm7(text) if candidate.encoding == "ucs2" else ()
    return Segmentation(
        candidate.encoding, tuple(parts), len(text), remaining, forced, candidate.locking, candidate.single, bits
    )


def _in_default(text: str) -> int | None:
    """Septets in the default alphabet, None for a text that it has not; in one go, since this is every usual text."""
    try:
        return len(DEFAULT.encode(text))
    except UnicodeEncodeError:
        return None


def _choose(text: str, national_tables: bool, bits: int) -> _Candidate:
    characters = set(text)
    candidates = [_Candidate("ucs2", _ucs2_units)]
    if characters <= DEFAULT.characters:
        candidates = [_Candidate("gsm7", _septets(0, 0))]  # one septet or two are always less than 16 bits
    if national_tables:
        candidates += _with_shift_tables(characters)
    return min(candidates, key=lambda candidate: candidate.rank(text, bits))


def _with_shift_tables(characters: set[str]) -> Iterator[_Candidate]:
    """The pairs of tables that hold all the characters, among tables that hold one which costs more without them.

    A locking table may have lost what the default has, such as capitals: then its own single shift table has them.
    """
    locking = [0, *(language for language in Language if characters & _LOCKING[language] - _LOCKING[0])]
    single = [0, *(language for language in Language if characters & _SINGLE[language] - DEFAULT.characters)]
    for pair in sorted({*product(locking, single), *zip(locking, locking, strict=True)}):
        if pair != (0, 0) and characters <= _LOCKING[pair[0]] | _SINGLE[pair[1]]:
            yield _Candidate("gsm7", _septets(*pair), *pair)


def _septets(locking: int, single: int) -> Callable[[str], int]:
    alphabet = gsm7_alphabet(locking, single)
    return lambda text: len(alphabet.encode(text))


def _ucs2_units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


def _cut(text: str, size: Callable[[str], int], capacity: int) -> Iterator[str]:
    start = end = used = 0
    for piece in _pieces(text, size, capacity):
        needed = size(piece)
        if used + needed > capacity:
            yield text[start:end]
            start, used = end, 0
        end += len(piece)
        used += needed
    yield text[start:]


def _pieces(text: str, size: Callable[[str], int], capacity: int) -> Iterator[str]:
    """Graphemes; one that no part can hold comes in characters."""
    for grapheme in _graphemes(text):
        if size(grapheme) > capacity:
            yield from grapheme
        else:
            yield grapheme


def _graphemes(text: str) -> list[str]:
    return _GRAPHEMES.findall(text)


def _outside_gsm7(text: str) -> tuple[str, ...]:
    outside = (grapheme for grapheme in _graphemes(text) if not DEFAULT.characters.issuperset(grapheme))
    return tuple(dict.fromkeys(outside))
