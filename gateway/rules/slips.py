"""Slips of the finger: which words are one letter away from a keyword, or two from a long one.

A slip is a letter too many, too few or wrong, or two letters that changed places (Damerau's four; "optimal string
alignment"). A word and its slip share what is left when letters are taken out of both, so few are ever compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

_LEAST = 4
_MOST = 18
_LONG = 10  # from so many letters on two slips leave a word what it was


class Slips:
    """Knows the slips of some words; `others` are words that are meant as they stand, however near."""

    def __init__(self, words: Collection[str], others: Collection[str]) -> None:
        self._others = frozenset(others) - set(words)
        self._near: dict[str, set[str]] = {}
        for word in words:
            for left in _taken(word, _allowed(word)):
                self._near.setdefault(left, set()).add(word)

    def is_slip(self, word: str) -> bool:
        """Whether the word is a slip of one of the words, and nothing of its own."""
        if not _LEAST - 1 <= len(word) <= _MOST or word in self._others:
            return False
        tried: set[str] = set()
        for left in _taken(word, 2 if len(word) >= _LONG - 2 else 1):
            for other in self._near.get(left, ()):
                if other not in tried and distance(word, other) <= _allowed(other):
                    return True
                tried.add(other)
        return False


def distance(one: str, other: str) -> int:
    """How many slips lie between two short words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        above, row, older = row, [place], before
        for column, wanted in enumerate(other, 1):
            cost = min(above[column] + 1, row[-1] + 1, above[column - 1] + (letter != wanted))
            swapped = place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == wanted
            row.append(min(cost, older[column - 2] + 1) if swapped else cost)
        before = above
    return row[-1]


def _allowed(word: str) -> int:
    return 2 if len(word) >= _LONG else 1


def _taken(word: str, most: int) -> Iterator[str]:
    """The word, and what is left of it without one letter, or two."""
    yield word
    if most:
        for place in range(len(word)):
            yield from _taken(word[:place] + word[place + 1 :], most - 1)
