"""What `tocsin doctor` says of country profiles: what holds for advertising, and over which numbers it may leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.cli.doctor_rules import Finding, Level
from gateway.config.country import AS_SHIPPED, CountryProfile, ProfileSettings
from gateway.rules.profiles import RECIPIENTS, Profile, Profiles, over_sim_refusal

_CHECK = "profile"
_PAGE = "docs/how-to/promotional-in-france.md"


@dataclass(frozen=True, slots=True)
class ProfileFact:
    """What a configuration says: the gateway's country, the profile of each category that has one, any real SIM.

    `bulk` names the categories without a profile that may write to many people.
    """

    country: str | None
    categories: Mapping[str, str]
    bulk: tuple[str, ...]
    real_sim: bool


@dataclass(frozen=True, slots=True)
class _Named:
    profile: str | None


def of_profiles(
    fact: ProfileFact, known: Mapping[str, CountryProfile], owner: Mapping[str, ProfileSettings]
) -> Iterator[Finding]:
    """A line for each category with a profile, and one for notices in large numbers."""
    profiles = Profiles(known, owner)
    for name, key in fact.categories.items():
        held = profiles.home(_Named(key), fact.country)
        yield from (_of_one(name, each, known[each.key], owner, real_sim=fact.real_sim) for each in held)
        if not held:
            yield _of_none(name, fact.country, known)
    yield from _of_bulk(fact, known, profiles)


def _of_one(
    name: str, held: Profile, shipped: CountryProfile, owner: Mapping[str, ProfileSettings], *, real_sim: bool
) -> Finding:
    """One category where the SIM is."""
    level = Level.WARNING if real_sim and shipped.over_sim.warns else Level.OK
    if (refusal := over_sim_refusal([held], owner)) is not None:
        return Finding(level, _CHECK, f"{name}: {refusal[1]}", f"{_PAGE} says what is allowed, and over which number")
    if owner.get(held.key, AS_SHIPPED).promotional_over_sim:
        said = f"[profiles.{held.key}] lets advertising leave through SIMs; {held.over_sim_reason}"
        mend = "make sure of the number and of the operator's contract" if level is Level.WARNING else None
        return Finding(level, _CHECK, f"{name}: {said}", mend)
    rules = f"{len(shipped.rules)} rules, looked up {max(rule.said.checked for rule in shipped.rules)}"
    said = f"profile {held.key} holds ({rules}: tocsin profiles {held.key}); over a SIM: {held.over_sim_reason}"
    return Finding(level, _CHECK, f"{name}: {said}")


def _of_none(name: str, country: str | None, known: Iterable[str]) -> Finding:
    there = ", ".join(sorted(known))
    if country is None:
        return Finding(Level.OK, _CHECK, f"{name}: the profile of each recipient's country holds, of those: {there}")
    mend = f"write hours, caps and a notice under [categories.{name}] as the law there asks; profiles: {there}"
    return Finding(Level.WARNING, _CHECK, f"{name}: {country} has no profile: only your own keys hold", mend)


def _of_bulk(fact: ProfileFact, known: Mapping[str, CountryProfile], profiles: Profiles) -> Iterator[Finding]:
    """What is said of notices to many people, where the gateway is."""
    for held in profiles.home(_Named(RECIPIENTS), fact.country):
        if not fact.bulk:
            continue
        profile = known[held.key]
        level = Level.WARNING if fact.real_sim and profile.over_sim.warns else Level.OK
        names = ", ".join(fact.bulk)
        yield Finding(level, _CHECK, f"in large numbers ({names}), {profile.name}: {profile.bulk.text}")
