"""A reply taken apart: what the person said, without quotations and signatures; its clauses; courtesy around it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from gateway.config.undress import fold
from gateway.config.vocabulary import Words

#: However much dress there is around a keyword, a text longer than this is somebody's letter.
LONGEST = 1000
_MOST_LINES = 50
_CLAUSE = re.compile(r"[.!?;,:؟،؛…]+(?:\s+|$)|\s+[-–—]+\s+|[\r\n]+")
_RULE = re.compile(r"[-_=*]{3,}|--\s*$")


@dataclass(frozen=True, slots=True)
class Said:
    """The person's own words; `long` when there were more than are looked at, and this is their beginning."""

    head: str
    long: bool


def spoken(text: str | None, signatures: tuple[str, ...], quotes: tuple[str, ...]) -> Said | None:
    """What a person said above a quotation and above what the phone adds; None for nothing."""
    if text is None or not (stripped := text.strip()):
        return None
    head = stripped[: LONGEST + 1]
    if "\n" not in head and "\r" not in head:
        return Said(head[:LONGEST], len(head) > LONGEST)
    lines = head.splitlines()
    for number, line in enumerate(islice(lines, _MOST_LINES)):
        if number and _is_foreign(line.strip(), signatures, quotes):
            return Said("\n".join(lines[:number]), long=False)
    return Said(head[:LONGEST], len(head) > LONGEST)


def clauses(text: str, most: int) -> list[str]:
    """The parts of a text between signs; the last takes what is over."""
    return [part for part in _CLAUSE.split(text, max(most - 1, 0)) if part.strip()]


class Around:
    """Knows the courtesy that may stand around what is meant; a saying is a tuple of words."""

    def __init__(self, courtesy: Collection[Words]) -> None:
        self._firsts = frozenset(saying[0] for saying in courtesy if saying)
        self._forth = _by_length(courtesy)
        self._back = _by_length([saying[::-1] for saying in courtesy])

    def kernel(self, words: Words) -> Words:
        """The words without courtesy on either side: as much of it as there is."""
        first = max(_reached(words, self._forth))
        left = words[first:]
        return left[: len(left) - max(_reached(left[::-1], self._back))]

    def core(self, words: Words) -> Words:
        """The words without courtesy anywhere: "melden Sie mich bitte ab"."""
        if self._firsts.isdisjoint(words):
            return words
        left: list[str] = []
        place = 0
        while place < len(words):
            sizes = [size for size, known in self._forth if words[place : place + size] in known]
            left += [] if sizes else [words[place]]
            place += max(sizes, default=1)
        return tuple(left)

    def is_courtesy_first(self, words: Words) -> bool:
        """Whether the words begin with courtesy."""
        return len(_reached(words, self._forth)) > 1

    def ways(self, words: Words) -> set[str]:
        """Every way to take courtesy off either side, run together; the words themselves are one."""
        firsts, lasts = _reached(words, self._forth), _reached(words[::-1], self._back)
        return {"".join(words[first : len(words) - last]) for first in firsts for last in lasts} - {""}


def _by_length(sayings: Collection[Words]) -> tuple[tuple[int, frozenset[Words]], ...]:
    sizes = {len(saying) for saying in sayings}
    return tuple((size, frozenset(each for each in sayings if len(each) == size)) for size in sorted(sizes) if size)


def _reached(words: Words, sayings: tuple[tuple[int, frozenset[Words]], ...]) -> list[int]:
    """At how many words one can stand after nothing but sayings, from 0 up."""
    reached = [0]
    for place in range(len(words)):
        if place in reached:
            reached += [place + size for size, known in sayings if words[place : place + size] in known]
        elif place > max(reached):
            break
    return reached


def _is_foreign(line: str, signatures: tuple[str, ...], quotes: tuple[str, ...]) -> bool:
    """Whether a line is where the person's own words end: a quotation, what stands above one, a signature."""
    if line.startswith((">", "|")) or _RULE.match(line):
        return True
    folded = fold(line[:200]).strip()
    return folded.startswith(signatures) or (folded.endswith(":") and any(quote in folded for quote in quotes))
