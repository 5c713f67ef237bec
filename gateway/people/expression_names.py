"""The values that a filter is given: one for each field that it names, under a short name that stands in its place.

What is asked of a field by a function of ours, as in `age(attributes.birth_date)`, or of tags as in `"vip" in tags`,
is a value of its own: it is found out without the interpreter, and many people have the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.people.expression_fields import (
    ATTRIBUTES,
    DAY_FUNCTIONS,
    EVER,
    HAS_TAG,
    LOWER,
    MAPS,
    NOW,
    PLAIN,
    TAGS,
    TEXTS,
    TIMES,
    TODAY,
)
from gateway.people.expression_tokens import Reference, Token, bound, is_mark, is_word, literal, references, tokens

_MAP: Final = "_"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
# What a condition stands between.
_BEFORE: Final = ("(", "[", ",", "&&", "||", "?", ":")
_BEHIND: Final = (")", "]", ",", "&&", "||", "?", ":")


class Field(NamedTuple):
    """A value that a filter names: a field such as `language` or `attributes.city`, or what a function says of it.
    `function` is empty, one of ours, `HAS_TAG` (of the tag `argument`), or `EVER`: what never was is not there."""

    name: str
    function: str = ""
    argument: str = ""

    @property
    def attribute(self) -> str | None:
        """The attribute, where it is one."""
        return self.name[len(ATTRIBUTES) + 1 :] if self.name.startswith(f"{ATTRIBUTES}.") else None


@dataclass(frozen=True, slots=True)
class _Span:
    """The tokens that a value stands for, from the first to the last."""

    field: Field
    first: int
    last: int


def fields(words: Sequence[Token], types: Mapping[str, str]) -> tuple[Field, ...]:
    """The values that a filter names, each once, in a fixed order; `types` are those of the attributes."""
    return tuple(sorted({span.field for span in _spans(words, types)}))


def columns_of(source: str) -> tuple[str, ...]:
    """What a filter must be given of a person: `attributes` and `tags` as JSON, and each other field by its name."""
    words = tokens(source)
    wanted = {ATTRIBUTES if each.attribute is not None else each.name for each in fields(words, {})}
    return tuple(sorted(wanted | ({"timezone"} if asks_day(words) else set())))


def asks_day(words: Sequence[Token]) -> bool:
    """Whether it depends on what day it is where the person is."""
    return any(word.kind == "word" and word.text in (*DAY_FUNCTIONS, NOW, TODAY) for word in words)


def asks_instant(words: Sequence[Token]) -> bool:
    """Whether it depends on more than that day."""
    return any(word.kind == "word" and word.text == NOW for word in words)


def short_name(at: int) -> str:
    """How the field of this place is called in the map."""
    return chr(ord("A") + at // len(_DIGITS)) + _DIGITS[at % len(_DIGITS)]


def rewritten(source: str, words: Sequence[Token], types: Mapping[str, str]) -> str:
    """The filter with short names in the place of its values, at the same columns: nothing is shorter than they."""
    places = {field: at for at, field in enumerate(fields(words, types))}
    pieces: list[str] = []
    done = 0
    for span in _spans(words, types):
        start, end = words[span.first].start, words[span.last].end
        lines = source[start:end].count("\n")
        name = f"{_MAP}.{short_name(places[span.field])}"
        # A line end within it goes behind the name.
        pieces += [source[done:start], (name + "\n" * lines).ljust(end - start)]
        done = end
    return "".join([*pieces, source[done:]])


def variables(values: Mapping[Field, object], order: Sequence[Field]) -> dict[str, object]:
    """The map that the rewritten filter looks into; what is not among the values is missing in it."""
    return {_MAP: {short_name(at): values[each] for at, each in enumerate(order) if each in values}}


def _spans(words: Sequence[Token], types: Mapping[str, str]) -> Iterator[_Span]:
    own = bound(words)
    for each in references(words):
        name = _name_of(each, own)
        if name is not None:
            last = each.end if each.name in MAPS else each.at
            yield _widest(words, each, _Span(Field(name), each.at, last), types)


def _name_of(reference: Reference, own: Collection[str]) -> str | None:
    """The field that is meant; None when it is something else: a function, a name of the writer's own."""
    if reference.called or reference.name in own:
        return None
    if reference.name in MAPS:
        return None if reference.member is None else f"{reference.name}.{reference.member}"
    return reference.name if reference.name in PLAIN else None


def _widest(words: Sequence[Token], reference: Reference, span: _Span, types: Mapping[str, str]) -> _Span:
    """With what is asked of the field there, if that is a value of its own."""
    name, first, last = span.field.name, span.first, span.last
    if reference.asked and name in TIMES:
        return _Span(Field(name, EVER), first, last)
    if name == TAGS and is_word(words, first - 1, "in") and _stands_alone(words, first - 2, last):
        tag = literal(words[first - 2]) if words[first - 2].kind == "text" else None
        return span if tag is None else _Span(Field(name, HAS_TAG, tag), first - 2, last)
    if is_mark(words, first - 1, "(") and is_mark(words, last + 1, ")") and not is_mark(words, first - 3, "."):
        function = words[first - 2].text if first >= 2 else ""
        if function in _functions_of(span.field, types):
            return _Span(Field(name, function), first - 2, last + 1)
    return span


def _stands_alone(words: Sequence[Token], first: int, last: int) -> bool:
    """Whether these are a condition by themselves, whatever binds how strongly."""
    before = first == 0 or any(is_mark(words, first - 1, mark) for mark in _BEFORE)
    return first >= 0 and before and (last + 1 == len(words) or any(is_mark(words, last + 1, mark) for mark in _BEHIND))


def _functions_of(field: Field, types: Mapping[str, str]) -> Collection[str]:
    """What can be asked of a field of its type; of another the interpreter says what is wrong."""
    kind = types.get(field.attribute or "")
    if kind == "date" or field.name in TIMES:
        return DAY_FUNCTIONS
    return (LOWER,) if kind == "text" or field.name in TEXTS else ()
