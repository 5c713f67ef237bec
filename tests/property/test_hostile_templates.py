"""Templates with hostile contacts and hostile authors: nobody reads what belongs to somebody else, and no text takes
long or much memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from gateway.errors import InvalidRequest
from gateway.people.contact import Contact
from gateway.people.liquid_environment import MOST_OUTPUT, READER_FILTERS, compiled
from gateway.people.rendering import Person, RenderFault, Usual, check_sources, names_of, person_of, render_one

USUAL = Usual("fr", "Europe/Paris")

#: Templates that keep state within a text: none of it may be there for the next recipient.
STATEFUL = (
    "{% increment n %}{% cycle 'a', 'b' %}{% cycle name: 'a', 'b' %}{{ name }}{% increment n %}",
    "{% assign who = name %}{{ who }} {{ attributes.note }}",
    "{{ who | default: 'nobody' }}{% assign who = name %}{% capture s %}{{ name }}{{ own }}{% endcapture %}{{ s }}",
    "{% for tag in tags %}{{ tag }}{% cycle 'x', 'y' %}{% endfor %}{{ name | upcase | downcase }}",
    "{% for t in tags limit: 1 %}{{ t }}{% endfor %}{% for t in tags offset: continue %}{{ t }}{% endfor %}{{ name }}",
    "{{ when | date: 'full' }} {{ when | day }} {{ name }} {{ attributes.note | default: name }}",
    "{{ attributes[name] | default: name }} {{ own }}",
    "{% if attributes.note contains name %}{{ name }}{% else %}{{ own }}{% endif %}",
    "{% decrement n %}{{ tags | join: ',' | append: name }}{{ attributes.note | replace: 'a', name }}",
    "{{ name }}{% assign l = shared.list | concat: tags | reverse %}{{ l | join: '+' }}{{ shared.list | join: '-' }}",
)

LIQUID = st.sampled_from(
    ["{{ number }}", "{% assign x = 1 %}", "{{ attributes }}", "{% raw %}", "{%", "}}", "{% for i in (1..999999) %}x"]
)
TEXTS = st.one_of(
    st.text(max_size=40),
    LIQUID,
    st.builds("".join, st.lists(LIQUID, max_size=4)),
    st.sampled_from(
        ["\x00\x07\x1b[31m", "\u202egnp.exe", "\u2066\u2069", "\ud800", "a\r\nb\u2028c\u0085d", "\t", "z" * 10_000]
    ),
)
VALUES = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none(), st.lists(TEXTS, max_size=3))


def marker(at: int) -> str:
    return f"«{at}»"


def crowd(notes: Sequence[Any]) -> list[tuple[Contact, dict[str, Any]]]:
    """People whose every value holds a marker of their own, beside what is hostile."""
    return [
        (
            Contact(
                id=at,
                recipient_id=at,
                number=f"+3363998{at:04}",
                name=marker(at) + str(note)[:50],
                language=("fr", "en", None, "de-AT")[at % 4],
                timezone=("Europe/Paris", "Asia/Tokyo", None, "No/Such")[at % 4],
                attributes={"note": note if isinstance(note, int | float | bool) else marker(at) + str(note)},
                tags=(marker(at), "vip"),
                created_us=0,
                updated_us=0,
            ),
            {"own": marker(at)},
        )
        for at, note in enumerate(notes)
    ]


@given(st.lists(VALUES, min_size=2, max_size=12), st.sampled_from(STATEFUL), st.randoms(use_true_random=False))
def test_nobody_reads_what_belongs_to_somebody_else(notes: list[Any], source: str, chance: random.Random):
    texts = {"": source}
    shared = {"when": "2026-11-27T15:40:00Z", "shared": {"list": ["s1", "s2"]}}
    people = [person_of(contact, names_of(texts), own) for contact, own in crowd(notes)]
    alone = [render_one(texts, USUAL, person, shared) for person in people]
    # In another order, some twice: what came before changes nothing.
    order = [chance.randrange(len(people)) for _ in range(3 * len(people))]
    for at in order:
        text = render_one(texts, USUAL, people[at], shared)
        assert text == alone[at]
        if isinstance(text, str):
            others = {marker(other) for other in range(len(people))} - {marker(at)}
            assert not any(other in text for other in others)


@given(VALUES, VALUES)
def test_values_are_put_in_as_they_stand_without_what_steers(name: Any, note: Any):
    person = Person("+33639980101", None, None, {"name": name, "attributes": {"note": note}}, {})
    text = render_one({"": "<{{ name | default: '' }}|{{ attributes.note | default: '' }}>"}, USUAL, person, {})
    if isinstance(text, RenderFault):
        assert text.code in {"template_failed", "template_too_long"}
        return
    assert text.startswith("<")
    assert text.endswith(">")
    assert not any((each < " " and each != "\n") or "\x7f" <= each <= "\x9f" for each in text)
    assert not any("\u202a" <= each <= "\u202e" or "\u2066" <= each <= "\u2069" for each in text)
    text.encode()
    if isinstance(name, str) and name.isprintable() and name:
        assert text.startswith(f"<{name}|")


@given(VALUES, st.sampled_from(sorted(READER_FILTERS)), VALUES)
def test_filters_of_dates_and_money_take_anything(value: Any, name: str, argument: Any):
    person = Person("+33639980101", "fr", "Europe/Paris", {"value": value, "argument": argument}, {})
    for source in (f"{{{{ value | {name} }}}}", f"{{{{ value | {name}: argument }}}}"):
        outcome = render_one({"": source}, USUAL, person, {})
        if isinstance(outcome, RenderFault):
            assert isinstance(value, int | float) or len(str(value)) < 4 or str(value) not in outcome.message


BOMBS = (
    "{% for i in (1..200) %}{% for j in (1..200) %}{% for k in (1..200) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% assign a = big %}{% for i in (1..200) %}{% assign a = a | append: a %}{% endfor %}{{ a }}",
    "{% assign a = 9999999999 %}{% for i in (1..200) %}{% assign a = a | times: a %}{% endfor %}{{ a }}",
    "{% for i in (1..200) %}{{ big | replace: '', big }}{% endfor %}",
    "{% for i in (1..200) %}{% assign a = big | split: '' | sort | join: big %}{% endfor %}",
    "{% for i in (1..200) %}{% assign a = i | date: '%A %B %c %x' | append: big %}{% endfor %}",
    "{% for i in (1..200) %}{% capture a %}{{ a }}{{ big }}{% endcapture %}{% endfor %}{{ a | size }}",
    "{% for i in many %}{% for j in many %}{% for k in many %}{{ k }}{% endfor %}{% endfor %}{% endfor %}",
    "{{ 1 | date: '%1000000000d' }}{{ 1.5 | round: 99999999999 }}{{ '9' | times: 1e300 }}",
    "{% assign l = many %}{% for i in (1..200) %}{% assign l = l | concat: l %}{% endfor %}",
    "{% for i in (1..200) %}" + "{{ big | upcase | size }}" * 300 + "{% endfor %}",
    "{{ big | truncate: 9999999999999999999999 }}{{ big | slice: -99999999999999999999, 99999999999999999999 }}",
    "{% if true %}" * 19 + "{{ big }}" + "{% endif %}" * 19,
)


@pytest.mark.parametrize("source", BOMBS)
def test_no_text_takes_long_or_much_memory(source: str):
    values = {"big": "z" * 10_000, "many": [f"m{at}" for at in range(200)], "name": "N" * 10_000}
    person = Person("+33639980101", None, None, values, {})
    tracemalloc.start()
    try:
        began = time.process_time()
        outcome = render_one({"": source}, USUAL, person, {})
        took_s = time.process_time() - began
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, RenderFault) or len(outcome) <= MOST_OUTPUT
    # Some ten times what it takes; without bounds these take hours and gigabytes.
    assert took_s < 5
    assert most < 32 * 1024 * 1024


WORDS = "{{ }} {% %} if for endif endfor x in (1..9) | ' assign = - [ ] . : , liquid else case when and contains macro"
PIECES = st.sampled_from(
    [
        *WORDS.split(),
        *(
            "{{ name }}",
            "{% if name %}",
            "{% endif %}",
            "include 'x'",
            "render 'x'",
            "{% raw %}",
            "{% comment %}",
            "🎉",
        ),
        *('"', " ", "\n", "\x00", "extends"),
    ]
)


@given(st.builds("".join, st.lists(PIECES, max_size=40)))
@settings(max_examples=300)
def test_a_source_is_read_or_refused_in_words(source: str):
    refusal = refusal_of(source)
    if refusal is None:
        outcome = render_one({"": source}, USUAL, Person("", None, None, {"name": "N"}, {}), {})
        assert isinstance(outcome, str | RenderFault)
    else:
        assert refusal.code == "template_invalid"
        assert [each.pointer for each in refusal.errors] == ["/texts/fr"]
        assert all("\n" not in each.message for each in refusal.errors)


def refusal_of(source: str) -> InvalidRequest | None:
    try:
        check_sources({"fr": source}, "/texts")
    except InvalidRequest as refused:
        return refused
    return None


@pytest.mark.parametrize("piece", ["{{ x", "{% if x %}", "{{ x | y: ", "(1..", "[[[[", "{% liquid\n", "'", "a.b[c"])
def test_reading_a_long_source_takes_no_time_to_speak_of(piece: str):
    source = (piece * 10_000)[:10_000]
    began = time.process_time()
    with suppress(LiquidError, RecursionError):
        compiled.__wrapped__(source)
    assert time.process_time() - began < 10
