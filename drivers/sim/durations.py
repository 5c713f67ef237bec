"""Durations as the simulation's command line writes them, read and written."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)", re.ASCII)


def seconds(text: str) -> float:
    """`200ms`, `3s`, `1.5s` or `2m` in seconds; `0` needs no unit."""
    if text == "0":
        return 0.0
    matched = _DURATION.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is no duration such as 200ms, 3s or 2m")
    return float(matched[1]) * _UNITS[matched[2]]


def duration_text(value: float) -> str:
    """What `seconds` reads back, to the microsecond."""
    if not value:
        return "0"
    return (
        f"{value:.3f}".rstrip("0").rstrip(".") + "s"
        if value >= 1
        else f"{value * 1000:.3f}".rstrip("0").rstrip(".") + "ms"
    )
