"""The table of the page about templates, tried line by line; and the lists of what there is."""

from __future__ import annotations

import re

import pytest
from support.markdown import page

from gateway.people.contact import Contact
from gateway.people.liquid_environment import ENVIRONMENT
from gateway.people.liquid_filters import READER_FILTERS
from gateway.people.rendering import Usual, names_of, person_of, render_one

PAGE = page("docs/how-to/templates.md")
LINES = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", PAGE.section("What stands in a template"), re.MULTILINE)
ZOE = Contact(
    id=1,
    recipient_id=1,
    number="+33639980101",
    name="Zoé Martin",
    attributes={"city": "Lyon"},
    tags=("vip",),
    created_us=0,
    updated_us=0,
)
VARIABLES = {"at": "2026-11-27T15:40:00Z", "price": 1234.5}


def test_there_are_as_many_as_there_were():
    assert len(LINES) == 15


@pytest.mark.parametrize(("source", "text"), LINES, ids=range(len(LINES)))
def test_each_template_becomes_what_the_page_says(source: str, text: str):
    texts = {"": source.replace("¦", "|")}
    person = person_of(ZOE, names_of(texts), VARIABLES)
    assert render_one(texts, Usual("fr", "Europe/Paris"), person, {}) == text.strip()


def test_the_tags_are_those_that_there_are():
    told = set(re.findall("`([a-z]+)`", PAGE.text.partition("Tags: ")[2].partition(". There")[0]))
    hidden = {"literal", "output", "illegal", "#"}
    ends = {name for name in ENVIRONMENT.tags if name.startswith("end")}
    assert told - {"raw"} == {name for name in ENVIRONMENT.tags if name.isidentifier()} - hidden - ends - {"content"}


def test_every_filter_of_ours_is_shown():
    shown = " ".join(source for source, _ in LINES)
    assert all(f"¦ {name}" in shown for name in READER_FILTERS)
