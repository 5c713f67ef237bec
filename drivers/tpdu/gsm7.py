"""GSM 7 bit alphabets (3GPP TS 23.038, 6.2.1): text ↔ septets, one in each byte. Packing is in `septets`."""

import codecs
from collections.abc import Iterator
from functools import cache
from typing import Any

from drivers.tpdu.languages import ESCAPE, Language, locking_table, single_shift_table

_ESCAPE = bytes([ESCAPE])


class Gsm7Alphabet:
    """A locking shift table together with a single shift table."""

    def __init__(self, locking: Language, single: Language) -> None:
        main, shifted = locking_table(locking), single_shift_table(single)
        main.pop(ESCAPE, None)
        # A receiver shows a space for what it cannot show, the escape of an escape included (6.2.1, 6.2.1.1).
        # Any: the codec functions take strings and octets in a mapping too, which typeshed does not know.
        shown = "".join(main.get(place, " ") for place in range(128))
        self._main: Any = shown
        self._shifted = [shifted.get(place, shown[place]) for place in range(128)]
        # Of a character that a table has twice, the first place; one septet rather than two.
        places: dict[int, Any] = {ord(char): _ESCAPE + bytes([place]) for place, char in reversed(shifted.items())}
        places |= {ord(char): place for place, char in reversed(main.items())}
        self._places = places
        self.characters = frozenset(map(chr, places))

    def decode(self, septets: bytes) -> str:
        """The text of `septets` (each < 128); whatever they are, there is one."""
        if ESCAPE not in septets:
            return self._decode_main(septets)
        return "".join(self._decode_pieces(septets.split(_ESCAPE)))

    def encode(self, text: str) -> bytes:
        """The septets of `text`; UnicodeEncodeError for a character that is not in `characters`."""
        return codecs.charmap_encode(text, "strict", self._places)[0]

    def _decode_main(self, septets: bytes) -> str:
        return codecs.charmap_decode(septets, "strict", self._main)[0]

    def _decode_pieces(self, pieces: list[bytes]) -> Iterator[str]:
        after_escape = False  # every piece but the first has an escape before it, unless that one was itself escaped
        for piece in pieces:
            if not after_escape:
                yield self._decode_main(piece)
                after_escape = True
            elif piece:
                yield self._shifted[piece[0]] + self._decode_main(piece[1:])
            else:
                yield " "  # the escape of an escape, or an escape that nothing follows
                after_escape = False


def gsm7_alphabet(locking: int = 0, single: int = 0) -> Gsm7Alphabet:
    """The alphabet of two National Language Identifiers; one that is not known is the default (23.040, 9.2.3.24.15)."""
    return _alphabet(_language(locking), _language(single))


@cache
def _alphabet(locking: Language, single: Language) -> Gsm7Alphabet:
    return Gsm7Alphabet(locking, single)


def _language(identifier: int) -> Language:
    return _LANGUAGES[identifier] if identifier < len(_LANGUAGES) else Language.DEFAULT


_LANGUAGES = tuple(Language)


DEFAULT = gsm7_alphabet()
