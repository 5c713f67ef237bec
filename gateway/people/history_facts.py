"""What a filter may ask of people beside their own fields: consents, opt-outs, and what became of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from gateway.people.expression import Row
from gateway.people.expression_fields import CONSENT, HISTORY, OPTED_OUT, OPTED_OUT_OF
from gateway.store import consents, contact_history, optouts
from gateway.store.optouts import EXCEPT
from gateway.store.schema import AnyRow

#: For each person that something is known of, by the row of `recipient`.
Known: TypeAlias = Mapping[int, Any]
_YEAR_US: Final = 365 * 86_400 * 1_000_000


def facts_of(connection: Connection, rows: Sequence[AnyRow], columns: Sequence[str], now_us: int) -> list[Row]:
    """For each of these contacts the values of the columns, in their order, as filters take them."""
    people = [row.recipient_id for row in rows]
    found = _found(connection, people, columns, now_us) if people else {}
    takes = [_take(column, found.get(column)) for column in columns]
    return [tuple(take(row) for take in takes) for row in rows]


def _take(column: str, known: _Column | None) -> Callable[[AnyRow], Any]:
    if known is None:
        return lambda row: getattr(row, column)
    return lambda row: known.of.get(row.recipient_id, known.otherwise)


class _Column:
    """A column that stands elsewhere: of each person something is known of, and of the others."""

    def __init__(self, of: Known, otherwise: Any) -> None:
        self.of = of
        self.otherwise = otherwise


def _found(connection: Connection, people: Sequence[int], columns: Sequence[str], now_us: int) -> dict[str, _Column]:
    found: dict[str, _Column] = {}
    given = {column: column.split(".", 1)[1] for column in columns if column.startswith(f"{CONSENT}.")}
    if given:
        found |= _consents(connection, people, given)
    out = {column: column.split(".", 1)[1] for column in columns if column.startswith(f"{OPTED_OUT_OF}.")}
    if out or OPTED_OUT in columns:
        found |= _optouts(connection, people, out)
    for column in columns:
        if column in HISTORY:
            known = contact_history.known(connection, column, people, now_us - _YEAR_US)
            found[column] = _Column(known, None if column.startswith("last_") else 0)
    return found


def _consents(connection: Connection, people: Sequence[int], columns: Mapping[str, str]) -> dict[str, _Column]:
    said = consents.standing(connection, people)
    return {
        column: _Column({person: str(state) for (person, of), state in said.items() if of == category}, "")
        for column, category in columns.items()
    }


def _optouts(connection: Connection, people: Sequence[int], columns: Mapping[str, str]) -> dict[str, _Column]:
    standing = optouts.standing(connection, people)
    some = {person: True for person, category in standing if not category.startswith(EXCEPT)}
    found = {OPTED_OUT: _Column(some, False)}
    for column, category in columns.items():
        out = {person: True for person in some if optouts.covered(standing, person, category)}
        found[column] = _Column(out, False)
    return found
