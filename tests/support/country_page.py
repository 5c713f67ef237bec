"""The page of the country profiles, made from their files.

When a file was corrected, write the page anew, and look at the difference:
``PYTHONPATH=.:tests .venv/bin/python -m support.country_page``
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from support.tree import ROOT

from gateway.config.country import REFUSED, CountryProfile, Sourced
from gateway.config.country_files import country_profiles

PAGE = ROOT / "docs/reference/country-profiles.md"
_SURE = {"V": "read", "M": "from memory"}
_HEADS = "| rule | kept of it | who says so | of | looked up | sure |\n|---|---|---|---|---|---|"

_BEFORE = """# Country profiles

Rules of countries and states for advertising by SMS, as data: one file each in
[`gateway/config/profiles`](../../gateway/config/profiles/FR.toml). **They are no legal advice.** Have them read by
somebody who answers for it, and correct the file where it is installed: a wrong one is refused when it is read, with
the place. This page is made from the files; `tocsin profiles KEY` shows those that are installed.

- **Who comes under one.** A category with `profile = "{country}"` (`promotional` has it) comes under the profile of
  the recipient's country, by the number, and of the state, by the area code; one with `profile = "FR"` under that
  one, whoever the recipient is; one with `profile = "US-FL"` under that of the state and of its country. A country
  without a profile has none: your own keys hold alone.
- **The strictest wins.** What is kept of all the rules holds together with the category's own keys: a moment must be
  allowed by each, a cap be kept by each. Hours are the recipient's. A wait or a refusal by a profile is
  `country_profile`.
- **Kinds**: `law`; `charter`, a trade's own rules; `practice`, what others do or report; `prudence`, our own caution,
  which `[profiles.KEY] prudence = false` takes away.
- **Sure**: *read*, the source or a report of it was read; *from memory*, to be verified. *Of* is the date of the
  source.
- **Over a SIM**: whether advertising may leave through a SIM at all, and what is said of notices in large numbers,
  which nothing here refuses. [`[profiles.KEY] promotional_over_sim`](configuration.md#profileskey) decides otherwise;
  `tocsin doctor` shows what holds.
- **Area codes** are a guess: a number stays when its holder moves. Where you know better, name the profile in a
  category.

| key | country or state | numbers of | over a SIM | quiet | windows | caps |
|---|---|---|---|---|---|---|
"""


def text() -> str:
    """The whole page."""
    known = country_profiles().values()
    return _BEFORE + "\n".join(map(_row, known)) + "\n" + "".join("\n" + _section(one) for one in known)


def _row(one: CountryProfile) -> str:
    cells = (
        f"[{one.key}](#{one.key.lower()}-{one.name.lower().replace(' ', '-')})",
        one.name,
        ", ".join(one.countries) or f"{len(one.area_codes)} area codes",
        f"**{one.over_sim.promotional}**" if one.over_sim.promotional == REFUSED else one.over_sim.promotional,
        *(
            _code(kept)
            for kept in (
                (span for rule in one.rules for span in rule.quiet),
                (span for rule in one.rules for span in rule.windows),
                (cap for rule in one.rules for cap in rule.caps),
            )
        ),
    )
    return f"| {' | '.join(cells)} |"


def _section(one: CountryProfile) -> str:
    lines = [f"## {one.key} {one.name}", ""]
    if one.area_codes:
        lines += [
            f"Area codes: {', '.join(one.area_codes)}. {one.area_codes_source}; looked up {one.area_codes_checked}.",
            "",
        ]
    lines += [_HEADS, *_rows(one)]
    return "\n".join(lines) + "\n"


def _rows(one: CountryProfile) -> Iterator[str]:
    for rule in one.rules:
        kept = {"quiet": rule.quiet, "windows": rule.windows, "caps": rule.caps, "requires": rule.requires}
        yield _rule(rule.said, "; ".join(f"{name} {_code(values)}" for name, values in kept.items() if values))
    yield _rule(one.over_sim.said, f"over a SIM: {one.over_sim.promotional}")
    yield _rule(one.bulk, "notices in large numbers")


def _rule(said: Sourced, kept: str) -> str:
    return f"| {said.text} | {kept} | {said.kind}: {said.source} | {said.date} | {said.checked} | {_SURE[said.sure]} |"


def _code(values: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in values)


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
