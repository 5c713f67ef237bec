"""Filters: what is taken, what is refused and how that is said, and what they come to for people."""

from __future__ import annotations

import pytest
from support.crowd import TYPES, Someone
from support.filters import CATEGORIES, Filtered, filtered, refusal_of

from gateway.errors import InvalidRequest
from gateway.people.expression import Expression
from gateway.people.expression_check import DEEPEST, LONGEST, check

NUMBER = "+33655500101"
DAY_US = 86_400_000_000
#: 2026-01-05T10:00:00Z, 11:00 in Paris.
NOW_US = 1_767_607_200_000_000
IN, OUT, MISSING, FAILED = Filtered.IN, Filtered.OUT, Filtered.MISSING, Filtered.FAILED


@pytest.mark.parametrize(
    "source",
    [
        'attributes.city == "Lyon" && age(attributes.birth_date) >= 60 && "diabetes" in tags',
        "attributes.visits > 3 && attributes.visits < 3.5 && attributes.visits != 3",
        "attributes.visits + 1.0 > 3.0",
        "int(attributes.visits) % 2 == 0",
        'attributes.birth_date < date("1960-01-01")',
        "attributes.birth_date.getMonth() == today.getMonth()",
        'has(email) && email.endsWith("@example.org")',
        'has(attributes.city) || has(attributes["last visit"])',
        'attributes["city"] == "x" && attributes[\'last visit\'] < now',
        'tags.exists(t, t.startsWith("a")) && tags.size() > 1',
        'consent.promotional == "given" && !(opted_out_of.promotional || opted_out)',
        "has(last_sent) && days_since(last_sent) < 3 || sent_count == 0",
        'last_sent < now - duration("720h")',
        'attributes.city in ["Lyon", "Nice"] && 3 in [attributes.visits]',
        "attributes.member ? attributes.visits > 3 : !attributes.member",
        '""" || foo " """ == name',
        "// of all\ntrue",
        "[1, 2].map(each, each * 2) == [2, 4]",
        'name.lower().contains("é") && lower(name) != ""',
        "now.getHours() > 3 && days_until(attributes.birth_date) == 1",
        "timestamp(attributes.city) < now",
        '"a" in tags == true',
    ],
)
def test_filters_that_are_taken(source: str):
    check(source, TYPES, CATEGORIES)


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("", "filter_invalid", "ends too early"),
        ("attributes.city ==", "filter_invalid", "ends too early"),
        ('name == "+33612345678" extra', "filter_invalid", "from line 1, column 24 on"),
        ('name ==\n "é" "é"', "filter_invalid", "from line 2, column 6 on"),
        ("has(name.x.y) &", "filter_invalid", "column"),
        ("has(foo)", "filter_invalid", "has(…) takes a field"),
        ("(" * (DEEPEST + 1) + "true" + ")" * (DEEPEST + 1), "filter_invalid", "nested deeper"),
        ("true" + " " * LONGEST, "filter_too_long", "4096"),
        ('name == "' + "é" * (LONGEST // 2) + '"', "filter_too_long", "4096"),
        ('attributes.ciy == "x"', "filter_unknown", "there is no attribute ciy; did you mean attributes.city?"),
        ('city == "x"', "filter_unknown", "there is no field city; did you mean attributes.city?"),
        ('nme == "x"', "filter_unknown", "did you mean name?"),
        ("lastsent < now", "filter_unknown", "did you mean last_sent?"),
        ('attributes["+33612345678"] == 1', "filter_unknown", "there is no attribute of this name"),
        ('"x" in attributes', "filter_unknown", "a member must be named"),
        ("attributes.all(k, true)", "filter_unknown", "there is no attribute all"),
        ('consent.promo == "given"', "filter_unknown", "did you mean consent.promotional?"),
        ("opted_out_of.emergency", "filter_unknown", "there is no category emergency"),
        ("agee(attributes.birth_date) > 3", "filter_unknown", "did you mean age?"),
        ('name.startWith("x")', "filter_unknown", "did you mean startsWith?"),
        ('tags.exists(name, name == "x")', "filter_unknown", "name is a field"),
        ("_ == 1", "filter_unknown", "there is no field _"),
        ("_.A0 == 1 && has(name)", "filter_unknown", "there is no field _"),
        ('.name == "x"', "filter_type", "line 1"),
        ("attributes.visits + 1 > 3.0", "filter_type", "written 1.0"),
        ('attributes.birth_date < "1960-01-01"', "filter_type", "dates date(…)"),
        ('attributes.birth_date == "1960-01-01"', "filter_type", "a date or an instant is never a text"),
        ('attributes.visits == "3"', "filter_type", "a number is never a text"),
        ('attributes.visits in ["3"]', "filter_type", "a number is never a text"),
        ("name == null", "filter_type", "nothing is ever null"),
        ("attributes.city", "filter_type", "a text, and not true or false"),
        ('name == "a" || attributes.visits > "x"', "filter_type", "column 16"),
        ("attributes.member && attributes.visits", "filter_type", "column 22"),
        ("!attributes.visits", "filter_type", "types do not fit"),
        ('attributes.member ? attributes.city : "x"', "filter_type", "a text, and not true or false"),
        ("age(attributes.city) > 3", "filter_type", "age(…) is given what it does not take"),
        ('attributes.visits.startsWith("1")', "filter_type", "startsWith(…) cannot be asked"),
        ('date("2026-13-01") < now', "filter_type", "a date is written as YYYY-MM-DD"),
        ('name.matches("(")', "filter_type", "the regular expression is none"),
        ('name.matches("a{1000}{1000}{1000}")', "filter_type", "or too large"),
        ('duration("x") < duration("1s")', "filter_type", "a duration is written"),
        ("1 / 0 == 1", "filter_type", "worked out for nobody"),
    ],
)
def test_filters_that_are_refused(source: str, code: str, said: str):
    with pytest.raises(InvalidRequest) as refused:
        check(source, TYPES, CATEGORIES)
    assert (refused.value.code, [error.pointer for error in refused.value.errors]) == (code, ["/filter"])
    assert said in refused.value.message
    assert "3361234" not in refused.value.message


