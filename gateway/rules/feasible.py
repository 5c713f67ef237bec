"""Hours that work together: a category that may never leave, or whose preferred hours never come, is a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.rules.moments import HORIZON_MIN, MINUTE_US, CategoryHours, Moments
from gateway.rules.places import Place


@dataclass(frozen=True, slots=True)
class HoursFinding:
    """What is wrong with a key of a category: `grave` if nothing could ever be sent."""

    key: str
    message: str
    grave: bool


@dataclass(frozen=True, slots=True)
class _Hours:
    """A category reduced to some of its hours; the name is none that a category may have."""

    quiet_hours: Sequence[str] = ()
    windows: Sequence[str] = ()
    preferred: Sequence[str] = ()
    name: str = "(checked)"
    profile: str | None = None


def hours_findings(moments: Moments, category: CategoryHours, place: Place, at_us: int) -> Iterator[HoursFinding]:
    """What is wrong with a category's hours at a place, seen from an instant."""
    if moments.first_open_at(category, place, at_us) is None:
        yield _never(moments, category, place, at_us)
    elif category.preferred:
        end_us = at_us + HORIZON_MIN * MINUTE_US
        if moments.best_at(category, place, at_us, end_us) is None:
            yield HoursFinding("preferred", "has no minute that is allowed, within 400 days", grave=False)


def _never(moments: Moments, category: CategoryHours, place: Place, at_us: int) -> HoursFinding:
    """Which key closes everything: one by itself if there is one."""
    parts = {
        "windows": _Hours(windows=category.windows),
        "quiet_hours": _Hours(quiet_hours=category.quiet_hours),
    }
    own = moments.without_profiles()
    alone = next((key for key, hours in parts.items() if own.first_open_at(hours, place, at_us) is None), None)
    if alone is not None:
        return HoursFinding(alone, "allows nothing within 400 days", grave=True)
    both = _Hours(category.quiet_hours, category.windows)
    if own.first_open_at(both, place, at_us) is None:
        return HoursFinding("windows", "allows nothing within 400 days outside the quiet hours", grave=True)
    return HoursFinding("profile", "allows nothing within 400 days together with the category's hours", grave=True)
