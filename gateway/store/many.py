"""Queries over a list of values, in statements that are compiled once.

A statement for each length would be compiled anew for nearly every list. So there are a few lengths, and what a list
lacks is filled up with its last value, which finds nothing that it would not find anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam
from sqlalchemy.sql.elements import ClauseElement

from gateway.store.prepared import Prepared

_LENGTHS = (1, 16, 64, 256)
_MOST = _LENGTHS[-1]


class PreparedList:
    """One query; `make` writes it for the bind parameters that stand for the list."""

    def __init__(self, make: Callable[[Sequence[BindParameter[Any]]], ClauseElement]) -> None:
        self._statements = {
            length: Prepared(make([bindparam(f"v{at}") for at in range(length)])) for length in _LENGTHS
        }

    def rows(self, connection: Connection, values: Sequence[object], **also: object) -> list[Any]:
        """Every row for any of `values`, as named tuples; `also` are the statement's other parameters."""
        found: list[Any] = []
        for start in range(0, len(values), _MOST):
            statement, named = self._filled(values[start : start + _MOST])
            found += statement.rows(connection, **named, **also)
        return found

    def write(self, connection: Connection, values: Sequence[object]) -> None:
        """The same where nobody needs the rows: it goes along with the next statement that is needed."""
        for start in range(0, len(values), _MOST):
            statement, named = self._filled(values[start : start + _MOST])
            statement.write(connection, **named)

    def _filled(self, values: Sequence[object]) -> tuple[Prepared, dict[str, object]]:
        length = next(length for length in _LENGTHS if length >= len(values))
        filled = [*values, *[values[-1]] * (length - len(values))]
        return self._statements[length], {f"v{at}": value for at, value in enumerate(filled)}
