"""Contacts between the store and everybody else: rows as values, values as they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from gateway.people.attributes_values import as_kept, loaded
from gateway.people.contact import AttributeValue, Contact
from gateway.store import contacts_attributes
from gateway.store.schema import AnyRow

#: The type of each attribute, by its name.
Types: TypeAlias = Mapping[str, str]


def types_of(connection: Connection) -> Types:
    """The types of all attributes that there are."""
    return contacts_attributes.types(connection)


def contact_of(row: AnyRow, types: Types) -> Contact:
    """A row of `gateway.store.contacts.joined` as a value. A value that is not of its attribute's type is missing."""
    return Contact(
        id=row.id,
        recipient_id=row.recipient_id,
        number=row.number or "",
        name=row.name,
        email=row.email,
        push=row.push,
        timezone=row.timezone,
        country=row.country,
        language=row.language,
        attributes=_attributes(row.attributes, types),
        tags=tuple(_JSON.raw_decode(row.tags)[0]) if row.tags != "[]" else (),
        created_us=row.created_us,
        updated_us=row.updated_us,
        source=row.source,
        dead_us=row.dead_us,
        dead_code=row.dead_code,
    )


def contacts_of(rows: Iterable[AnyRow], types: Types) -> list[Contact]:
    """Several of them, in their order."""
    return [contact_of(row, types) for row in rows]


def _attributes(text: str, types: Types) -> Mapping[str, AttributeValue]:
    if text == "{}":
        return {}
    kept: dict[str, Any] = _JSON.raw_decode(text)[0]
    found = ((name, loaded(types.get(name), value)) for name, value in kept.items() if name in types)
    return {name: value for name, value in found if value is not None}


def attributes_kept(values: Mapping[str, AttributeValue]) -> str:
    """Attributes as they are kept, by their names in order."""
    return kept_json({name: as_kept(values[name]) for name in sorted(values)})


def tags_kept(tags: Sequence[str]) -> str:
    """Tags as they are kept."""
    return kept_json(list(tags))


# What `json.loads` comes to, without its looking for blanks around what has none: we wrote it.
_JSON: Final = json.JSONDecoder()
# Made once: `json.dumps` with arguments makes a new one for each call.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def kept_json(value: object) -> str:
    """JSON as the columns hold it: letters as they are, so that a tag can be looked for."""
    return _ENCODER.encode(value)
