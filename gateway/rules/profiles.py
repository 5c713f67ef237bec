"""Which country's rules for advertising hold for a message, what they ask, and whether it may leave through a SIM.

Facts come as values: the files by `gateway.config.country_files`, the owner's word by `[profiles.KEY]`. The strictest
of all profiles that hold and of the category's own keys wins; spans and caps are therefore handed on as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.address import Residence
from gateway.config.country import ALLOWED, AS_SHIPPED, CountryProfile, CountryRule, ProfileSettings
from gateway.message import Caution, Rule
from gateway.rules.caps import Cap

#: What a category writes for the profile of whoever the message goes to.
RECIPIENTS = "{country}"
#: Of a public holiday, among the spans.
_HOLIDAYS = "holidays"
_OWN_CAUTION = "prudence"


class Profiled(Protocol):
    """What is asked of a category."""

    @property
    def profile(self) -> str | None:
        """A key, `{country}` or None."""
        ...


class Named(Profiled, Protocol):
    """The same, with its name."""

    @property
    def name(self) -> str:
        """As in `[categories.NAME]`."""
        ...


class Located(Protocol):
    """What is asked of a recipient's place: codes of ISO 3166 such as `US` and `FL`, None where it is not known."""

    @property
    def country(self) -> str | None:
        """The country."""
        ...

    @property
    def subdivision(self) -> str | None:
        """The state, without its country."""
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one country or state as they hold here, after what the owner has said.

    `quiet` are spans in which nothing is sent, `windows` if any the only ones in which something is; `caps` hold for
    one recipient and one category, all in the syntax of the configuration. `over_sim` is `allowed` or `refused`,
    with its reason. `requires` names what a text has to carry: `sender_name`, `stop_notice`.
    """

    key: str
    name: str
    rules: tuple[CountryRule, ...]
    quiet: tuple[str, ...]
    windows: tuple[str, ...]
    caps: tuple[str, ...]
    requires: tuple[str, ...]
    #: Who says so, of all rules with hours.
    source: str
    over_sim: str
    over_sim_reason: str

    @property
    def holidays(self) -> bool:
        """Whether a span names public holidays."""
        return any(_HOLIDAYS in span for span in (*self.quiet, *self.windows))

    def source_of(self, asked: str) -> str:
        """Who asks for this span, cap or requirement; empty where nobody does."""
        return next((rule.said.source for rule in self.rules if asked in _asked_by(rule)), "")


class Profiles:
    """All country profiles, as the owner lets them hold."""

    def __init__(self, known: Mapping[str, CountryProfile], owner: Mapping[str, ProfileSettings]) -> None:
        self._profiles = {key: _as_it_holds(one, owner.get(key, AS_SHIPPED)) for key, one in known.items()}
        self._of_country = {country: self._profiles[key] for key, one in known.items() for country in one.countries}

    def of(self, category: Profiled, place: Located) -> tuple[Profile, ...]:
        """Those that hold for a message of this category to this place: the country's, then the state's."""
        if category.profile is None:
            return ()
        if category.profile != RECIPIENTS:
            return self._named(category.profile)
        return self._at(place.country, place.subdivision)

    def home(self, category: Profiled, country: str | None) -> tuple[Profile, ...]:
        """Those that hold where the SIM is: the rules for a sender's number are those of the sender's country."""
        if category.profile is None:
            return ()
        return self._at(country, None) if category.profile == RECIPIENTS else self._named(category.profile)

    def ever(self, category: Profiled) -> tuple[Profile, ...]:
        """Those that may hold for this category, wherever its messages go."""
        if category.profile is None:
            return ()
        return tuple(self._profiles.values()) if category.profile == RECIPIENTS else self._named(category.profile)

    def _named(self, key: str) -> tuple[Profile, ...]:
        """That one, and its country's where it is a state."""
        country, _, state = key.partition("-")
        return self._at(country, state or None)

    def _at(self, country: str | None, subdivision: str | None) -> tuple[Profile, ...]:
        found = (self._of_country.get(country or ""), self._profiles.get(f"{country}-{subdivision}"))
        return tuple(profile for profile in found if profile is not None)


