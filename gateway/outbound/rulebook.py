"""The rules of a configuration, made once at the start: what `gateway.rules` needs to know, looked up by category."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gateway.address import Residence
from gateway.config.country_files import country_profiles
from gateway.config.settings import Category, Settings
from gateway.outbound.right_moment import moments_of
from gateway.rules.admission import Admission, Book
from gateway.rules.caps import Cap, Horizon, horizon_of
from gateway.rules.numbers import Numbers
from gateway.rules.profiles import CountryRules, Profiles, subdivisions


class Rulebook:
    """What this configuration says: the decisions, and how far back they look."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        known = country_profiles()
        self.profiles = Profiles(known, settings.profiles)
        self.moments = moments_of(settings, profiles_of=self.profiles.of, subdivisions=subdivisions(known))
        self._country = CountryRules(
            self.profiles, settings.profiles, settings.gateway.country, self.moments.places.where
        )
        self._own_caps = {name: _caps_of(settings, category) for name, category in settings.categories.items()}
        self.horizons: Mapping[str, Horizon] = {
            name: horizon
            for name, category in settings.categories.items()
            if (horizon := horizon_of([*self._own_caps[name], *self._country.all_caps(category)])) is not None
        }
        self.admission = Admission(
            Book(
                categories=settings.categories,
                hours=self.moments,
                caps=self._caps,
                number_refused=numbers_of(settings).refusal,
                country_refused=self._country.over_sim,
            )
        )

    def looked_back(self, names: Collection[str]) -> tuple[Collection[str], int]:
        """Into which categories, and how far in microseconds, the caps of these look for a group of people."""
        found = [self.horizons[name] for name in names if name in self.horizons]
        counted = {name for horizon in found for name in horizon.categories}
        return counted, max((horizon.span_us for horizon in found), default=0)

    def _caps(self, category: Category, number: str, residence: Residence | None) -> Sequence[Cap]:
        own = self._own_caps.get(category.name, ())
        return own if category.profile is None else (*own, *self._country.caps(category, number, residence))


def numbers_of(settings: Settings) -> Numbers:
    """The numbers that may be written to, as the configuration says."""
    own = {modem.number for modem in settings.modems.values() if modem.number is not None}
    return Numbers(settings.api.allowed_countries, own, settings.api.allowed_numbers)


def _caps_of(settings: Settings, category: Category) -> tuple[Cap, ...]:
    """The category's own caps, and those over several categories of which it is one."""
    of = f"categories.{category.name}.caps"
    own = tuple(Cap.of_text(written, (category.name,), of) for written in category.caps)
    together = settings.recipients
    if category.name not in together.over:
        return own
    return own + tuple(Cap.of_text(written, together.over, "recipients.caps") for written in together.caps)
