"""The options of troubles: typed values with their words, how each is read, written and drawn by lot.

`option` makes a field of a dataclass whose metadata is an `Option`; ValueError says what is wrong with a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from random import Random
from typing import Any, Generic, TypeVar

from drivers.sim.durations import duration_text, seconds

T = TypeVar("T")

Draw = Callable[[Random, float], Any]
"""A value by lot; the second argument is the longest time in seconds that a trouble may take."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A type of value: what it is called, how it is read and how it is written."""

    what: str
    read: Callable[[str], T]
    write: Callable[[T], str] = str


@dataclass(frozen=True, slots=True)
class Option:
    """`draw` is None for what a random script leaves at its default."""

    word: str
    kind: Kind[Any]
    meaning: str
    draw: Draw | None = None


def option(kind: Kind[Any], default: object, meaning: str, *, word: str = "", draw: Draw | None = None) -> Any:
    """A dataclass field that is an option, under the field's own name unless `word` says another."""
    return field(default=default, metadata={"option": Option(word, kind, meaning, draw)})


def options_of(trouble: type) -> Mapping[str, Option]:
    """Field name → option, in the order in which they are written."""
    return {one.name: _named(one) for one in fields(trouble) if "option" in one.metadata}


def _named(one: Field[Any]) -> Option:
    made: Option = one.metadata["option"]
    return made if made.word else Option(one.name.replace("_", "-"), made.kind, made.meaning, made.draw)


# --- kinds

_SIZE = re.compile(r"(\d{1,6})(|kB|MB)", re.ASCII)
_FACTORS = {"": 1, "kB": 1_000, "MB": 1_000_000}
MAX_SIZE = 1_000_000_000


def _flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _size(text: str) -> int:
    matched = _SIZE.fullmatch(text)
    if matched is None or int(matched[1]) * _FACTORS[matched[2]] > MAX_SIZE:
        raise ValueError(f"{text!r} is no number of octets such as 500, 64kB or 100MB")
    return int(matched[1]) * _FACTORS[matched[2]]


def count(allowed: range) -> Kind[int]:
    """A whole number of `allowed`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed):
            raise ValueError(f"{text!r} is no number from {allowed[0]} to {allowed[-1]}")
        return int(text)

    return Kind("N", read)


def one_of(*words: str) -> Kind[str]:
    """One of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text

    return Kind("|".join(words), read)


DURATION = Kind("TIME", seconds, duration_text)
FLAG = Kind("yes|no", _flag, lambda value: "yes" if value else "no")
SIZE = Kind("OCTETS", _size)
TEXT = Kind("TEXT", str)
LINES = Kind("LINE|LINE…", lambda text: tuple(text.split("|")), "|".join)


# --- lots


def part_of_longest(lots: Random, longest: float) -> float:
    """A time between a tenth of the longest and all of it, in whole milliseconds."""
    return round(lots.uniform(longest / 10, longest), 3)


def either(*values: object) -> Draw:
    """One of `values`."""
    return lambda lots, _longest: lots.choice(values)


def between(lowest: int, highest: int) -> Draw:
    """A whole number, both ends included."""
    return lambda lots, _longest: lots.randint(lowest, highest)