@pytest.mark.parametrize("repeated", ["!", "-", "true || ", "1 + ", "true ? true : ", "[", "{1: ", "a.", "size("])
def test_whatever_is_repeated_is_taken_or_refused(repeated: str):
    code = refusal_of((repeated * LONGEST)[: LONGEST - 5] + "true")
    assert code is None or code.startswith("filter_")


PERSON = Someone(
    number=NUMBER,
    name="Élise",
    language="fr",
    timezone="Indian/Reunion",
    attributes={"city": "Lyon", "birth_date": "1966-01-05", "visits": 3, "member": True, "last visit": "2024-02-29"},
    tags=["a", "b"],
)
NOBODY = Someone(number=NUMBER)
ONCE = {"last_sent": NOW_US - DAY_US, "sent_count": 1, "consent.promotional": "given", "opted_out": True}


@pytest.mark.parametrize(
    ("source", "person", "nobody"),
    [
        ('attributes.city == "Lyon"', IN, MISSING),
        ('attributes.city != "Lyon"', OUT, MISSING),
        ('has(attributes.city) && attributes.city == "Lyon"', IN, OUT),
        ("!has(email)", IN, IN),
        ("has(number) && has(name)", IN, OUT),
        ('"a" in tags || attributes.visits > 9', IN, MISSING),
        ('attributes.visits > 9 || "a" in tags', IN, MISSING),
        ('"c" in tags && attributes.visits > 1', OUT, OUT),
        ("attributes.visits > 1 && false", OUT, OUT),
        ("attributes.visits == 3 && attributes.visits == 3.0", IN, MISSING),
        ("1 / int(attributes.visits - 3.0) > 0", FAILED, MISSING),
        ('tags[1] == "b"', IN, FAILED),
        ("int(name) > 0", FAILED, MISSING),
        ("age(attributes.birth_date) == 60", IN, MISSING),
        ("age(attributes['last visit']) == 1", IN, MISSING),
        ("days_since(last_sent) == 1", IN, OUT),
        ("days_since(last_sent) > 20000", OUT, IN),
        ("has(last_sent)", IN, OUT),
        ("!has(last_sent) && last_sent < now", OUT, IN),
        ("sent_count >= 1", IN, OUT),
        ('consent.promotional == "given"', IN, OUT),
        ('consent.promotional == ""', OUT, IN),
        ("opted_out", IN, OUT),
        ('lower(name) == "élise" && name.lower() == "élise"', IN, MISSING),
        ('today == date("2026-01-05")', IN, IN),
        ("now.getHours() == 10", IN, IN),
        ("tags.exists_one(each, each == 'a')", IN, OUT),
        ('timezone.startsWith("Indian/")', IN, MISSING),
        ("attributes.member", IN, MISSING),
        ('{"a": 1}[name] == 1', FAILED, MISSING),
    ],
)
def test_what_filters_come_to(source: str, person: Filtered, nobody: Filtered):
    assert filtered(source, PERSON, ONCE) is person
    assert filtered(source, NOBODY) is nobody


