"""What a template may see of somebody: plain JSON values, without what would steer a terminal or a screen.

A value is never read as Liquid: it is put into the text as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

from liquid.exceptions import LiquidError

#: The largest whole number that a value or a filter may come to; as large as the store's.
LARGEST: Final = 2**63 - 1
#: How many items a list may have, and how deep lists and objects may stand in each other.
MOST_ITEMS: Final = 200
_DEEPEST: Final = 8

# Line ends of every kind; tabs; C0 and C1; what turns the direction of the text round; halves of surrogate pairs.
_LINE_ENDS: Final = re.compile("\r\n|\r|\u0085|\u2028|\u2029")
_UNWANTED: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class TemplateRefusal(LiquidError):
    """A value with which the template cannot go on. Its words name what is wrong and never contain the value."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class Record(dict[str, Any]):
    """An object of named values. It has no text of its own: a template names one of its values."""

    def __str__(self) -> str:
        raise TemplateRefusal("an object is not a text: name one of its values")

    __repr__ = __str__


def clean(text: str) -> str:
    """The text with `\\n` for each line end, a space for each tab, and no other control character nor any that
    turns the direction round."""
    if text.isprintable():
        return text
    return _UNWANTED.sub(lambda found: " " if found[0] == "\t" else "", _LINE_ENDS.sub("\n", text))


def plain(value: object, depth: int = 0) -> Any:
    """The value as a template sees it: dates as ISO 8601 texts, whole numbers without a point, no nulls in objects, for
    a null is as good as missing. Raises `TemplateRefusal` for what is too large, too deep or no JSON value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if depth < _DEEPEST and isinstance(value, Mapping):
        return record(cast("Mapping[object, object]", value), depth)
    if depth < _DEEPEST and isinstance(value, Sequence):
        return _items(cast("Sequence[object]", value), depth)
    raise TemplateRefusal("a variable must be a text, a number, true, false, or a list or an object of them")


def record(values: Mapping[Any, object], depth: int = 0) -> Record:
    """An object of plain values, without those that are null."""
    if len(values) > MOST_ITEMS:
        raise TemplateRefusal(f"an object may have at most {MOST_ITEMS} values")
    return Record({str(name): plain(value, depth + 1) for name, value in values.items() if value is not None})


def _number(value: float) -> int | float:
    if isinstance(value, float):
        if not abs(value) <= LARGEST:
            raise TemplateRefusal("a number is too large")
        return int(value) if value.is_integer() else value
    if abs(value) > LARGEST:
        raise TemplateRefusal("a number is too large")
    return value


def _items(values: Sequence[object], depth: int) -> list[Any]:
    if len(values) > MOST_ITEMS:
        raise TemplateRefusal(f"a list may have at most {MOST_ITEMS} items")
    return [plain(value, depth + 1) for value in values]
