"""The page of the country profiles says what their files say, and the page on France what that of France says."""

from __future__ import annotations

import tomllib

import pytest
from support.country_page import PAGE, text
from support.markdown import page

from gateway.config.country import CountryProfile
from gateway.config.country_files import country_profiles

FRANCE = page("docs/how-to/promotional-in-france.md")


def test_the_page_is_that_of_the_files():
    assert PAGE.read_text("utf-8") == text(), "PYTHONPATH=.:tests .venv/bin/python -m support.country_page"


@pytest.mark.parametrize("one", country_profiles().values(), ids=lambda one: one.key)
def test_every_rule_stands_there_with_its_source_and_dates(one: CountryProfile):
    section = page("docs/reference/country-profiles.md").section(f"{one.key} {one.name}")
    for said in (*(rule.said for rule in one.rules), one.over_sim.said, one.bulk):
        assert f"| {said.text} |" in section
        assert f"{said.kind}: {said.source} | {said.date} | {said.checked} |" in section
    assert all(code in section for code in one.area_codes)


def test_no_cell_of_the_page_is_cut():
    for one in country_profiles().values():
        for said in (*(rule.said for rule in one.rules), one.over_sim.said, one.bulk):
            assert "|" not in said.text + said.source


def test_the_page_on_france_is_no_advice_and_names_what_the_profile_rests_on():
    words = (
        "not legal advice",
        "2022-1583",
        "09 37",
        "0700",
        "8:00",
        "21:30",
        "promotional_over_sim",
        "prudence",
        "transactional",
    )
    assert [word for word in words if word not in FRANCE.text] == []
    for block in FRANCE.blocks("toml"):
        assert tomllib.loads(block)
