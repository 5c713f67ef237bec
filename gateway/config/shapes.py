"""What one value of the file may look like: functions from whatever TOML gave to a checked value, or `Wrong`.

They know values alone: no key, no file, no clock. Messages never repeat a value that could be a secret or a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import TypeAlias, TypeVar, cast

import phonenumbers

T = TypeVar("T")
Shape: TypeAlias = Callable[[object], T]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HOST_LABELS = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
# Not str.isprintable(): that refuses the no-break space of French and the joiner within an emoji.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TOO_LONG = 1000
_MOST_ITEMS = 1000
_TYPE_WORDS = {bool: "true or false", str: "text in quotes", int: "a whole number"}


class Wrong(ValueError):
    """A value cannot be used. `details` are pairs of a place within the value (`[2]`, or empty) and a sentence."""

    def __init__(self, message: str, details: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.details = details or (("", message),)


def text(value: object) -> str:
    """Text of at least one character, without control characters."""
    found = any_text(value)
    if not found.strip():
        raise Wrong("must not be empty")
    return found


def any_text(value: object) -> str:
    """Text that may be empty, without control characters."""
    if not isinstance(value, str):
        raise Wrong(f"must be {_TYPE_WORDS[str]}")
    if len(value) > _TOO_LONG:
        raise Wrong(f"is longer than {_TOO_LONG} characters")
    if any(unicodedata.category(character) in _UNSEEN for character in value):
        raise Wrong("contains control characters")
    return value


def boolean(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise Wrong(f"must be {_TYPE_WORDS[bool]}, without quotes")
    return value


def integer(least: int, most: int) -> Shape[int]:
    """A whole number within bounds, both included."""

    def shape(value: object) -> int:
        # bool is an int to Python and not to TOML.
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"must be {_TYPE_WORDS[int]}, without quotes")
        if not least <= value <= most:
            raise Wrong(f"must be from {least} to {most}")
        return value

    return shape


def number(value: object) -> float:
    """A finite amount of zero or more, whole or not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("must be a number, without quotes")
    if not 0 <= value <= 1e9:
        raise Wrong("must be from 0 to 1000000000")
    return float(value)


def one_of(*words: str) -> Shape[str]:
    """One of a few words."""

    def shape(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise Wrong("must be " + _alternatives(words) + suggestion(value, words))
        return value

    return shape


def known(words: Collection[str], what: str) -> Shape[str]:
    """A name that is defined elsewhere; `what` says what it names."""

    def shape(value: object) -> str:
        name = text(value)
        if name not in words:
            raise Wrong(f"names no {what}" + suggestion(name, words))
        return name

    return shape


def listed(item: Shape[T]) -> Shape[tuple[T, ...]]:
    """A list of such values; every wrong item is reported with its place."""

    def shape(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Wrong("must be a list in square brackets")
        items = cast("list[object]", value)
        if len(items) > _MOST_ITEMS:
            raise Wrong(f"has more than {_MOST_ITEMS} items")
        return _each(items, item)

    return shape


def _each(items: list[object], item: Shape[T]) -> tuple[T, ...]:
    good: list[T] = []
    bad: list[tuple[str, str]] = []
    for place, value in enumerate(items):
        try:
            good.append(item(value))
        except Wrong as wrong:
            bad += [(f"[{place}]{within}", message) for within, message in wrong.details]
    if bad:
        raise Wrong("has wrong items", tuple(bad))
    return tuple(good)


def matching(pattern: str, sentence: str) -> Shape[str]:
    """Text of a form that `sentence` describes to the user."""
    compiled = re.compile(pattern)

    def shape(value: object) -> str:
        found = text(value)
        if not compiled.fullmatch(found):
            raise Wrong(sentence)
        return found

    return shape


def country(value: object) -> str:
    """An ISO 3166-1 alpha-2 code that the number metadata knows, in capitals."""
    code = text(value)
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    if code.upper() in phonenumbers.SUPPORTED_REGIONS:
        raise Wrong(f'must be in capitals; did you mean "{code.upper()}"?')
    raise Wrong('is no known country: write the two letters of ISO 3166, such as "FR"')


def e164(value: object) -> str:
    """A number in international form. The message never repeats it."""
    found = text(value)
    if not _E164.fullmatch(found):
        raise Wrong('must be written as + and digits only, such as "+33612345678"')
    return found


def number_prefix(value: object) -> str:
    """The beginning of international numbers: + and at least one digit."""
    found = text(value)
    if not _PREFIX.fullmatch(found):
        raise Wrong('must be the beginning of an international number, such as "+33"')
    return found


def host_name(value: object) -> str:
    """A host name as it stands in a `Host` header, without a port."""
    found = text(value)
    if len(found) > 253 or not _HOST_LABELS.fullmatch(found):
        raise Wrong('must be a host name without a port, such as "sms.example.org"')
    return found


def template(*names: str) -> Shape[str]:
    """Text that may hold `{name}` of the given names and no other brace."""

    def shape(value: object) -> str:
        found = any_text(value)
        for name in _PLACEHOLDER.findall(found):
            if name not in names:
                raise Wrong("may only contain " + _alternatives([f"{{{known_name}}}" for known_name in names]))
        if re.search(r"[{}]", _PLACEHOLDER.sub("", found)):
            raise Wrong("has a brace without its partner")
        return found

    return shape


def suggestion(written: object, words: Collection[str]) -> str:
    """`; did you mean "x"?` when a word is near, else nothing."""
    if not isinstance(written, str) or len(written) > 60:
        return ""
    near = get_close_matches(written.lower(), words, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def _alternatives(words: Collection[str]) -> str:
    return " or ".join(f'"{word}"' for word in words)
