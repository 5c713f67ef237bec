"""Warnings about rules of a category that do something else than whoever wrote them may think."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.config.durations import read_cap
from gateway.config.settings import Category
from gateway.config.table import Findings

_HOLDS = "holds it too, whatever sim_limits says: what must leave at any hour would wait"
_HOLDS_NOT = 'never holds it: with sim_limits = "ignore" caps are counted and told alone'


def warn_of_odd_rules(findings: Findings, categories: Mapping[str, Category]) -> None:
    """Warn of hours and caps where nothing should be held, and of waits that outlast the messages that wait."""
    for category in categories.values():
        for key, message in _odd(category):
            findings.warning(f"categories.{category.name}.{key}", message)


def _odd(category: Category) -> Iterator[tuple[str, str]]:
    if category.sim_limits == "ignore":
        if category.quiet_hours:
            yield "quiet_hours", _HOLDS
        if category.windows:
            yield "windows", _HOLDS
        if category.caps:
            yield "caps", _HOLDS_NOT
    elif category.on_cap == "defer" and category.caps:
        # Between messages that come evenly, and keep the cap that leaves them nearest, lies so much.
        shortest_us = min(span_us // count for count, span_us in map(read_cap, category.caps))
        if category.expires_after_us < shortest_us:
            yield (
                "on_cap",
                'a message that waits for room under its caps expires before: raise expires_after, or "refuse"',
            )
