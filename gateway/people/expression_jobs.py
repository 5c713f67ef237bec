"""What the process beside the gateway is asked about filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from gateway.people.expression import Expression, Row, Unjudged, ValueMissing
from gateway.people.expression_names import columns_of
from gateway.people.expression_values import Moment


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of some people: `members` are the places of those who are in a segment; `missing` counts by field those
    who are not for want of a value, `failed` those of whom nothing can be said."""

    members: tuple[int, ...]
    missing: Mapping[str, int]
    failed: int


def columns_of_all(sources: Sequence[str]) -> tuple[str, ...]:
    """What any of these filters must be given of a person."""
    return tuple(sorted({column for source in sources for column in columns_of(source)}))


def judge(sources: Sequence[str], types: Mapping[str, str], moment: Moment, rows: Sequence[Row]) -> Judged:
    """Who of these is in any of the segments. A row has the columns of `columns_of_all`; `types` are those of the
    attributes."""
    known = tuple(sorted(types.items()))
    columns = columns_of_all(sources)
    filters = [_of_columns(source, known, columns) for source in sources]
    members: list[int] = []
    missing = Counter[str]()
    failed = 0
    for at, row in enumerate(rows):
        try:
            if _is_in_any(filters, row, moment):
                members.append(at)
        except ValueMissing as lacking:
            missing[lacking.field] += 1
        except Unjudged:
            failed += 1
    return Judged(tuple(members), dict(missing), failed)


def _is_in_any(filters: Sequence[_OfColumns], row: Row, moment: Moment) -> bool:
    """Whoever is in one of them is in, whatever another lacks."""
    trouble: Exception | None = None
    for each in filters:
        try:
            if each.expression.holds(each.taken(row), moment):
                return True
        except (ValueMissing, Unjudged) as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return False


class _OfColumns:
    """A filter, and how its own columns are taken of a row that has those of several."""

    def __init__(self, expression: Expression, columns: tuple[str, ...]) -> None:
        self.expression = expression
        places = [columns.index(each) for each in expression.columns]
        self._take: Any = itemgetter(*places) if len(places) > 1 else None
        self._places = places

    def taken(self, row: Row) -> Row:
        if self._take is not None:
            return self._take(row)
        return tuple(row[place] for place in self._places)


@lru_cache(maxsize=32)
def _of_columns(source: str, types: tuple[tuple[str, str], ...], columns: tuple[str, ...]) -> _OfColumns:
    return _OfColumns(Expression(source, dict(types)), columns)
