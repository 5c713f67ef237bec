"""What a country's rules for advertising are, as plain values that rules may know too; and what the owner says of them.

The values come from the files of `gateway/config/profiles` by `gateway.config.country_files`.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Where a rule comes from: the law, a trade's own charter, what others do, our own caution.
KINDS = ("law", "charter", "practice", "prudence")
#: V: a source was read; M: from memory, to be verified.
SURE = ("V", "M")
#: What a message may have to carry.
REQUIREMENTS = ("sender_name", "stop_notice")
ALLOWED, REFUSED = "allowed", "refused"


@dataclass(frozen=True, slots=True)
class Sourced:
    """One sentence, who says so, of when that is (a year, a month or a day), and the day on which it was looked up."""

    text: str
    source: str
    date: str
    checked: str
    kind: str
    sure: str


@dataclass(frozen=True, slots=True)
class CountryRule:
    """One rule, and what of it a machine can keep: spans and caps in the syntax of the configuration."""

    said: Sourced
    quiet: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OverSim:
    """Whether advertising may leave through a SIM (`allowed` or `refused`), why, and whether `doctor` warns of it."""

    promotional: str
    warns: bool
    said: Sourced


@dataclass(frozen=True, slots=True)
class CountryProfile:
    """One file. `key` is ISO 3166: a country `FR`, or a state `US-FL`, which adds to its country's.

    `countries` are the ISO codes whose numbers it answers for (none for a state), `area_codes` those of a state behind
    `+1`. `bulk` says what holds for notices in large numbers, which no profile refuses.
    """

    key: str
    name: str
    countries: tuple[str, ...]
    area_codes: tuple[str, ...]
    area_codes_source: str | None
    area_codes_checked: str | None
    over_sim: OverSim
    bulk: Sourced
    rules: tuple[CountryRule, ...]

    @property
    def country(self) -> str:
        """The country that it is, or lies in."""
        return self.key.partition("-")[0]


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """Table `[profiles.KEY]`: what the owner takes upon themselves. None leaves it to the profile."""

    promotional_over_sim: bool | None = None
    prudence: bool = True


#: Of a profile whose table is not written.
AS_SHIPPED = ProfileSettings()
