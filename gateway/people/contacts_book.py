"""Writing contacts, one at a time: what a caller gives is checked against the attributes' types in the transaction
that writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection

from gateway.errors import Conflict, FieldError, InvalidRequest
from gateway.people import attributes_values
from gateway.people.contact import AttributeValue, Contact
from gateway.people.contacts import attributes_kept, contact_of, tags_kept, types_of
from gateway.people.contacts_fields import CHECKS, MOST_ATTRIBUTES, FieldRefused, attribute_name_of, tags_of
from gateway.store import contacts, contacts_attributes, contacts_written
from gateway.store.contacts_written import contact_values

#: How a contact says where it is from, unless an import brought it.
API = "api"


@dataclass(slots=True)
class _Draft:
    """A contact as it is to stand."""

    fields: dict[str, str | None]
    attributes: dict[str, AttributeValue]
    tags: tuple[str, ...]


def standing(connection: Connection, person: int) -> Contact | None:
    """The contact of this person (row of `recipient`)."""
    row = contacts.of_person(connection, person)
    return None if row is None else contact_of(row, types_of(connection))


def write(
    connection: Connection, person: int, given: Mapping[str, Any], now_us: int, *, upon: Contact | None, whole: bool
) -> Contact:
    """Write what is given of this person's contact, which is `upon` so far, and give it as it stands then.

    `given` has the names of the contract. What is not there stays as it is, or with `whole` is taken away; null takes
    away. Raises `InvalidRequest` with all that is wrong, or `Conflict` with too many attributes.
    """
    base = None if whole else upon
    draft = _Draft(
        fields={name: None if base is None else getattr(base, name) for name in CHECKS},
        attributes={} if base is None else dict(base.attributes),
        tags=() if base is None else base.tags,
    )
    _apply(connection, draft, given, now_us)
    _put(connection, person, draft, now_us, new=upon is None)
    if upon is not None and "dead" in given:
        contacts_written.mark_alive(connection, [person])
    written = standing(connection, person)
    assert written is not None, "it was written in this transaction"
    return written


def rewrite(connection: Connection, contact: Contact, now_us: int) -> None:
    """Write a contact that there is as this value has it."""
    draft = _Draft({name: getattr(contact, name) for name in CHECKS}, dict(contact.attributes), contact.tags)
    _put(connection, contact.recipient_id, draft, now_us, new=False)


def _put(connection: Connection, person: int, draft: _Draft, now_us: int, *, new: bool) -> None:
    row = contact_values(
        person,
        now_us,
        name=draft.fields["name"],
        email=draft.fields["email"],
        push=draft.fields["push"],
        attributes=attributes_kept(draft.attributes),
        tags=tags_kept(draft.tags),
        source=API,
    )
    (contacts_written.add_all if new else contacts_written.change_all)(connection, [row])
    place = (person, draft.fields["timezone"], draft.fields["country"], draft.fields["language"])
    contacts_written.place_all(connection, [place])


def _apply(connection: Connection, draft: _Draft, given: Mapping[str, Any], now_us: int) -> None:
    problems: list[FieldError] = []
    for name, check in CHECKS.items():
        if name in given:
            try:
                # Nothing written is nothing said.
                draft.fields[name] = (check(given[name]) or None) if given[name] else None
            except FieldRefused as refused:
                problems.append(FieldError(f"/{name}", refused.sentence))
    if "tags" in given:
        try:
            draft.tags = tags_of(cast("Sequence[str]", given["tags"] or ()))
        except FieldRefused as refused:
            problems.append(FieldError("/tags", refused.sentence))
    problems += _apply_attributes(connection, draft, given.get("attributes") or {}, now_us)
    if problems:
        raise InvalidRequest("contact_invalid", problems[0].message, errors=problems)


def _apply_attributes(
    connection: Connection, draft: _Draft, given: Mapping[str, object], now_us: int
) -> list[FieldError]:
    """Take the attributes over; those that nobody knew yet are of the type of their value from now on."""
    types, problems = dict(types_of(connection)), list[FieldError]()
    for name, value in given.items():
        if value is None:
            draft.attributes.pop(name, None)
            continue
        try:
            kind = types.get(attribute_name_of(name)) or attributes_values.kind_of(value)
            draft.attributes[name] = attributes_values.given(kind, value)
        except FieldRefused as refused:
            pointer = name.replace("~", "~0").replace("/", "~1")[:64]
            problems.append(FieldError(f"/attributes/{pointer}", refused.sentence))
            continue
        if name not in types:
            types[name] = kind
            refuse_too_many(len(types))
            contacts_attributes.add(connection, name, kind, now_us, declared=False)
    return problems


def refuse_too_many(count: int) -> None:
    """`Conflict` where there would be more attributes than there may be."""
    if count > MOST_ATTRIBUTES:
        raise Conflict("too_many_attributes", f"there are {MOST_ATTRIBUTES} attributes already, which is the most")
