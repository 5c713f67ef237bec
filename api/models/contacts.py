"""Contacts, their attributes, and what may be one person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from api.models.fields import Incoming, Name, Outgoing, PageQuery, QueryNumber, TimeOut, wrong
from api.models.lists import PageOut
from gateway.clock import rfc3339
from gateway.services.contact_attributes import Attribute
from gateway.services.contacts import Alike, Contact, ContactFilter

#: How long each may be is the service's to say, which the command line asks too.
_Words = Annotated[str, StringConstraints(max_length=4096)]
_Value = bool | int | float | _Words | None
_Values = Annotated[
    dict[Annotated[str, StringConstraints(max_length=255)], _Value],
    Field(description="a date is YYYY-MM-DD; null takes one away", max_length=1000),
]
_Kind = Literal["number", "bool", "date", "text"]
_DAYS_MOST = 3650


def _parse_days(value: object) -> int:
    days = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value) else 0
    if not 1 <= days <= _DAYS_MOST:
        raise wrong(f"must be a whole number from 1 to {_DAYS_MOST}")
    return days


_Days = Annotated[
    int, PlainValidator(_parse_days), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _DAYS_MOST})
]


class ContactFields(Incoming):
    """What is known of somebody."""

    name: _Words | None = None
    email: _Words | None = None
    push: Annotated[_Words | None, Field(description="an Apprise URL")] = None
    attributes: _Values | None = None
    tags: Annotated[list[_Words], Field(max_length=1000)] | None = None
    timezone: Annotated[_Words | None, Field(description="an IANA name")] = None
    country: Annotated[_Words | None, Field(description="ISO 3166, two letters")] = None
    language: Annotated[_Words | None, Field(description="a BCP 47 tag")] = None

    def given(self) -> dict[str, Any]:
        """The fields that were written."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "number"}


class ContactIn(ContactFields):
    """Body of `POST /v1/contacts`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "number": "+33639980105",
            "name": "Ada Lovelace",
            "attributes": {"city": "Lyon", "birth_date": "1957-12-10"},
            "tags": ["diabetes"],
            "language": "fr",
        },
    )

    number: Name


class ContactWhole(ContactFields):
    """Body of `PUT /v1/contacts/{number}`: what is not there is taken away."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "Ada Lovelace", "tags": ["diabetes"]},)


class ContactChange(ContactFields):
    """Body of `PATCH /v1/contacts/{number}`: what is not there stays as it is, null takes away; of `attributes` those
    that are named. `"dead": null` says that the number is in use again."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"attributes": {"city": "Paris"}}, {"dead": None})

    dead: None = None


class MergeIn(Incoming):
    """Body of `POST /v1/contacts/merge`: whose contact ends, and whose stays."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"from": "+33639980106", "into": "+33639980105"},)

    source: Name = Field(alias="from")
    target: Name = Field(alias="into")


class AttributeIn(Incoming):
    """Body of `PUT /v1/contacts/attributes/{name}`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"type": "text"},)

    type: _Kind


class ContactsQuery(PageQuery):
    """Query of `GET /v1/contacts`."""

    tag: Annotated[Name | None, Field(description="that have this tag")] = None
    q: Annotated[QueryNumber | None, Field(description="that have it in the name or the e-mail, or begin so")] = None
    hygiene: Literal["dead", "never_delivered", "unsubscribed", "stale"] | None = None
    days: Annotated[_Days | None, Field(description="what `stale` means: 180 without it")] = None

    def value(self) -> ContactFilter:
        """What the services take."""
        return ContactFilter(self.tag, self.q, self.hygiene, self.days)


class DeadOut(Outgoing):
    """Since when, and by the network's word for what cause, nothing reaches the number."""

    since: TimeOut
    code: str


class ContactOut(Outgoing):
    """Somebody whom the owner knows."""

    number: str
    name: str | None
    email: str | None
    push: str | None
    attributes: dict[str, bool | int | float | str]
    tags: list[str]
    timezone: str | None
    language: str | None
    country: str | None
    created_at: TimeOut
    updated_at: TimeOut
    dead: DeadOut | None


class ContactsPage(PageOut[ContactOut]):
    """Contacts."""


class AlikeOut(Outgoing):
    """Contacts that may be one person."""

    because: Literal["email", "name_and_birth_date"]
    contacts: list[ContactOut]


class AlikePage(PageOut[AlikeOut]):
    """Contacts that may be one person, group by group."""


class AttributeOut(Outgoing):
    """An attribute of contacts: its type was declared, or read off its first values."""

    name: str
    type: _Kind
    declared: bool
    created_at: TimeOut


class AttributesPage(PageOut[AttributeOut]):
    """Attributes of contacts."""


def contact_out(contact: Contact) -> dict[str, object]:
    """A contact, in the contract's order."""
    return {
        "number": contact.number,
        "name": contact.name,
        "email": contact.email,
        "push": contact.push,
        "attributes": values_out(contact.attributes),
        "tags": list(contact.tags),
        "timezone": contact.timezone,
        "language": contact.language,
        "country": contact.country,
        "created_at": rfc3339(contact.created_us),
        "updated_at": rfc3339(contact.updated_us),
        "dead": None
        if contact.dead_us is None
        else {"since": rfc3339(contact.dead_us), "code": contact.dead_code or "unknown"},
    }


def values_out(values: Mapping[str, object]) -> dict[str, object]:
    """Attributes as JSON has them."""
    return {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}


def alike_out(found: Alike) -> dict[str, object]:
    """Contacts that may be one person."""
    return {"because": found.because, "contacts": [contact_out(each) for each in found.contacts]}


def attribute_out(attribute: Attribute) -> dict[str, object]:
    """An attribute."""
    return {
        "name": attribute.name,
        "type": attribute.type,
        "declared": attribute.declared,
        "created_at": rfc3339(attribute.created_us),
    }
