"""`tocsin profiles`: the country profiles, with who says so and for which categories they hold here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from gateway.cli.options import example, invocation, local_records
from gateway.cli.output import Document, clean, print_document, print_pairs, print_table
from gateway.cli.reach import settings_of

if TYPE_CHECKING:
    from gateway.config.country import CountryProfile, CountryRule, ProfileSettings, Sourced
    from gateway.config.settings import Settings

_HEADS = ("KEY", "NAME", "RULES", "CHECKED", "OVER SIM", "CATEGORIES")
_RECIPIENTS = "{country}"
_SURE = {"V": "the source was read", "M": "from memory: to be verified"}


@click.command(epilog=example("tocsin profiles", "tocsin profiles FR", "tocsin profiles --json"))
@click.argument("key", required=False, metavar="[KEY]")
@local_records
def profiles(key: str | None) -> None:
    """List the rules of countries for advertising; those of KEY with their sources.

    They come with dates and with how sure they are. They are no legal advice.
    """
    from gateway.config.country_files import country_profiles

    settings = settings_of(invocation())
    known = country_profiles()
    chosen = [known[_known_key(key)]] if key else list(known.values())
    documents = [_document(one, settings) for one in chosen]
    if invocation().json:
        for one in documents:
            print_document(one)
    elif key:
        _show(documents[0])
    else:
        print_table(_HEADS, [_row(one) for one in documents], "no profiles")


def _known_key(written: str) -> str:
    from gateway.config.country_files import profile_key
    from gateway.config.shapes import Wrong

    try:
        return profile_key(written)
    except Wrong as wrong:
        raise click.BadParameter(str(wrong), param_hint="KEY") from None


def _document(one: CountryProfile, settings: Settings) -> Document:
    owner = settings.profiles.get(one.key)
    return {
        "key": one.key,
        "name": one.name,
        "countries": list(one.countries),
        "area_codes": list(one.area_codes),
        "area_codes_source": one.area_codes_source,
        "area_codes_checked": one.area_codes_checked,
        "categories": [name for name, category in settings.categories.items() if _holds(one, category.profile)],
        "over_sim": _over_sim(one, owner),
        "over_sim_rule": _said(one.over_sim.said),
        "bulk_rule": _said(one.bulk),
        "prudence": owner is None or owner.prudence,
        "rules": [_rule(rule) for rule in one.rules],
    }


def _holds(one: CountryProfile, written: str | None) -> bool:
    """Whether a category with this profile comes under it: named, the country of the named state, or by recipient."""
    return written in {_RECIPIENTS, one.key} or (written or "").partition("-")[0] == one.key


def _over_sim(one: CountryProfile, owner: ProfileSettings | None) -> str:
    if owner is None or owner.promotional_over_sim is None:
        return one.over_sim.promotional
    return "allowed" if owner.promotional_over_sim else "refused"


def _said(said: Sourced) -> Document:
    return {
        "text": said.text,
        "source": said.source,
        "date": said.date,
        "checked": said.checked,
        "kind": said.kind,
        "sure": said.sure,
    }


def _rule(rule: CountryRule) -> Document:
    kept = {"quiet": rule.quiet, "windows": rule.windows, "caps": rule.caps, "requires": rule.requires}
    return _said(rule.said) | {name: list(values) for name, values in kept.items()}


def _row(one: Document) -> tuple[object, ...]:
    checked = max(rule["checked"] for rule in one["rules"])
    return one["key"], one["name"], len(one["rules"]), checked, one["over_sim"], ", ".join(one["categories"])


def _show(one: Document) -> None:
    print_pairs(
        [
            ("key", one["key"]),
            ("name", one["name"]),
            ("categories", ", ".join(one["categories"])),
            ("numbers of", ", ".join(one["countries"])),
            ("area codes", ", ".join(one["area_codes"])),
            ("area codes from", one["area_codes_source"]),
            ("over a SIM", one["over_sim"]),
            ("prudence", None if one["prudence"] else "does not hold"),
        ]
    )
    for rule in one["rules"]:
        _show_rule(rule, "")
    _show_rule(one["over_sim_rule"], "over a SIM: ")
    _show_rule(one["bulk_rule"], "in large numbers: ")


def _show_rule(rule: Document, title: str) -> None:
    click.echo(f"\n{title}{clean(rule['text'])}")
    click.echo(f"  {rule['kind']}, {clean(rule['source'])}")
    click.echo(f"  of {rule['date']}, looked up {rule['checked']}, {_SURE[rule['sure']]}")
    for name in ("quiet", "windows", "caps", "requires"):
        if values := rule.get(name):
            click.echo(f"  {name}: {_listed(values)}")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(clean, values))
