"""What is said of a moment: the rule, until when, and a sentence; the best moment, and the last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from support.hours_cases import CategoryOfCase, ProfileOfCase

from gateway.clock import from_datetime, rfc3339
from gateway.config.zones import ZoneBook
from gateway.message import Rule
from gateway.rules.feasible import hours_findings
from gateway.rules.moments import Closed, Home, Moments
from gateway.rules.places import Place, Places
from gateway.rules.verdict import Defer

FRENCH, AMERICAN, CALIFORNIAN, BRITISH = "+33639980101", "+12125550123", "+14155550123", "+447700900123"
PARIS = Place("FR", None, ("Europe/Paris",))
BASTILLE = date(2026, 7, 14).toordinal()


@dataclass
class Calendar:
    """A public holiday in two places, and in a region."""

    def is_holiday(self, country: str, region: str, day: int) -> bool:
        return day == BASTILLE and (country == "FR" or region == "57")


def moments(*profiles: ProfileOfCase, home: Home = Home("FR"), timezone: str = "Europe/Paris") -> Moments:  # noqa: B008
    zones = ZoneBook(lambda: 0)
    return Moments(Places(timezone, zones.has), zones, Calendar().is_holiday, home, lambda *_: profiles)


def at(text: str) -> int:
    """An instant, of UTC where nothing else is written."""
    moment = datetime.fromisoformat(text)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def told(closed: Closed | None) -> tuple[str, str | None, str] | None:
    if closed is None:
        return None
    until = None if closed.until_us is None else rfc3339(closed.until_us)[:16]
    return closed.rule, until, closed.explanation


def judged(category: CategoryOfCase, moment: str, number: str = FRENCH, *profiles: ProfileOfCase):
    return told(moments(*profiles).judge(category, number, at(moment)))


def test_quiet_hours_of_the_night():
    night = CategoryOfCase(["21:00-08:00"])
    assert judged(night, "2026-11-27T19:59:59.999") is None
    assert judged(night, "2026-11-27T20:00") == (
        "quiet_hours",
        "2026-11-28T07:00",
        'it is within the quiet hours "21:00-08:00" in Europe/Paris',
    )
    assert judged(night, "2026-11-28T06:59:59") is not None
    assert judged(night, "2026-11-28T07:00") is None


def test_windows():
    office = CategoryOfCase(windows=["mon-fri 09:00-12:00", "mon-fri 14:00-18:00"])
    assert judged(office, "2026-11-27T11:30") == (
        "window",
        "2026-11-27T13:00",
        'it is outside the hours "mon-fri 09:00-12:00", "mon-fri 14:00-18:00" in Europe/Paris',
    )
    many = CategoryOfCase(windows=[f"{hour:02}:00-{hour:02}:30" for hour in range(9, 14)])
    assert (judged(many, "2026-11-27T02:00") or ("", "", ""))[2].endswith(
        '"09:00-09:30", "10:00-10:30", "11:00-11:30" and 2 more in Europe/Paris'
    )


def test_holidays_have_their_own_rule_word():
    category = CategoryOfCase(["20:00-10:00", "holidays"])
    assert judged(category, "2026-07-14T12:00") == (
        "holiday",
        "2026-07-15T08:00",
        'it is within the quiet hours "holidays" (public holidays) in Europe/Paris',
    )
    assert (judged(category, "2026-07-14T21:00") or ("",))[0] == "quiet_hours"


def test_the_rule_that_denies_longest_is_named_and_the_moment_is_that_of_all_together():
    category = CategoryOfCase(["21:00-08:00", "sat"], windows=["mon-sun 07:00-20:00"])
    profile = ProfileOfCase(["20:00-10:00"], [], "FR", "art. 1")
    assert judged(category, "2026-11-27T20:30", FRENCH, profile) == (
        "quiet_hours",
        "2026-11-29T09:00",
        'it is within the quiet hours "21:00-08:00" in Europe/Paris',
    )
    # A country is named where it alone denies; its hours count in any case.
    assert judged(CategoryOfCase(["21:00-08:00"]), "2026-11-27T20:30", FRENCH, profile) == (
        "quiet_hours",
        "2026-11-28T09:00",
        'it is within the quiet hours "21:00-08:00" in Europe/Paris',
    )
    assert judged(CategoryOfCase(["21:00-08:00"]), "2026-11-27T19:30", FRENCH, profile) == (
        "country_profile",
        "2026-11-28T09:00",
        'it is within the quiet hours "20:00-10:00" of the profile FR (art. 1) in Europe/Paris',
    )


@pytest.mark.parametrize(
    ("category", "profile", "rule"),
    [
        (CategoryOfCase(["20:00-09:00", "holidays 20:00-09:00"], ["09:00-20:00"]), ("20:00-09:00",), Rule.QUIET_HOURS),
        (CategoryOfCase(["holidays 20:00-09:00"], ["09:00-20:00"]), ("20:00-09:00",), Rule.WINDOW),
        (CategoryOfCase(["holidays 20:00-09:00"]), ("20:00-09:00",), Rule.HOLIDAY),
        (CategoryOfCase(), ("20:00-09:00",), Rule.COUNTRY_PROFILE),
    ],
)
def test_of_equals_the_owner_s_keys_are_named_first(category: CategoryOfCase, profile: Sequence[str], rule: Rule):
    found = moments(ProfileOfCase(profile, ())).judge(category, FRENCH, at("2026-07-14T20:00"))
    assert found is not None
    assert found.rule is rule


def test_a_minute_is_allowed_only_if_it_is_in_every_zone():
    night = CategoryOfCase(["21:00-08:00"])
    zones = ("America/New_York", "America/Los_Angeles")
    place = Place("US", None, zones)
    closed = told(moments().judge_at(night, place, at("2026-11-27T14:00")))
    assert closed == (
        "quiet_hours",
        "2026-11-27T16:00",
        'it is within the quiet hours "21:00-08:00" in America/Los_Angeles, one of 2 zones in which the number may be',
    )
    assert moments().judge_at(night, place, at("2026-11-28T01:59")) is None
    assert moments().judge_at(night, place, at("2026-11-28T02:00")) is not None


def test_a_person_s_zone_is_that_of_the_number():
    night = CategoryOfCase(["21:00-08:00"])
    assert judged(night, "2026-11-27T12:00", AMERICAN) is not None
    assert judged(night, "2026-11-27T13:00", AMERICAN) is None
    assert judged(night, "2026-11-27T13:00", CALIFORNIAN) is not None
    assert judged(night, "2026-11-27T07:59", BRITISH) is not None
    assert judged(night, "2026-11-27T08:00", BRITISH) is None


def test_who_has_no_zone_has_the_gateway_s(tell: Callable[[str], None]):
    night = CategoryOfCase(["21:00-08:00"])
    tokyo = moments(timezone="Asia/Tokyo")
    for number in ("+999123", "+870773111632", "38200", "BANK"):
        assert tokyo.judge(night, number, at("2026-11-27T12:00")) is not None
        assert tokyo.judge(night, number, at("2026-11-27T02:00")) is None
    strict = CategoryOfCase(["20:00-10:00", "sun"])
    zones = tokyo.places.of("+12005550123").zones
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones)
    assert tokyo.judge(strict, "+12005550123", at("2026-11-27T17:00")) is not None
    tell("T08: numbers without a zone are judged by the gateway's; of an unknown area by all zones of the calling code")


def test_holidays_are_those_of_the_person_s_country_and_of_the_region_at_home():
    holidays = CategoryOfCase(["holidays"])
    noon = at("2026-07-14T12:00")
    assert moments(home=Home("DE")).judge(holidays, FRENCH, noon) is not None
    assert moments(home=Home("FR")).judge(holidays, AMERICAN, noon) is None
    assert moments(home=Home("FR")).judge(holidays, "+999123", noon) is not None
    assert moments(home=Home()).judge(holidays, "+999123", noon) is None
    assert moments(home=Home("US", "57")).judge(holidays, AMERICAN, noon) is not None
    assert moments(home=Home("DE", "57")).judge(holidays, AMERICAN, noon) is None


def test_spring_leaves_an_hour_out_and_autumn_repeats_one():
    category = CategoryOfCase(["02:15-02:45"])
    assert told(moments().judge(category, FRENCH, at("2026-03-29T01:30"))) is None
    for hour in ("00", "01"):
        assert judged(category, f"2026-10-25T{hour}:15") == (
            "quiet_hours",
            f"2026-10-25T{hour}:45",
            'it is within the quiet hours "02:15-02:45" in Europe/Paris',
        )


def test_nothing_is_allowed_for_ever():
    found = moments().wait(CategoryOfCase(["mon-fri", "sat-sun"]), FRENCH, at("2026-11-27T12:00"))
    assert found == Defer(None, Rule.QUIET_HOURS, 'it is within the quiet hours "mon-fri" in Europe/Paris')
    assert moments().wait(CategoryOfCase(), FRENCH, at("2026-11-27T12:00")) is None


def test_without_hours_of_its_own_a_category_keeps_to_those_of_its_profile():
    closed = moments(ProfileOfCase(["mon-sun"], ())).wait(CategoryOfCase(profile="FR"), FRENCH, 0)
    assert closed is not None
    assert closed.rule is Rule.COUNTRY_PROFILE


def test_the_search_ends_after_400_days_and_goes_on_with_the_time():
    """Asked again later, it knows what it has seen and looks at what is new."""
    rare, one = CategoryOfCase(windows=["holidays"]), moments()
    begins = at("2026-07-13T22:00")
    day_us = 86_400 * 10**6
    answers = [one.judge(rare, FRENCH, begins - days * day_us) for days in (402, 401, 400, 399, 2, 405)]
    assert [closed and closed.until_us for closed in answers] == [None, None, begins, begins, begins, None]


def test_the_first_the_last_and_the_best_moment():
    category = CategoryOfCase(["21:00-08:00"], preferred=["fri 17:00-20:00"])
    one, night, day = moments(), at("2026-11-26T23:30:30"), at("2026-11-26T12:00:30")
    assert one.first_open(category, FRENCH, day) == day
    assert one.first_open(category, FRENCH, night) == at("2026-11-27T07:00")
    assert one.last_open(category, FRENCH, day, night) == at("2026-11-26T19:59")
    assert one.last_open(category, FRENCH, day, day + 5) == at("2026-11-26T12:00")
    assert one.last_open(category, FRENCH, night, night + 10**9) is None
    assert one.best(category, FRENCH, night, at("2026-12-01T00:00")) == at("2026-11-27T16:00")
    assert one.best(category, FRENCH, night, at("2026-11-27T16:00")) is None
    assert one.best(category, FRENCH, at("2026-11-27T16:30:30"), at("2026-12-01T00:00")) == at("2026-11-27T16:30:30")
    assert one.best(CategoryOfCase(["21:00-08:00"]), FRENCH, day, night) is None
    assert one.preferred_now(category, FRENCH, at("2026-11-27T18:59:59"))
    assert not one.preferred_now(category, FRENCH, at("2026-11-27T19:00"))
    assert one.preferred_now(CategoryOfCase(), FRENCH, night)


def test_a_category_that_changed_is_another_one():
    one, moment = moments(), at("2026-11-27T22:00")
    assert one.judge(CategoryOfCase(["21:00-08:00"]), FRENCH, moment) is not None
    assert one.judge(CategoryOfCase([]), FRENCH, moment) is None


def test_the_memory_is_bounded():
    one, category = moments(), CategoryOfCase(["21:00-08:00"])
    for minute in range(1000):
        one.judge(category, FRENCH, minute * 60_000_000)
    ((_, desks),) = one._desks.values()
    (desk,) = desks.values()
    assert len(desk.judged) <= 64


@pytest.mark.parametrize(
    ("category", "key", "grave"),
    [
        (CategoryOfCase(["00:00-24:00"]), "quiet_hours", True),
        (CategoryOfCase(["mon-sat", "sun"], ["mon"]), "quiet_hours", True),
        (CategoryOfCase(["21:00-08:00"], ["22:00-23:00"]), "windows", True),
        (CategoryOfCase(["holidays"], ["holidays 08:00-12:00"]), "windows", True),
        (CategoryOfCase(["sun"], ["sun"]), "windows", True),
        (CategoryOfCase(["10:00-09:00"], preferred=["11:00-12:00"]), "preferred", False),
    ],
)
def test_hours_that_do_not_work_together(category: CategoryOfCase, key: str, grave: bool):
    (found,) = hours_findings(moments(), category, PARIS, at("2026-11-27T12:00"))
    assert (found.key, found.grave) == (key, grave)
    assert "400 days" in found.message


def test_hours_that_close_with_a_profile_alone():
    one = moments(ProfileOfCase(["08:00-20:00"], ()))
    (found,) = hours_findings(one, CategoryOfCase(["20:00-08:00"]), PARIS, at("2026-11-27T12:00"))
    assert (found.key, found.grave) == ("profile", True)


def test_hours_that_work():
    for category in (
        CategoryOfCase(),
        CategoryOfCase(["10:00-09:59"]),
        CategoryOfCase(windows=["holidays 08:00-12:00"]),
        CategoryOfCase(["20:00-10:00"], preferred=["mon 19:59-22:00"]),
    ):
        assert list(hours_findings(moments(), category, PARIS, at("2026-06-01T12:00"))) == []
