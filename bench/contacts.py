"""A store full of contacts, made fast: straight into the tables, as an import leaves them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, insert

from bench.filling import settings_in
from gateway.address import AddressKind
from gateway.store import recipients, segments
from gateway.store.database import Store
from gateway.store.opening import open_configured
from gateway.store.schema import attribute, contact

_FIRST_NUMBER = 33_640_000_000
_AT_ONCE = 5000
_CITIES = ("Lyon", "Nantes", "Lille", "Metz")
_TYPES = {"city": "text", "birth_date": "date", "visits": "number"}
#: Everybody, by a filter that has to be worked out for each.
SEGMENT = "everybody"
_FILTER = 'attributes.visits >= 0 && (attributes.city in ["Lyon", "Nantes", "Lille", "Metz"]) && !opted_out'


async def fill_contacts(folder: Path, ports: Mapping[str, str], count: int) -> None:
    """Make a store in `folder/state` with so many contacts, and a segment that all of them are in."""
    store = await asyncio.to_thread(open_configured, settings_in(folder, ports))
    try:
        for start in range(0, count, _AT_ONCE):
            places = range(start, min(start + _AT_ONCE, count))
            await store.write(lambda connection, places=places: _add(connection, store, places))
        await store.write(_group)
        await store.write(lambda connection: connection.exec_driver_sql("ANALYZE") and None)
    finally:
        await store.close()


def _group(connection: Connection) -> None:
    for name, kind in _TYPES.items():
        connection.execute(insert(attribute).values(name=name, type=kind, declared=True, created_us=1))
    segments.add(connection, SEGMENT, _FILTER, 1)


def _add(connection: Connection, store: Store, places: range) -> None:
    numbers = {f"+{_FIRST_NUMBER + place}": place for place in places}
    lookups = {store.fingerprint(number): number for number in numbers}
    kinds = {lookup: (number, AddressKind.E164) for lookup, number in lookups.items()}
    rows = recipients.ensure_all(connection, kinds, 1)
    values = [_row(row, numbers[lookups[lookup]]) for lookup, row in rows.items()]
    connection.execute(insert(contact), values)


def _row(person: int, place: int) -> dict[str, object]:
    attributes = {"city": _CITIES[place % 4], "birth_date": f"{1930 + place % 70}-05-17", "visits": place % 9}
    return {
        "recipient_id": person,
        "name": f"Person {place}",
        "attributes": json.dumps(attributes),
        "tags": '["newsletter"]',
        "created_us": 1,
        "updated_us": 1,
        "source": "api",
    }
