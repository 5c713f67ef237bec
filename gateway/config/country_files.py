"""Reading the files of country profiles, strictly: an unknown key, a date that is none or a span that is none is told.

A lawyer may correct a file where it is installed. What is wrong in it is a problem of the configuration, with its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import phonenumbers

from gateway.config.country import (
    ALLOWED,
    KINDS,
    REFUSED,
    REQUIREMENTS,
    SURE,
    CountryProfile,
    CountryRule,
    OverSim,
    Sourced,
)
from gateway.config.document import parse_document
from gateway.config.shapes import Shape, Wrong, boolean, country, listed, matching, one_of, text
from gateway.config.table import Findings, Table
from gateway.config.times import cap, span
from gateway.errors import ConfigurationError

_FOLDER = "gateway.config.profiles"
_SUFFIX = ".toml"
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_EARLIEST = "1900"
# Not ISO 3166, but what people write.
_ALSO_CALLED = {"UK": "GB", "EN": "GB", "USA": "US", "QC": "CA-QC", "FL": "US-FL", "TX": "US-TX"}

_key: Shape[str] = matching(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", 'must be ISO 3166, such as "FR" or "US-FL"')
_area_code: Shape[str] = matching(r"[2-9][0-9]{2}", "must be three digits of the North American plan")


@cache
def profile_keys() -> tuple[str, ...]:
    """The keys of all profiles, by the names of the files alone."""
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in _names()))


@cache
def country_profiles() -> Mapping[str, CountryProfile]:
    """All profiles by key. Raises `ConfigurationError` with every problem of every file."""
    findings = Findings()
    profiles = {name: _read(files(_FOLDER) / f"{name}{_SUFFIX}", name, findings) for name in profile_keys()}
    if findings.problems:
        raise ConfigurationError(findings.problems)
    return profiles


def profile_key(value: object) -> str:
    """The key of a profile that there is; what is near, or which there are, where it is none."""
    written = text(value)
    if written in profile_keys():
        return written
    raise Wrong(f"{_what_is_wrong(written)}; there are {', '.join(profile_keys())}")


def read_profile(octets: bytes, name: str, findings: Findings) -> CountryProfile:
    """The profile of a file's content; problems are kept under `profiles/NAME.toml`."""
    path = f"profiles/{name}{_SUFFIX}"
    with Table(_document(octets, path, findings), findings, path) as table:
        profile = CountryProfile(
            key=table.require("key", _key, name),
            name=table.require("name", text, name),
            countries=table.take("countries", listed(country), ()),
            area_codes=table.take("area_codes", listed(_area_code), ()),
            area_codes_source=table.take("area_codes_source", text, None),
            area_codes_checked=table.take("area_codes_checked", _day, None),
            over_sim=_over_sim(table),
            bulk=_sourced_table(table, "bulk"),
            rules=tuple(_rules(table)),
        )
        _agree(table, profile, name)
    for path, _ in sorted(findings.unknown):
        findings.problem(path, "unknown key")
    findings.unknown.clear()
    return profile


def _document(octets: bytes, path: str, findings: Findings) -> dict[str, object]:
    try:
        return parse_document(octets)
    except ConfigurationError as error:
        findings.problems += [replace(one, key=path) for one in error.problems]
        return {}


def _names() -> list[str]:
    return [entry.name for entry in files(_FOLDER).iterdir() if entry.name.endswith(_SUFFIX)]


def _read(file: Traversable, name: str, findings: Findings) -> CountryProfile:
    return read_profile(file.read_bytes(), name, findings)


def _what_is_wrong(written: str) -> str:
    """Why it is no key, with the nearest one where it looks like a slip."""
    upper = written.upper()
    if upper in profile_keys():
        return f'must be in capitals; did you mean "{upper}"?'
    if upper in phonenumbers.SUPPORTED_REGIONS:
        return "is a country without a profile"
    near = [_ALSO_CALLED[upper]] if upper in _ALSO_CALLED else get_close_matches(upper, profile_keys(), n=1, cutoff=0.5)
    return "is no country profile" + (f'; did you mean "{near[0]}"?' if near else "")


def _over_sim(root: Table) -> OverSim:
    with root.table("over_sim") as table:
        return OverSim(
            promotional=table.require("promotional", one_of(ALLOWED, REFUSED), REFUSED),
            warns=table.require("warns", boolean, True),
            said=_sourced(table),
        )


def _sourced_table(root: Table, key: str) -> Sourced:
    with root.table(key) as table:
        return _sourced(table)


def _rules(root: Table) -> list[CountryRule]:
    found: list[CountryRule] = []
    for table in root.tables("rules"):
        with table:
            found.append(
                CountryRule(
                    said=_sourced(table),
                    quiet=table.take("quiet", listed(span), ()),
                    windows=table.take("windows", listed(span), ()),
                    caps=table.take("caps", listed(cap), ()),
                    requires=table.take("requires", listed(one_of(*REQUIREMENTS)), ()),
                )
            )
    return found


def _sourced(table: Table) -> Sourced:
    said = Sourced(
        text=table.require("text", _sentence, ""),
        source=table.require("source", text, ""),
        date=table.require("date", _some_date, ""),
        checked=table.require("checked", _day, ""),
        kind=table.require("kind", one_of(*KINDS), KINDS[0]),
        sure=table.require("sure", one_of(*SURE), SURE[1]),
    )
    if said.date and said.checked and said.date > said.checked:
        table.problem("checked", "lies before the date of the source")
    return said


def _agree(table: Table, profile: CountryProfile, name: str) -> None:
    """What no single key can show: that the file's parts belong together."""
    is_state = "-" in profile.key
    checks: tuple[tuple[str, bool, str], ...] = (
        ("key", profile.key == name, "is not the name of the file"),
        ("countries", is_state or profile.country in profile.countries, "must name the country itself"),
        ("countries", not (is_state and profile.countries), "a state answers for area codes"),
        ("area_codes", is_state == bool(profile.area_codes), "must be written for a state, and for no country"),
        ("area_codes_source", is_state == (profile.area_codes_source is not None), "belongs to area codes"),
        ("area_codes_checked", is_state == (profile.area_codes_checked is not None), "belongs to area codes"),
        ("area_codes", len(set(profile.area_codes)) == len(profile.area_codes), "names one twice"),
        ("rules", bool(profile.rules), "is missing"),
        # Windows are alternatives: those of two rules, both of which hold, could not be one list.
        ("rules", sum(bool(rule.windows) for rule in profile.rules) <= 1, "has windows in more than one rule"),
    )
    for key, right, message in checks:
        if not right:
            table.problem(key, message)


def _sentence(value: object) -> str:
    found = text(value)
    if not found.endswith("."):
        raise Wrong("must be a sentence, with a full stop at its end")
    return found


def _some_date(value: object) -> str:
    """A year, a month or a day."""
    found = text(value)
    if not _DATE.fullmatch(found) or found < _EARLIEST or not _exists(found):
        raise Wrong('must be a date such as "2026-02-17", "2026-02" or "2026"')
    return found


def _day(value: object) -> str:
    found = _some_date(value)
    if len(found) < len("2026-02-17"):
        raise Wrong('must be a day such as "2026-02-17"')
    return found


def _exists(written: str) -> bool:
    try:
        date.fromisoformat((written + "-01-01")[: len("2026-02-17")])
    except ValueError:
        return False
    return True
