"""Contacts as CSV for spreadsheets and for another gateway: what is exported comes back as it was by an import.

The number stands in a column of its own, behind an apostrophe as all that begins with +: a spreadsheet would take it
for a sum and lose the +. Times and marks are the gateway's, and not exported.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.people.attributes_values import as_cell
from gateway.people.contact import Contact
from gateway.people.contacts import Types, contacts_of, types_of
from gateway.people.contacts_fields import CHECKS
from gateway.people.exporting_cells import guarded_cell
from gateway.people.importing_columns import ATTRIBUTES, NUMBER, TAGS, has_meaning
from gateway.store import contacts
from gateway.store.database import Store

# Without it Excel takes UTF-8 for the code page of the machine.
_BOM: Final = "\ufeff"
_GROUP: Final = 500


async def exported(store: Store, tag: str | None, *, typed: bool) -> AsyncIterator[bytes]:
    """The lines of the file, some at a time; of those with a tag, or of all. `typed`: the heads of attributes say their
    types, for a gateway that does not know them (`age:number`)."""
    types = await store.read(types_of)
    yield (_BOM + _line(heads(types, typed=typed))).encode()
    last = 0
    while True:
        found = await store.read(_reading(last, tag, types))
        if found is None:
            return
        last, text = found
        if text:
            yield text.encode(errors="replace")


def heads(types: Types, *, typed: bool) -> list[str]:
    """The first line. An attribute whose name would be taken for a field says that it is none."""
    named = [ATTRIBUTES + name if has_meaning(name) else name for name in types]
    shown = [f"{name}:{kind}" for name, kind in zip(named, types.values(), strict=True)] if typed else named
    return [NUMBER, *CHECKS, TAGS, *shown]


def row_of(contact: Contact, types: Types) -> list[str]:
    """The cells of one contact."""
    values = (contact.attributes.get(name) for name in types)
    return [
        contact.number,
        *(getattr(contact, name) or "" for name in CHECKS),
        ",".join(contact.tags),
        *("" if value is None else as_cell(value) for value in values),
    ]


def _reading(after: int, tag: str | None, types: Types) -> Callable[[Connection], tuple[int, str] | None]:
    def work(connection: Connection) -> tuple[int, str] | None:
        rows = contacts.after(connection, after, _GROUP)
        if not rows:
            return None
        found = [each for each in contacts_of(rows, types) if tag is None or tag in each.tags]
        return rows[-1].id, "".join(_line(row_of(each, types)) for each in found)

    return work


def _line(cells: Sequence[str]) -> str:
    """RFC 4180, each cell in quotes."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([guarded_cell(cell) for cell in cells])
    return out.getvalue()
