"""Random filters over random people come to what the language says: told by an oracle that knows three outcomes."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.crowd import Someone
from support.filters import Filtered, filtered, refusal_of

from gateway.people.expression_tokens import conditions, tokens

TODAY = date(2026, 1, 5)
#: True, False, or None: a value is missing.
Outcome = bool | None
CITIES = ("Lyon", "Nice", 'L"yon', "é")
TAGS = ("a", "b", "in tags")


@dataclass(frozen=True)
class Written:
    """A condition: how it is written, and what it comes to."""

    text: str
    of: Callable[[Someone], Outcome]


def _compared(name: str, text: str, value: Any, mark: str, read: Callable[[Any], Any] = lambda kept: kept) -> Written:
    compare = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">=": operator.ge}[mark]

    def of(someone: Someone) -> Outcome:
        kept = someone.attributes.get(name)
        return None if kept is None else compare(read(kept), value)

    return Written(text, of)


def _age(kept: str) -> int:
    born = date.fromisoformat(kept)
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


marks = st.sampled_from(["==", "!=", "<", ">="])
numbers = st.sampled_from([0, 3, -2, 2.5, 1e6])
leaves: st.SearchStrategy[Written] = st.one_of(
    st.builds(
        lambda city, mark: _compared(
            "city", f"attributes.city {mark} {json.dumps(city, ensure_ascii=False)}", city, mark
        ),
        st.sampled_from(CITIES),
        st.sampled_from(["==", "!="]),
    ),
    st.builds(lambda n, mark: _compared("visits", f"attributes.visits {mark} {n}", n, mark), numbers, marks),
    st.builds(
        lambda years, mark: _compared("birth_date", f"age(attributes.birth_date) {mark} {years}", years, mark, _age),
        st.integers(0, 100),
        marks,
    ),
    st.builds(
        lambda tag: Written(f"{json.dumps(tag)} in tags", lambda someone: tag in someone.tags), st.sampled_from(TAGS)
    ),
    st.builds(
        lambda name: Written(f"has(attributes.{name})", lambda someone: someone.attributes.get(name) is not None),
        st.sampled_from(["city", "visits", "member", "birth_date"]),
    ),
    st.just(Written("attributes.member", lambda someone: someone.attributes.get("member"))),
    st.just(
        Written('language == "fr"', lambda someone: None if someone.language is None else someone.language == "fr")
    ),
    st.just(Written("has(language)", lambda someone: someone.language is not None)),
    st.booleans().map(lambda value: Written(json.dumps(value), lambda _: value)),
)


def _and(left: Written, right: Written) -> Written:
    def of(someone: Someone) -> Outcome:
        both = left.of(someone), right.of(someone)
        return False if False in both else None if None in both else True

    return Written(f"({left.text}) && ({right.text})", of)


def _or(left: Written, right: Written) -> Written:
    def of(someone: Someone) -> Outcome:
        both = left.of(someone), right.of(someone)
        return True if True in both else None if None in both else False

    return Written(f"({left.text}) || ({right.text})", of)


def _not(one: Written) -> Written:
    return Written(f"!({one.text})", lambda someone: None if (found := one.of(someone)) is None else not found)


def _either(condition: Written, left: Written, right: Written) -> Written:
    def of(someone: Someone) -> Outcome:
        found = condition.of(someone)
        return None if found is None else (left if found else right).of(someone)

    return Written(f"({condition.text}) ? ({left.text}) : ({right.text})", of)


filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(_and, inner, inner),
        st.builds(_or, inner, inner),
        st.builds(_not, inner),
        st.builds(_either, inner, inner, inner),
    ),
    max_leaves=6,
)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "city": st.sampled_from(CITIES),
        "visits": numbers,
        "member": st.booleans(),
        "birth_date": st.dates(date(1920, 1, 1), TODAY).map(str),
    },
)
people = st.builds(
    Someone,
    number=st.just("+33655500101"),
    language=st.sampled_from([None, "fr", "de"]),
    attributes=attributes,
    tags=st.lists(st.sampled_from(TAGS), unique=True),
)
EXPECTED = {True: Filtered.IN, False: Filtered.OUT, None: Filtered.MISSING}


@given(filters, st.lists(people, min_size=1, max_size=5))
def test_a_filter_comes_to_what_the_language_says(one: Written, some: list[Someone]):
    for someone in some:
        assert filtered(one.text, someone) is EXPECTED[one.of(someone)], one.text


@given(st.text(alphabet="ab.()[]{}\"'\\&|!?:=<>+-/*% \n,0123_é", max_size=60))
def test_any_text_is_taken_or_refused(text: str):
    code = refusal_of(text)
    assert code is None or code.startswith("filter_")


@given(st.text(alphabet="ab.()[]\"'\\&|!?: \n", max_size=40))
def test_no_character_of_a_filter_is_lost_on_its_tokens(text: str):
    words = tokens(text)
    assert "".join(word.text for word in words) == "".join(text[word.start : word.end] for word in words)
    found = [word for part in conditions(words) for word in part]
    assert [*dict.fromkeys(found)] == found