class CountryRules:
    """What the profiles say of one category and one number. `place_of` finds somebody's place, `home` is the gateway's.

    Instants and counts are none of its business: caps are handed on to be asked together with the others.
    """

    def __init__(
        self,
        profiles: Profiles,
        owner: Mapping[str, ProfileSettings],
        home: str | None,
        place_of: Callable[[str, Residence | None], Located],
    ) -> None:
        self._profiles = profiles
        self._owner = owner
        self._home = home
        self._place_of = place_of

    def over_sim(self, category: Profiled, number: str, residence: Residence | None = None) -> str | None:
        """Why a message of this category to this number may not leave through a SIM; None when it may."""
        if category.profile is None:
            return None
        here = self._profiles.home(category, self._home)
        there = self._profiles.of(category, self._place_of(number, residence))
        found = over_sim_refusal((*here, *there), self._owner)
        return None if found is None else found[1]

    def caps(self, category: Named, number: str, residence: Residence | None = None) -> tuple[Cap, ...]:
        """The caps that hold for this number besides the category's own."""
        if category.profile is None:
            return ()
        return _caps_of(category, self._profiles.of(category, self._place_of(number, residence)))

    def all_caps(self, category: Named) -> tuple[Cap, ...]:
        """The caps that may hold for some number: how far back has to be known."""
        return _caps_of(category, self._profiles.ever(category))


def over_sim_refusal(profiles: Iterable[Profile], owner: Mapping[str, ProfileSettings]) -> tuple[Rule, str] | None:
    """Why a message under these profiles may not leave through a SIM, with the key that allows it; None when it may.

    Ask with what holds for the recipient and with what holds where the SIM is (`Profiles.home`).
    """
    for profile in profiles:
        said = owner.get(profile.key, AS_SHIPPED).promotional_over_sim
        if said or (said is None and profile.over_sim == ALLOWED):
            continue
        path = f"[profiles.{profile.key}] promotional_over_sim"
        if said is False:
            return Rule.COUNTRY_PROFILE, f"advertising over a SIM is refused in {profile.name} by {path} = false"
        reason = profile.over_sim_reason.removesuffix(".")
        return (
            Rule.COUNTRY_PROFILE,
            f"advertising over a SIM is refused in {profile.name}: {reason}; {path} = true allows it",
        )
    return None


def missing(profiles: Iterable[Profile], *, has_sender: bool, has_notice: bool) -> list[Caution]:
    """What a text does not carry though a profile asks for it, each once."""
    lacks = {
        "sender_name": (not has_sender, "no_sender", "the text does not say who sends it"),
        "stop_notice": (not has_notice, "no_stop_notice", "the text does not say how to stop"),
    }
    found: dict[str, Caution] = {}
    for profile in profiles:
        for asked in profile.requires:
            lacking, code, what = lacks[asked]
            if lacking and code not in found:
                who = f"country profile {profile.key} ({profile.source_of(asked)})"
                found[code] = Caution(code, f"{what}, as the {who} asks")
    return list(found.values())


def subdivisions(known: Mapping[str, CountryProfile]) -> Mapping[str, Mapping[str, str]]:
    """By country the area codes (three digits behind +1) and the state of each: `{"US": {"305": "FL"}}`.

    An area code that the metadata of numbers does not know yet tells its country here too.
    """
    found: dict[str, dict[str, str]] = {}
    for one in known.values():
        if one.area_codes:
            state = one.key.partition("-")[2]
            found.setdefault(one.country, {}).update(dict.fromkeys(one.area_codes, state))
    return found


def _as_it_holds(one: CountryProfile, owner: ProfileSettings) -> Profile:
    rules = tuple(rule if owner.prudence or rule.said.kind != _OWN_CAUTION else _said_only(rule) for rule in one.rules)
    return Profile(
        key=one.key,
        name=one.name,
        rules=rules,
        quiet=_together(rule.quiet for rule in rules),
        windows=_together(rule.windows for rule in rules),
        caps=_together(rule.caps for rule in rules),
        requires=_together(rule.requires for rule in rules),
        source="; ".join(_together((rule.said.source,) for rule in rules if rule.quiet or rule.windows)),
        over_sim=one.over_sim.promotional,
        over_sim_reason=one.over_sim.said.text,
    )


def _caps_of(category: Named, profiles: Iterable[Profile]) -> tuple[Cap, ...]:
    return tuple(
        Cap.of_text(written, (category.name,), f"country profile {profile.key}")
        for profile in profiles
        for written in profile.caps
    )


def _said_only(rule: CountryRule) -> CountryRule:
    """The rule without what a machine would keep of it."""
    return CountryRule(rule.said)


def _asked_by(rule: CountryRule) -> Iterator[str]:
    yield from (*rule.quiet, *rule.windows, *rule.caps, *rule.requires)


def _together(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """All of them in their order, each once."""
    return tuple(dict.fromkeys(one for each in lists for one in each))
