"""One person and one filter, without a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from support.crowd import TYPES, Someone

from gateway.errors import InvalidRequest
from gateway.people.expression import Expression, Unjudged, ValueMissing
from gateway.people.expression_check import check
from gateway.people.expression_fields import COUNTS
from gateway.people.expression_values import Moment

CATEGORIES = {"promotional": True, "transactional": True, "emergency": False}


class Filtered(Enum):
    """What came of it."""

    IN = "in"
    OUT = "out"
    MISSING = "missing"
    FAILED = "failed"


@cache
def expression(source: str, types: tuple[tuple[str, str], ...]) -> Expression:
    """The filter, checked and compiled once."""
    check(source, dict(types), CATEGORIES)
    return Expression(source, dict(types))


def refusal_of(source: str) -> str | None:
    """The code with which this filter is refused; None where it is taken."""
    try:
        check(source, TYPES, CATEGORIES)
    except InvalidRequest as refused:
        return refused.code
    return None


def filtered(
    source: str,
    someone: Someone,
    facts: Mapping[str, Any] | None = None,
    *,
    types: Mapping[str, str] = TYPES,
    now_us: int = 1_767_607_200_000_000,
) -> Filtered:
    """What came of this filter for somebody; `facts` are what other tables say, by column."""
    judged = expression(source, tuple(types.items()))
    row = tuple(_column(column, someone, facts or {}) for column in judged.columns)
    try:
        return Filtered.IN if judged.holds(row, Moment(now_us, "Europe/Paris")) else Filtered.OUT
    except ValueMissing:
        return Filtered.MISSING
    except Unjudged:
        return Filtered.FAILED


def _column(column: str, someone: Someone, facts: Mapping[str, Any]) -> Any:
    if column in ("attributes", "tags"):
        value = getattr(someone, column)
        return json.dumps(value if column == "attributes" else list(value))
    if column.startswith("consent."):
        return facts.get(column, "")
    if column.startswith("opted_out"):
        return facts.get(column, False)
    if column.startswith("last_") or column in COUNTS:
        return facts.get(column, 0 if column in COUNTS else None)
    return getattr(someone, column)
