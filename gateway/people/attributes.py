"""Attributes as a whole: of what type each is, and what a change of that does to the values that there are.

A change goes through all contacts in small steps, so that nobody waits for it. First it looks whether every value has
one of the new type; while it converts, a value that was written meanwhile and has none is missing until somebody
corrects it, as any value is that is not of its attribute's type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.people.attributes_values import MONTH_FIRST, as_kept, converted, loaded
from gateway.people.contact import AttributeValue
from gateway.people.contacts import kept_json
from gateway.store import contacts_attributes, contacts_written
from gateway.store.database import Store
from gateway.store.schema import AnyRow

#: Contacts that one transaction rewrites.
_STEP: Final = 200
_LOOK: Final = 2000


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `declared`: somebody said of what type it is, and it was not read off its first values."""

    name: str
    type: str
    declared: bool
    created_us: int


def attribute_of(row: AnyRow) -> Attribute:
    """A row of the table as a value."""
    return Attribute(row.name, row.type, bool(row.declared), row.created_us)


class Conversion:
    """One attribute on its way from one type to another; to none: its values are taken away."""

    def __init__(self, store: Store, name: str, old: str, new: str | None, country: str | None) -> None:
        self._store = store
        self._name = name
        self._old = old
        self._new = new
        self._month_first = country in MONTH_FIRST

    async def unfit(self) -> int:
        """How many values have none of the new type."""
        count, last = 0, 0

        def work(connection: Connection) -> tuple[int, int | None]:
            rows = contacts_attributes.holding(connection, self._name, last, _LOOK)
            values = [loaded(self._old, json.loads(row.attributes).get(self._name)) for row in rows]
            bad = sum(1 for value in values if value is not None and self._converted(value) is None)
            return bad, rows[-1].id if rows else None

        while True:
            bad, behind = await self._store.read(work)
            count += bad
            if behind is None:
                return count
            last = behind

    async def run(self, now_us: Callable[[], int]) -> None:
        """Write every value anew."""
        last = 0
        while (behind := await self._store.write(self._step(last, now_us))) is not None:
            last = behind

    def _step(self, last: int, now_us: Callable[[], int]) -> Callable[[Connection], int | None]:
        def work(connection: Connection) -> int | None:
            rows = contacts_attributes.holding(connection, self._name, last, _STEP)
            written = [(row.id, kept) for row in rows if (kept := self._rewritten(row.attributes)) is not None]
            contacts_written.write_attributes(connection, written, now_us())
            return rows[-1].id if rows else None

        return work

    def _rewritten(self, text: str) -> str | None:
        """The attributes with this one converted; None where nothing has to be written."""
        values: dict[str, Any] = json.loads(text)
        if self._new is None:
            values.pop(self._name, None)
            return kept_json(values)
        value = loaded(self._old, values.get(self._name))
        found = None if value is None else self._converted(value)
        if found is None:
            return None
        values[self._name] = as_kept(found)
        return kept_json(values)

    def _converted(self, value: AttributeValue) -> AttributeValue | None:
        assert self._new is not None, "there is nothing to convert to"
        return converted(value, self._new, month_first=self._month_first)
