"""Whether a filter can be one: told when it is saved, not when people are left out by it.

The interpreter checks the form and no types. So each condition of the filter is worked out for a few invented people,
whose values have the types of the fields: what cannot be done with them, or comes to anything but true or false, is
refused, and so is a comparison of two things that are never equal. Refusals name places, fields and types; nothing is
quoted but names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from gateway.errors import InvalidRequest
from gateway.people.expression import Expression
from gateway.people.expression_fields import (
    ATTRIBUTES,
    CONSENT,
    COUNTS,
    FUNCTIONS,
    MAPS,
    METHODS,
    NOW,
    OPTED_OUT,
    OPTED_OUT_OF,
    PLAIN,
    TAGS,
    TEXTS,
    TIMES,
    TODAY,
)
from gateway.people.expression_names import Field
from gateway.people.expression_tokens import (
    Reference,
    Token,
    bound,
    conditions,
    depth,
    methods,
    references,
    split,
    tokens,
    written,
)
from gateway.people.expression_values import Moment, given, reader_of

#: Octets in UTF-8, and brackets within brackets.
LONGEST: Final = 4096
DEEPEST: Final = 24

_NAME: Final = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_PLACE: Final = re.compile(r"<input>:(\d+):(\d+)")
_NOW_US: Final = 1_767_607_200_000_000
_MOMENT: Final = Moment(_NOW_US, "UTC")
_TEXT: Final = ("a", "1", "2000-01-31", "2000-01-31T10:00:00Z")
_TIME: Final = (None, 1, _NOW_US, 2 * _NOW_US)
#: Raw values of invented people by type of attribute.
_RAW: Final[Mapping[str, tuple[Any, ...]]] = {
    "number": (1.0, 0.0, -2.5, 1000.0),
    "bool": (True, False),
    "date": ("1950-06-15", "2000-02-29", "2026-01-05", "2030-12-31"),
    "text": _TEXT,
}


def check(source: str, types: Mapping[str, str], categories: Mapping[str, bool]) -> None:
    """Refuse a filter that nobody could be judged by. `types` are those of the attributes that there are; `categories`
    says of each whether its messages can be stopped."""
    if len(source.encode(errors="replace")) > LONGEST:
        raise _refusal("filter_too_long", f"a filter has at most {LONGEST} octets")
    words = tokens(source)
    if depth(words) > DEEPEST:
        raise _refusal("filter_invalid", f"brackets are nested deeper than {DEEPEST}")
    whole = _compiled(source, types)
    _check_names(source, words, types, categories)
    for condition in conditions(words):
        _check_condition(source, condition, types)
    _check_result(source, words, whole)


def _compiled(source: str, types: Mapping[str, str]) -> Expression:
    try:
        return Expression(source, types)
    except ValueError as error:
        raise _refusal("filter_invalid", _form(str(error))) from None


def _form(said: str) -> str:
    """What is wrong with the form, without a word of the filter."""
    found = _PLACE.search(said)
    where = f"line {found[1]}, column {found[2]}" if found else "its beginning"
    if "'<EOF>'" in said.split("\n", 1)[0]:
        return "the filter ends too early: something is missing behind it"
    if "has() macro" in said:
        return f"has(…) takes a field, as in has(attributes.city) or has(email) ({where})"
    return f"the filter cannot be read from {where} on"


def _check_names(source: str, words: Sequence[Token], types: Mapping[str, str], categories: Mapping[str, bool]) -> None:
    own = bound(words)
    for name in own & {*PLAIN, *MAPS, NOW, TODAY}:
        raise _refusal("filter_unknown", f"{name} is a field: take another name for what a macro goes through")
    for each in references(words):
        fault = _fault_of_name(each, own, types, categories)
        if fault:
            raise _refusal("filter_unknown", f"{fault} ({_where(source, words[each.at])})")
    for called in methods(words):
        if called not in METHODS:
            raise _refusal("filter_unknown", _unknown("function", called, _same(METHODS)))


def _fault_of_name(
    each: Reference, own: Collection[str], types: Mapping[str, str], categories: Mapping[str, bool]
) -> str | None:
    if each.called:
        return None if each.name in FUNCTIONS else _unknown("function", each.name, _same(FUNCTIONS))
    if each.name in MAPS:
        if each.member is None:
            return f'a member must be named: {each.name}.NAME or {each.name}["NAME"]'
        return _fault_of_member(each.name, each.member, types, categories)
    if each.name in (*PLAIN, NOW, TODAY) or each.name in own:
        return None
    known = _same((*PLAIN, NOW, TODAY)) | {name: f"{ATTRIBUTES}.{name}" for name in types}
    return _unknown("field", each.name, known)


def _fault_of_member(name: str, wanted: str, types: Mapping[str, str], categories: Mapping[str, bool]) -> str | None:
    if name == ATTRIBUTES:
        return None if wanted in types else _unknown("attribute", wanted, {each: f"{name}.{each}" for each in types})
    known = [each for each, stoppable in categories.items() if stoppable or name == CONSENT]
    return None if wanted in known else _unknown("category", wanted, {each: f"{name}.{each}" for each in known})


def _unknown(what: str, name: str, known: Mapping[str, str]) -> str:
    """That there is none of this name, and the nearest that there is: names, and how they are written."""
    called = f" {name}" if _NAME.fullmatch(name) else " of this name"
    near = get_close_matches(name[:64], list(known), 1, 0.6)
    return f"there is no {what}{called}" + (f"; did you mean {known[near[0]]}?" if near else "")


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


def _check_condition(source: str, words: Sequence[Token], types: Mapping[str, str]) -> None:
    for joint in ("==", "!=", "in"):
        sides = split(words, joint)
        if len(sides) == 2:
            _check_sides(source, sides, types, inside=joint == "in")
            break
    try:
        expression = Expression(written(source, words), types)
    except ValueError:
        # Not a condition by itself; the whole is worked out in any case.
        return
    _check_result(source, words, expression)


def _check_result(source: str, words: Sequence[Token], expression: Expression) -> None:
    where = _where(source, words[0])
    outcomes = list(_outcomes(expression))
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            if fault := _fault_of_type(outcome):
                raise _refusal("filter_type", f"{fault} ({where})")
        elif not isinstance(outcome, bool):
            raise _refusal("filter_type", f"what stands here is {_kind(outcome)}, and not true or false ({where})")
    if all(isinstance(outcome, Exception) for outcome in outcomes):
        raise _refusal("filter_type", f"this can be worked out for nobody: {_never(outcomes)} ({where})")


def _check_sides(source: str, sides: Sequence[Sequence[Token]], types: Mapping[str, str], *, inside: bool) -> None:
    left, right = ({*_kinds(source, side, types)} for side in sides)
    where = _where(source, sides[0][0]) if sides[0] else "its beginning"
    if not inside and "null" in left | right:
        raise _refusal(
            "filter_type", f"nothing is ever null; has(…) asks whether a value is there, as has(email) ({where})"
        )
    if inside:
        right = {kind.removeprefix("a list of ") for kind in right if kind.startswith("a list of ")}
    if left and right and not left & right:
        raise _refusal("filter_type", f"{_or(left)} is never {_or(right)} ({where})")


def _kinds(source: str, words: Sequence[Token], types: Mapping[str, str]) -> Iterable[str]:
    try:
        expression = Expression(written(source, words), types)
    except ValueError:
        return
    for outcome in _outcomes(expression):
        if not isinstance(outcome, Exception):
            yield _kind(outcome)


def _outcomes(expression: Expression) -> Iterable[Any]:
    """What it comes to for invented people, or how it fails."""
    expression.calendar.go_to(None, _MOMENT)
    for at in range(4):
        values = {field: value for field in expression.fields if (value := _sample(field, at, expression)) is not None}
        try:
            yield expression.result(values, _MOMENT)
        except Exception as error:  # noqa: BLE001 - the interpreter raises what it likes, and it is looked at
            yield error


def _sample(field: Field, at: int, expression: Expression) -> Any:
    raw = _raw(field.name, expression.types)
    value = reader_of(field, expression.types, expression.calendar)(raw[at % len(raw)])
    return None if value is None else given(field, value)


def _raw(field: str, types: Mapping[str, str]) -> tuple[Any, ...]:
    if field.startswith(f"{ATTRIBUTES}."):
        return _RAW[types[field[len(ATTRIBUTES) + 1 :]]]
    if field == TAGS:
        return '["a"]', "[]", '["a", "b"]'
    if field in TIMES:
        return _TIME
    if field in COUNTS:
        return 0, 1, 12
    if field == OPTED_OUT or field.startswith(f"{OPTED_OUT_OF}."):
        return _RAW["bool"]
    if field.startswith(f"{CONSENT}."):
        return "given", "", "withdrawn"
    assert field in TEXTS, field
    return _TEXT


def _fault_of_type(error: Exception) -> str | None:
    """What the types have to do with it; None where another person's values would do."""
    said = str(error)
    if isinstance(error, TypeError):
        return "the types do not fit: attributes that are numbers are written 1.0 in calculations, dates date(…)"
    if isinstance(error, RuntimeError) and "Undefined variable or function" in said:
        found = re.search(r"function: '(\w+)'", said)
        return f"{found[1] if found else 'a function'}(…) cannot be asked of this"
    if isinstance(error, RuntimeError) and "TypeError" in said:
        found = re.search(r"Function '(\w+)'", said)
        return f"{found[1] if found else 'a function'}(…) is given what it does not take"
    return None


def _never(outcomes: Sequence[Any]) -> str:
    said = str(outcomes[0])
    for function, fault in (
        ("'date'", "a date is written as YYYY-MM-DD"),
        ("'matches'", "the regular expression is none, or too large"),
        ("'timestamp'", "an instant is written as in 2026-01-31T09:00:00Z"),
        ("'duration'", "a duration is written as in 36h"),
    ):
        if function in said:
            return fault
    return "a division by zero, a number that is too large, or an index that a list does not have"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, datetime):
        return "a date or an instant"
    if isinstance(value, list):
        return f"a list of {_kind(value[0])}" if value else "an empty list"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "something else"


def _or(kinds: Collection[str]) -> str:
    return " or ".join(sorted(kinds))


def _where(source: str, word: Token) -> str:
    before = source[: word.start]
    return f"line {before.count(chr(10)) + 1}, column {word.start - (before.rfind(chr(10)) + 1) + 1}"


def _refusal(code: str, message: str) -> InvalidRequest:
    return InvalidRequest.field(code, "/filter", message)
