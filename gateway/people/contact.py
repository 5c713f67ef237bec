"""A contact as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

#: What an attribute may hold: a number, true or false, a date, a text.
AttributeValue: TypeAlias = "int | float | bool | date | str"

#: The words for their types.
ATTRIBUTE_TYPES: Final = ("number", "bool", "date", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody whom the owner knows. `id` is the row of the contact, `recipient_id` that of the number.

    `timezone` is an IANA name, `country` ISO 3166 alpha-2, `language` a BCP 47 tag, `push` an Apprise URL; None where
    it is not known. `dead_us` is since when nothing can reach the number, `dead_code` the network's word for why.
    """

    id: int
    recipient_id: int
    number: str
    name: str | None = None
    email: str | None = None
    push: str | None = None
    timezone: str | None = None
    country: str | None = None
    language: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    tags: tuple[str, ...] = ()
    created_us: int
    updated_us: int
    source: str = "api"
    dead_us: int | None = None
    dead_code: str | None = None
