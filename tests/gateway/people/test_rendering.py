"""Texts of templates: languages, variables, faults, and the process beside the gateway."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from support.settings import settings_in

from gateway.errors import InvalidRequest
from gateway.people.aside import Aside
from gateway.people.contact import Contact
from gateway.people.rendering import Renderer, RenderFault, chosen


def contact(number: str = "+33639980001", **known: Any) -> Contact:
    return Contact(id=1, recipient_id=1, number=number, created_us=0, updated_us=0, **known)


@pytest.fixture
async def renderer(tmp_path: Path):
    aside = Aside()
    yield Renderer(aside, settings_in(tmp_path))
    await aside.close()


async def test_each_gets_the_text_of_their_language_with_their_own_values(renderer: Renderer):
    texts = {
        "fr": "Bonjour {{ name }}, {{ at | day }} à {{ at | time }}",
        "en": "Hi {{ name }}, {{ at | day }} {{ at | time }}",
    }
    people = [
        contact(name="Zoé"),
        contact(name="Ann", language="en", timezone="America/New_York"),
        contact(name="Lou", language="fr-CA"),
    ]
    assert await renderer.render_many(texts, people, {"at": "2026-11-27T15:40:00Z"}) == [
        "Bonjour Zoé, vendredi 27 novembre à 16:40",
        "Hi Ann, Friday, November 27 10:40 AM",
        "Bonjour Lou, vendredi 27 novembre à 16 h 40",
    ]


async def test_a_missing_variable_is_a_fault_that_names_it_and_the_others_have_their_text(renderer: Renderer):
    done = await renderer.render_many(
        {"": "{{ name }} {{ attributes.city }}"},
        [contact(name="A", attributes={"city": "Lyon"}), contact(name="B"), contact(attributes={"city": "Metz"})],
    )
    assert done == [
        "A Lyon",
        RenderFault("template_variable_missing", "the variable attributes.city has no value"),
        RenderFault("template_variable_missing", "the variable name has no value"),
    ]


async def test_variables_go_before_the_card_and_attributes_are_added(renderer: Renderer):
    texts = {"": "{{ name }} {{ attributes.a }}{{ attributes.b }}{{ attributes.c }}"}
    people = [contact(name="card", attributes={"a": 1, "b": 1, "c": 1}), contact()]
    shared = {"name": "shared", "attributes": {"b": 2, "c": 2}}
    own = [{"attributes": {"c": 3}}, {"name": "own", "attributes": {"a": 3}}]
    assert await renderer.render_many(texts, people, shared, own) == ["shared 123", "own 322"]


async def test_own_variables_of_each(renderer: Renderer):
    done = await renderer.render_many({"": "{{ code }}"}, [contact(), contact()], own=[{"code": "A1"}, {"code": "B2"}])
    assert done == ["A1", "B2"]


async def test_names_and_refusals(renderer: Renderer):
    assert await renderer.names({"fr": "{{ attributes.city }}{{ code | upcase }}", "en": "{{ name }}"}) == {
        "attributes.city",
        "code",
        "name",
    }
    with pytest.raises(InvalidRequest) as refused:
        await renderer.check({"fr": "bien", "en": "{{ name | shout }}"})
    assert [each.pointer for each in refused.value.errors] == ["/texts/en"]


async def test_many_in_any_order_and_in_any_parts_each_have_their_own(renderer: Renderer, seeded: random.Random):
    texts = {"": "{% cycle 'a', 'b' %}{% increment n %}{{ name }}{% assign x = name %}", "en": "{{ name }}/{{ own }}"}
    people = [contact(name=f"<{at}>", language=seeded.choice(["en", "fr", None])) for at in range(2500)]
    seeded.shuffle(people)
    own = [{"own": f"o{each.name}"} for each in people]
    done = await renderer.render_many(texts, people, own=own)
    wanted = [f"{each.name}/o{each.name}" if each.language == "en" else f"a0{each.name}" for each in people]
    assert done == wanted


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ at | day }}", "vendredi 27 novembre"),
        ("{{ at | time }}", "16:40"),
        ("{{ at | date }}", "27 nov. 2026"),
        ("{{ at | date: 'full' }}", "vendredi 27 novembre 2026"),
        ("{{ at | date: '%A %d/%m/%Y' }}", "vendredi 27/11/2026"),
        ("{{ at | weekday }}", "vendredi"),
        ("{{ '2026-08-01' | day }}", "samedi 1 août"),
        ("{{ '2026-08-01T09:05' | time }}", "09:05"),
        ("{{ 1234.5 | money: 'EUR' }}", "1 234,50 €"),
        ("{{ '12' | money: 'CHF' }}", "12,00 CHF"),
        ("{{ 1234567.891 | number }}", "1 234 567,891"),
        ("{{ attributes.city | default: 'ici' }}{% if attributes.city %}!{% endif %}", "ici"),
        ("{% if attributes.city == nil %}none{% endif %}{% unless attributes.city %}!{% endunless %}", "none!"),
    ],
)
async def test_filters_write_as_the_recipient_reads(renderer: Renderer, source: str, text: str):
    assert await renderer.render({"": source}, contact(), {"at": "2026-11-27T15:40:00Z"}) == text


@pytest.mark.parametrize("tag", ["en", "de", "es", "pt-BR", "ja", "ar", "ru", "th", "eu", "xx"])
async def test_spaces_of_typography_are_plain_ones(renderer: Renderer, tag: str):
    source = "{{ at | time }}{{ at | day }}{{ -1234.5 | money: 'EUR' }}{{ at | date: 'full' }}"
    text = await renderer.render({"": source}, contact(language=tag), {"at": "2026-11-27T15:40:00Z"})
    assert isinstance(text, str)
    assert not set(text) & set("\u00a0\u202f\u2009\u2212\u200e\u200f")


@pytest.mark.parametrize(
    ("texts", "language", "tag"),
    [
        (("fr", "fr-CA", "en"), "fr-CA", "fr-CA"),
        (("fr", "en"), "fr-CA", "fr"),
        (("en", ""), "de", ""),
        (("en", "fr"), "de", "fr"),
        (("en", "es"), "de", "en"),
        (("en", "fr"), None, "fr"),
        (("EN-gb", "fr"), "en-GB", "EN-gb"),
    ],
)
def test_who_gets_the_text_of_which_language(texts: tuple[str, ...], language: str | None, tag: str):
    assert chosen(dict.fromkeys(texts, "x"), language, "fr") == tag


async def test_what_the_time_is_nobody_tells_a_template(renderer: Renderer):
    for source in ("{{ now }}", "{{ today }}", "{{ 'now' | date: '%Y' }}"):
        assert isinstance(await renderer.render({"": source}, contact(), {}), RenderFault)
