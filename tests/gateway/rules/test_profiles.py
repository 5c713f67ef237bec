"""Which profiles hold for whom, what they ask together, and whether advertising may leave through a SIM."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.config.country import ProfileSettings
from gateway.config.country_files import country_profiles
from gateway.message import Rule
from gateway.rules.profiles import CountryRules, Profiles, missing, over_sim_refusal, subdivisions

KNOWN = country_profiles()
SHIPPED = Profiles(KNOWN, {})


@dataclass(frozen=True)
class Place:
    country: str | None
    subdivision: str | None = None


@dataclass(frozen=True)
class Kind:
    profile: str | None
    name: str = "promotional"


PROMOTIONAL = Kind("{country}")


@pytest.mark.parametrize(
    ("profile", "place", "keys"),
    [
        ("{country}", Place("FR"), ["FR"]),
        ("{country}", Place("RE"), ["FR"]),
        ("{country}", Place("US"), ["US"]),
        ("{country}", Place("PR"), ["US"]),
        ("{country}", Place("US", "FL"), ["US", "US-FL"]),
        ("{country}", Place("CA", "QC"), ["CA-QC"]),
        ("{country}", Place("CA"), []),
        ("{country}", Place("AT"), []),
        ("{country}", Place("GG"), []),
        ("{country}", Place(None), []),
        ("FR", Place("US", "FL"), ["FR"]),
        ("US-TX", Place("FR"), ["US", "US-TX"]),
        ("CA-QC", Place(None), ["CA-QC"]),
        (None, Place("FR"), []),
    ],
)
def test_which_hold(profile: str | None, place: Place, keys: list[str]):
    assert [one.key for one in SHIPPED.of(Kind(profile), place)] == keys


def test_where_the_sim_is():
    assert [one.key for one in SHIPPED.home(PROMOTIONAL, "FR")] == ["FR"]
    assert [one.key for one in SHIPPED.home(Kind("US-TX"), "FR")] == ["US", "US-TX"]
    assert SHIPPED.home(PROMOTIONAL, None) == SHIPPED.home(Kind(None), "FR") == ()


def test_what_france_asks():
    (france,) = SHIPPED.of(PROMOTIONAL, Place("FR"))
    assert france.quiet == ("20:00-08:00", "sun", "holidays")
    assert france.windows == ("08:00-21:30",)
    assert (france.caps, france.holidays, france.over_sim) == ((), True, "refused")
    assert france.requires == ("sender_name", "stop_notice")
    assert "Charte Business Messaging 2026" in france.source
    assert france.source_of("08:00-21:30").startswith("af2m, Charte Business Messaging 2026")
    assert france.source_of("sun").startswith("Vendors' pages")
    assert france.source_of("01:00-02:00") == ""


def test_the_owner_may_keep_to_what_is_published_alone():
    (france,) = Profiles(KNOWN, {"FR": ProfileSettings(prudence=False)}).of(PROMOTIONAL, Place("FR"))
    assert (france.quiet, france.windows, france.holidays) == ((), ("08:00-21:30",), False)
    assert len(france.rules) == len(KNOWN["FR"].rules)
    (germany,) = Profiles(KNOWN, {"DE": ProfileSettings(prudence=False)}).of(PROMOTIONAL, Place("DE"))
    assert (germany.quiet, germany.windows, germany.source) == ((), (), "")
    # What the law says stays.
    (federal, texas) = Profiles(KNOWN, {"US": ProfileSettings(prudence=False)}).of(PROMOTIONAL, Place("US", "TX"))
    assert federal.quiet == ("21:00-08:00",)
    assert texas.windows == ("mon-sat 09:00-21:00", "sun 12:00-21:00")


def test_a_state_adds_to_its_country():
    federal, florida = SHIPPED.of(PROMOTIONAL, Place("US", "FL"))
    assert (federal.quiet, florida.quiet, federal.caps, florida.caps) == (
        ("21:00-08:00",),
        ("20:00-08:00",),
        (),
        ("3/24h",),
    )
    assert florida.source_of("3/24h").startswith("Florida Statutes, s. 501.616 (6) (b)")


@pytest.mark.parametrize(
    ("place", "owner", "refused"),
    [
        (Place("FR"), {}, "FR"),
        (Place("FR"), {"FR": ProfileSettings(promotional_over_sim=True)}, None),
        (Place("FR"), {"FR": ProfileSettings()}, "FR"),
        (Place("FR"), {"BE": ProfileSettings(promotional_over_sim=True)}, "FR"),
        (Place("BE"), {}, None),
        (Place("BE"), {"BE": ProfileSettings(promotional_over_sim=False)}, "BE"),
        (Place("US", "TX"), {"US-TX": ProfileSettings(promotional_over_sim=False)}, "US-TX"),
        (Place("US", "FL"), {"US-TX": ProfileSettings(promotional_over_sim=False)}, None),
        (Place("AT"), {}, None),
    ],
)
def test_advertising_over_a_sim(place: Place, owner: dict[str, ProfileSettings], refused: str | None):
    found = over_sim_refusal(Profiles(KNOWN, owner).of(PROMOTIONAL, place), owner)
    if refused is None:
        assert found is None
        return
    assert found is not None
    assert found[0] is Rule.COUNTRY_PROFILE
    assert f"[profiles.{refused}] promotional_over_sim = " in found[1]


def test_the_sentence_of_france_names_reason_and_key():
    found = over_sim_refusal(SHIPPED.of(PROMOTIONAL, Place("FR")), {})
    assert found is not None
    assert found[1] == (
        "advertising over a SIM is refused in France: 06 and 07 numbers may not be the sender of automated systems "
        "(Arcep, decision 2022-1583), and operators' contracts forbid SIM routes; "
        "[profiles.FR] promotional_over_sim = true allows it"
    )


@pytest.mark.parametrize(
    ("has_sender", "has_notice", "codes"),
    [
        (True, True, []),
        (False, True, ["no_sender"]),
        (True, False, ["no_stop_notice"]),
        (False, False, ["no_sender", "no_stop_notice"]),
    ],
)
def test_what_a_text_lacks(has_sender: bool, has_notice: bool, codes: list[str]):
    found = missing(SHIPPED.of(PROMOTIONAL, Place("FR")), has_sender=has_sender, has_notice=has_notice)
    assert [one.code for one in found] == codes
    assert all("country profile FR (CPCE, art. L34-5" in one.message for one in found)


def test_each_lack_is_told_once_whoever_asks():
    both = SHIPPED.of(PROMOTIONAL, Place("US", "FL"))
    assert [one.code for one in missing(both, has_sender=False, has_notice=False)] == ["no_sender", "no_stop_notice"]
    assert missing((), has_sender=False, has_notice=False) == []


def test_area_codes_lead_to_states():
    found = subdivisions(KNOWN)
    assert set(found) == {"US", "CA"}
    assert (found["US"]["305"], found["US"]["621"], found["CA"]["514"]) == ("FL", "TX", "QC")
    assert "212" not in found["US"]
    assert {country: len(codes) for country, codes in found.items()} == {"US": 52, "CA": 13}


# --- for one category and one number

PLACES = {"+33": Place("FR"), "+32": Place("BE"), "+1305": Place("US", "FL")}


def _rules(home: str | None, owner: dict[str, ProfileSettings] | None = None) -> CountryRules:
    def place_of(number: str, _residence: object = None) -> Place:
        return next(place for start, place in PLACES.items() if number.startswith(start))

    return CountryRules(Profiles(KNOWN, owner or {}), owner or {}, home, place_of)


@pytest.mark.parametrize(
    ("home", "number", "named"),
    [
        ("FR", "+33639980101", "profiles.FR"),
        ("BE", "+33639980101", "profiles.FR"),
        # The sender's number is what the rule of France is about.
        ("FR", "+32470000101", "profiles.FR"),
        ("BE", "+32470000101", None),
        (None, "+32470000101", None),
    ],
)
def test_the_sims_country_is_asked_too(home: str | None, number: str, named: str | None):
    found = _rules(home).over_sim(PROMOTIONAL, number)
    assert (found is None) == (named is None)
    assert (named or "") in (found or "")
    assert _rules(home).over_sim(Kind(None), number) is None
    assert _rules(home, {"FR": ProfileSettings(promotional_over_sim=True)}).over_sim(PROMOTIONAL, number) is None


def test_caps_of_a_number_and_all_that_there_may_be():
    rules = _rules("US")
    (cap,) = rules.caps(PROMOTIONAL, "+13055550101")
    assert (cap.count, cap.written, cap.categories, cap.of) == (
        3,
        "3/24h",
        frozenset({"promotional"}),
        "country profile US-FL",
    )
    assert rules.caps(PROMOTIONAL, "+33639980101") == rules.caps(Kind(None), "+13055550101") == ()
    assert rules.all_caps(PROMOTIONAL) == rules.all_caps(Kind("US-FL")) == (cap,)
    assert rules.all_caps(Kind("FR")) == rules.all_caps(Kind(None)) == ()
