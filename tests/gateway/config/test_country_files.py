"""The files of country profiles: every one is right, every rule has its source and dates, and a wrong one is told."""

from __future__ import annotations

from datetime import date
from functools import cache

import phonenumbers
import pytest
from phonenumbers import geocoder

from gateway.config.country import KINDS, REFUSED, SURE, CountryProfile, Sourced
from gateway.config.country_files import country_profiles, profile_key, profile_keys, read_profile
from gateway.config.rules_hash import rules_hash
from gateway.config.shapes import Wrong
from gateway.config.table import Findings
from gateway.config.times import cap, span

KEYS = ("BE", "CA-QC", "CH", "DE", "FR", "GB", "LU", "US", "US-FL", "US-TX")
PROFILES = country_profiles()
STATES = [one for one in PROFILES.values() if one.area_codes]

RULE = """[[rules]]
text = "A sentence."
source = "Law 1"
date = "2020"
checked = "2026-11-27"
kind = "law"
sure = "V"
"""
SAID = RULE.removeprefix("[[rules]]\n")
COUNTRY = f"""key = "FR"
name = "France"
countries = ["FR"]
[over_sim]
promotional = "refused"
warns = true
{SAID}[bulk]
{SAID}"""
STATE = """key = "US-FL"
name = "Florida"
area_codes = ["305"]
area_codes_source = "NANPA"
area_codes_checked = "2026-11-27"
""" + COUNTRY.partition('countries = ["FR"]\n')[2]


def _said(one: CountryProfile) -> list[Sourced]:
    return [rule.said for rule in one.rules] + [one.over_sim.said, one.bulk]


def _problems(text: str, name: str = "FR") -> list[str]:
    findings = Findings()
    read_profile(text.encode(), name, findings)
    return [str(problem).removeprefix(f"profiles/{name}.toml").removeprefix(".") for problem in findings.problems]


def test_the_profiles_that_are_shipped():
    assert profile_keys() == KEYS == tuple(PROFILES)
    assert {one.key for one in PROFILES.values() if one.over_sim.promotional == REFUSED} == {"FR"}


@pytest.mark.parametrize("one", PROFILES.values(), ids=lambda one: one.key)
def test_every_rule_has_its_source_its_dates_and_how_sure_it_is(one: CountryProfile):
    for said in _said(one):
        assert said.text.endswith(".")
        assert said.source
        assert said.kind in KINDS
        assert said.sure in SURE
        assert said.date <= said.checked
        # Whoever looks a rule up writes the day; none is taken over from an earlier year.
        assert date.fromisoformat(said.checked) >= date(2026, 11, 27)
        if said.source.startswith("No source"):
            assert said.sure == "M"


@pytest.mark.parametrize("one", PROFILES.values(), ids=lambda one: one.key)
def test_every_span_and_cap_is_one_of_the_configuration(one: CountryProfile):
    for rule in one.rules:
        assert [span(each) for each in (*rule.quiet, *rule.windows)] == [*rule.quiet, *rule.windows]
        assert [cap(each) for each in rule.caps] == [*rule.caps]
    asked = {each for rule in one.rules for each in rule.requires}
    if "-" not in one.key or one.key == "CA-QC":
        assert asked == {"sender_name", "stop_notice"}
        assert any(rule.quiet or rule.windows for rule in one.rules)


def test_no_number_belongs_to_two_profiles():
    countries = [country for one in PROFILES.values() for country in one.countries]
    codes = [code for one in STATES for code in one.area_codes]
    assert len(set(countries)) == len(countries)
    assert len(set(codes)) == len(codes)
    assert {one.key: len(one.area_codes) for one in STATES} == {"CA-QC": 13, "US-FL": 23, "US-TX": 29}


@cache
def _states() -> dict[str, set[str]]:
    """By area code what the number metadata says of a few of its exchanges: a state, or the state of a town."""
    found: dict[str, set[str]] = {}
    for code in range(200, 1000):
        numbers = (phonenumbers.PhoneNumber(1, int(f"{code}{exchange}0123")) for exchange in range(200, 1000, 37))
        told = (geocoder.description_for_number(number, "en") for number in numbers)
        found[str(code)] = {text.rpartition(", ")[2] for text in told}
    return found


