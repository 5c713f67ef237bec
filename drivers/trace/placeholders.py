"""What stands in a trace for what is not to be told: of the same length, and the same for the same.

A number's placeholder tells nothing of the number, not even by a key: it counts the numbers that were seen.
"""

from __future__ import annotations

import re

FILLER = "x"
# So many numbers are told apart; then the counting begins anew.
_MAX_KNOWN = 10_000
_DIGITS = re.compile(r"[0-9]+")
# From so many digits on a placeholder can be known for one.
_MARKED_FROM = 7
_MARK = "999"


class Placeholders:
    """The placeholders of one trace."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def digits(self, digits: str) -> str:
        """Instead of a run of digits: as many others."""
        known = self._known.get(digits)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[digits] = self._next(len(digits))
        return known

    def _next(self, length: int) -> str:
        count = str(len(self._known) + 1)
        if length < _MARKED_FROM:
            return count[-length:].rjust(length, "0")
        return _MARK + count[-(length - len(_MARK)) :].rjust(length - len(_MARK), "0")

    def number(self, text: str) -> str:
        """Instead of a number as it is written: its digits replaced, ``+``, ``*`` and ``#`` kept; a name is filled."""
        if any(character.isalpha() for character in text):
            return filled(text)
        return _DIGITS.sub(lambda found: self.digits(found.group()), text)


def filled(text: str) -> str:
    """Instead of a text: as many fillers."""
    return FILLER * len(text)


def zeroed(text: str) -> str:
    """Instead of a secret or of hexadecimal octets that say nothing to us: as many noughts."""
    return "0" * len(text)
