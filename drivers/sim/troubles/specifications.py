"""Troubles as words: `name[:key=value,…][@when]`, read into what makes them, and the table of all as text."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from drivers.sim.durations import seconds
from drivers.sim.troubles.base import Trouble
from drivers.sim.troubles.options import Option, options_of
from drivers.sim.troubles.script import RandomTroubles
from drivers.sim.troubles.table import NAMED

TROUBLES: Mapping[str, type[Trouble]] = {**NAMED, RandomTroubles.name: RandomTroubles}


@dataclass(frozen=True, slots=True)
class TroubleSpec:
    """A trouble with its options, `when` seconds from the start."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    when: float = 0.0

    def seeded(self, seed: int) -> TroubleSpec:
        """With this seed, if it takes one and has none of its own."""
        if "seed" not in options_of(TROUBLES[self.name]) or "seed" in self.options:
            return self
        return replace(self, options={**self.options, "seed": seed})


def parse_trouble(text: str) -> TroubleSpec:
    """A specification's words; ValueError says what is wrong with them."""
    body, at, when = text.rpartition("@")
    if not at:
        body, when = text, "0"
    name, colon, rest = body.partition(":")
    given = dict[str, Any]()
    for pair in rest.split(",") if colon else ():
        word, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair!r} is no option such as key=value")
        given[word] = value
    spec = TroubleSpec(name, _values(name, given), seconds(when))
    make_trouble(spec.name, spec.options)
    return spec


def make_trouble(name: str, options: Mapping[str, Any]) -> Trouble:
    """The trouble of that name, options by word or field name, texts read; ValueError when there is none such."""
    return _kind(name)(**_values(name, options))


def _kind(name: str) -> type[Trouble]:
    if name not in TROUBLES:
        near = difflib.get_close_matches(name, TROUBLES, 1)
        raise ValueError(f"there is no trouble {name!r}" + (f", did you mean {near[0]}?" if near else ""))
    return TROUBLES[name]


def _values(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    known = options_of(_kind(name))
    fields = {one.word: field_name for field_name, one in known.items()} | {name: name for name in known}
    values = dict[str, Any]()
    for word, value in given.items():
        if word not in fields:
            raise ValueError(f"{name} has no option {word!r}, but {', '.join(one.word for one in known.values())}")
        one = known[fields[word]]
        try:
            values[fields[word]] = one.kind.read(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError(f"{name}: {one.word}: {error}") from None
    return values


def trouble_lines() -> list[str]:
    """One line for each trouble: its name and what it is."""
    width = max(map(len, TROUBLES))
    return [f"{name:{width}}  {_about(kind)}" for name, kind in TROUBLES.items()]


def trouble_table() -> str:
    """Every trouble with its options, what they are for and their defaults."""
    return "\n".join(line for name, kind in TROUBLES.items() for line in _described(name, kind))


def _about(kind: type[Trouble]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _described(name: str, kind: type[Trouble]) -> list[str]:
    made = kind()
    options = [_option_line(one, getattr(made, field_name)) for field_name, one in options_of(kind).items()]
    return [f"{name}: {_about(kind)}", *options]


def _option_line(one: Option, default: object) -> str:
    shown = f"{one.word}={one.kind.what}"
    return f"    {shown:32} {one.meaning} (default {one.kind.write(default) or 'none'})"
