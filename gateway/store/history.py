"""When messages began to be sent to a person: what caps look at, and whether anything of a category ever was."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Boolean, Connection, bindparam, select

from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, Question
from gateway.store.schema import AnyRow, message

_m = message.c
_recent = Prepared(
    select(_m.category, _m.begun_us)
    .where(
        _m.recipient_id == bindparam("person"),
        _m.category == bindparam("name"),
        _m.begun_us > bindparam("since_us"),
        # What only tests reached nobody.
        _m.test == bindparam("tests", type_=Boolean),
    )
    .order_by(_m.begun_us.desc())
    .limit(bindparam("most"))
)
_of_people = PreparedList(
    lambda values: select(_m.recipient_id, _m.test, _m.category, _m.begun_us).where(
        _m.recipient_id.in_(values), _m.category == bindparam("name"), _m.begun_us > bindparam("since_us")
    )
)


def ask(person: int, categories: Collection[str], since_us: int, most: int, *, test: bool) -> list[Question]:
    """The latest `most` beginnings of each of these categories since then, to be asked together with something else.

    Of messages that only test, or of those that do not: each is counted among its own kind.
    """
    asked = {"person": person, "since_us": since_us, "most": most, "tests": test}
    return [(_recent, asked | {"name": name}) for name in sorted(categories)]


def told(answers: Sequence[Sequence[AnyRow]]) -> dict[str, list[int]]:
    """What the questions of `ask` were answered: instants by category, microseconds UTC."""
    found: dict[str, list[int]] = {}
    for rows in answers:
        for row in rows:
            found.setdefault(row.category, []).append(row.begun_us)
    return found


def of_person(
    connection: Connection, person: int, categories: Collection[str], since_us: int, most: int, *, test: bool
) -> dict[str, list[int]]:
    """As `ask`, answered."""
    asked = ask(person, categories, since_us, most, test=test)
    return told(Prepared.together(connection, *asked)) if asked else {}


def had_any(connection: Connection, person: int, category: str, *, test: bool) -> bool:
    """Whether anything of a category ever began to be sent to a person, as far as history is kept."""
    return bool(of_person(connection, person, (category,), 0, 1, test=test))


def of_people(
    connection: Connection, people: Sequence[int], categories: Collection[str], since_us: int
) -> dict[tuple[int, bool], dict[str, list[int]]]:
    """Every beginning in these categories since then, by person, whether it only tests, and category.

    Of others nothing is read: somebody may have had a hundred thousand alarms that no cap counts.
    """
    found: dict[tuple[int, bool], dict[str, list[int]]] = {}
    for name in sorted(categories):
        for row in _of_people.rows(connection, people, name=name, since_us=since_us):
            found.setdefault((row.recipient_id, bool(row.test)), {}).setdefault(row.category, []).append(row.begun_us)
    return found