def test_a_day_is_that_of_the_zone_where_the_person_is():
    """At 21:00 UTC it is tomorrow in Réunion, and today in Paris and for whoever's zone is not known."""
    evening_us = NOW_US + 11 * DAY_US // 24
    for someone, tomorrow in ((PERSON, IN), (Someone(number=NUMBER, timezone="Mars/Olympus"), OUT), (NOBODY, OUT)):
        assert filtered('today == date("2026-01-06")', someone, now_us=evening_us) is tomorrow
        sent = {"last_sent": evening_us - DAY_US // 24}
        assert filtered("days_since(last_sent) == 0", someone, sent, now_us=evening_us) is IN
        assert filtered("days_since(last_sent) == 1", someone, {"last_sent": NOW_US}, now_us=evening_us) is tomorrow


def test_an_instant_at_midnight_is_no_date():
    """In Réunion it is four in the morning then: the day is that of the instant there, not the one in its digits."""
    midnight_us = NOW_US // DAY_US * DAY_US
    west = Someone(number=NUMBER, timezone="America/Martinique")
    assert filtered("days_since(last_sent) == 1", west, {"last_sent": midnight_us}) is IN


def test_values_of_another_type_than_their_attributes_are_missing():
    odd = {"city": 3, "visits": True, "member": "yes", "birth_date": "5 January", "last visit": 20240229}
    someone = Someone(number=NUMBER, attributes=odd)
    for source in (
        'attributes.city == "3"',
        "attributes.visits == 1",
        "attributes.member",
        "age(attributes.birth_date) > 1",
        "attributes['last visit'] < now",
    ):
        assert filtered(source, someone) is MISSING
    huge = Someone(number=NUMBER, attributes={"visits": 10**400})
    assert filtered("attributes.visits > 1", huge) is MISSING


def test_a_filter_is_given_what_it_names_and_no_more():
    known = Expression('attributes.city == "x" && sent_count > 1 && has(last_replied)', TYPES)
    assert known.columns == ("attributes", "last_replied", "sent_count")
    assert Expression("age(attributes.birth_date) > 1", TYPES).columns == ("attributes", "timezone")
    assert Expression("true", TYPES).columns == ()


def test_people_of_whom_the_same_is_true_are_judged_once():
    """However often they are asked of, and whoever comes between."""
    source = "age(attributes.birth_date) >= 60"
    young = Someone(number=NUMBER, attributes={"birth_date": "2000-01-01"})
    assert [filtered(source, each) for each in (PERSON, young, NOBODY) * 3] == [IN, OUT, MISSING] * 3