@pytest.mark.parametrize(
    ("key", "names", "newer"),
    [
        ("US-FL", {"FL", "Florida"}, set[str]()),
        ("US-TX", {"TX", "Texas"}, {"621"}),
        ("CA-QC", {"QC", "Quebec"}, set[str]()),
    ],
)
def test_area_codes_are_those_of_the_number_metadata(key: str, names: set[str], newer: set[str]):
    """What the package knows of a state, and nothing else but what it does not know yet."""
    known = {code for code, states in _states().items() if states & names}
    assert set(PROFILES[key].area_codes) == known | newer


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("fr", 'must be in capitals; did you mean "FR"?'),
        ("France", 'is no country profile; did you mean "FR"?'),
        ("UK", 'is no country profile; did you mean "GB"?'),
        ("TX", 'is no country profile; did you mean "US-TX"?'),
        ("US_TX", 'is no country profile; did you mean "US-TX"?'),
        ("ZZ", "is no country profile"),
        ("AT", "is a country without a profile"),
        ("CA", "is a country without a profile"),
    ],
)
def test_a_key_that_there_is_not(written: str, sentence: str):
    with pytest.raises(Wrong) as caught:
        profile_key(written)
    assert str(caught.value) == f"{sentence}; there are {', '.join(KEYS)}"


def test_a_file_that_is_right():
    findings = Findings()
    profile = read_profile((COUNTRY + RULE).encode(), "FR", findings)
    assert not findings.problems
    assert (profile.name, profile.country, len(profile.rules)) == ("France", "FR", 1)
    assert _problems(STATE + RULE, "US-FL") == []


WRONG = [
    ("", "", ["rules: is missing"]),
    (RULE, 'sure = "V"\n', ["rules[0].sure: is missing"]),
    (RULE.replace('"V"', '"yes"'), "", ['rules[0].sure: must be "V" or "M"']),
    (RULE.replace("Law 1", " "), "", ["rules[0].source: must not be empty"]),
    (RULE.replace("sentence.", "sentence"), "", ["rules[0].text: must be a sentence, with a full stop at its end"]),
    (
        RULE.replace('"2020"', '"2020-13"'),
        "",
        ['rules[0].date: must be a date such as "2026-02-17", "2026-02" or "2026"'],
    ),
    (RULE.replace('"2020"', "2020-01-01"), "", ["rules[0].date: must be text in quotes"]),
    (RULE.replace('"2026-11-27"', '"2026-11"'), "", ['rules[0].checked: must be a day such as "2026-02-17"']),
    (RULE.replace('"2020"', '"2026-12"'), "", ["rules[0].checked: lies before the date of the source"]),
    (RULE + 'quiet = ["25:00-08:00"]\n', "", ["rules[0].quiet[0]: must be hours"]),
    (RULE + 'caps = ["0/1h"]\n', "", ["rules[0].caps[0]: allows nothing: a cap must be at least 1"]),
    (RULE + 'requires = ["stop"]\n', "", ['rules[0].requires[0]: must be "sender_name" or "stop_notice"']),
    (RULE + "hours = 1\n", "", ["rules[0].hours: unknown key"]),
    ((RULE + 'windows = ["mon"]\n') * 2, "", ["rules: has windows in more than one rule"]),
    (RULE, 'countries = ["FR"]\n', ["countries: must name the country itself"]),
    (RULE, 'promotional = "refused"\n', ["over_sim.promotional: is missing"]),
]


@pytest.mark.parametrize(("rules", "left_out", "expected"), WRONG)
def test_a_file_that_is_wrong(rules: str, left_out: str, expected: list[str]):
    text = COUNTRY + rules
    # The last one, so that a key that several tables have is left out of the rule.
    before, _, after = text.rpartition(left_out) if left_out else (text, "", "")
    found = _problems(before + after)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_parts_that_do_not_belong_together():
    assert _problems(COUNTRY + RULE, "BE") == ["key: is not the name of the file"]
    assert _problems("rules = 1\n" + COUNTRY) == [
        "rules: must be a list of tables: [[profiles/FR.toml.rules]]",
        "rules: is missing",
    ]
    assert _problems("rules = [1]\n" + COUNTRY)[0] == "rules[0]: must be a table: [profiles/FR.toml.rules[0]]"
    assert _problems('area_codes = ["305"]\n' + COUNTRY + RULE) == [
        "area_codes: must be written for a state, and for no country"
    ]
    assert _problems(STATE.replace('"305"', '"305", "305"') + RULE, "US-FL") == ["area_codes: names one twice"]
    assert _problems(STATE.replace('"305"', '"105"') + RULE, "US-FL")[0].startswith(
        "area_codes[0]: must be three digits"
    )
    assert _problems('countries = ["US"]\n' + STATE + RULE, "US-FL") == ["countries: a state answers for area codes"]


@pytest.mark.parametrize("octets", [b"key = ", b"\xff", b"\xef\xbb\xbf"])
def test_a_file_that_is_no_toml(octets: bytes):
    findings = Findings()
    read_profile(octets, "FR", findings)
    assert findings.problems[0].key == "profiles/FR.toml"


def test_hosts_with_another_word_of_the_owner_are_told_apart(load):
    base = rules_hash(load())
    assert rules_hash(load("[profiles.FR]\npromotional_over_sim = true")) != base
    assert rules_hash(load("[profiles.FR]\nprudence = false")) != base
