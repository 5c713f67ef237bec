"""What was asked for of a campaign, as JSON in the store and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gateway.campaign import Decision, Guard, Variant, Wanted


def wanted_to_json(wanted: Wanted) -> str:
    """As it is kept."""
    return json.dumps(asdict(wanted), ensure_ascii=False, sort_keys=True)


def wanted_of_json(text: str) -> Wanted:
    """As `wanted_to_json` wrote it; a name that this version does not know is passed over."""
    kept = json.loads(text)
    guard = kept.get("guard")
    values: dict[str, Any] = {name: kept[name] for name in Wanted.__slots__ if name in kept}
    values |= {name: tuple(values.get(name, ())) for name in ("to", "windows", "expect")}
    values["variants"] = tuple(_variant(each) for each in kept["variants"])
    values["guard"] = None if guard is None else Guard(guard["opt_out_rate"], guard["least"])
    return Wanted(**values)


def _variant(kept: Mapping[str, Any]) -> Variant:
    return Variant(**{name: kept[name] for name in Variant.__slots__ if name in kept})


def decision_to_json(decision: Decision) -> str:
    """As it is kept."""
    return json.dumps(asdict(decision), ensure_ascii=False)


def decision_of_json(text: str | None) -> Decision | None:
    """As `decision_to_json` wrote it."""
    if text is None:
        return None
    kept = json.loads(text)
    counts = tuple((tried, done) for tried, done in kept["counts"])
    return Decision(kept["winner"], kept["reason"], counts, kept["facts"])
