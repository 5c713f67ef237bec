"""Two contacts that are one person: which may be, and how they become one.

Opt-outs, consents and messages are of a number and stay with it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import Connection

from gateway.people import contacts_book
from gateway.people.contact import Contact
from gateway.people.contacts import Types, contacts_of
from gateway.people.contacts_fields import CHECKS
from gateway.store import contacts, contacts_written
from gateway.store.schema import AnyRow

EMAIL, BIRTH = "email", "name_and_birth_date"
#: What people call the attribute.
BIRTH_DATES: Final = ("birth_date", "birthdate", "birthday", "date_of_birth", "date_de_naissance", "naissance")


@dataclass(frozen=True, slots=True)
class Alike:
    """Contacts that may be one person, and `because` of what: "email" or "name_and_birth_date"."""

    because: str
    contacts: Sequence[Contact]


class Search:
    """Looks through all contacts, some at a time, and remembers of each what would be the same: a short hash."""

    def __init__(self) -> None:
        self._found: defaultdict[int, list[int]] = defaultdict(list)

    def look(self, connection: Connection, after: int, most: int, types: Types) -> int | None:
        """Look at the next contacts behind this one; the last of them, None when there is none left."""
        rows = contacts.after(connection, after, most)
        for contact in contacts_of(rows, types):
            for because, key in signs(contact):
                digest = hashlib.blake2b(f"{because}\n{key}".encode(), digest_size=8).digest()
                self._found[int.from_bytes(digest)].append(contact.id)
        return rows[-1].id if rows else None

    def groups(self) -> list[tuple[int, ...]]:
        """The ids of those that have something in common, by the oldest of each group."""
        return sorted({tuple(ids) for ids in self._found.values() if len(ids) > 1})


def alike(rows: Sequence[AnyRow], types: Types) -> Alike | None:
    """What these contacts have in common still; None where nothing."""
    found = sorted(contacts_of(rows, types), key=lambda each: each.id)
    common = set(signs(found[0])) if len(found) > 1 else set[tuple[str, str]]()
    for each in found[1:]:
        common &= set(signs(each))
    return Alike(min(common)[0], found) if common else None


def signs(contact: Contact) -> Iterator[tuple[str, str]]:
    """What another contact of the same person would have too."""
    if contact.email:
        yield EMAIL, contact.email.casefold()
    born = next((contact.attributes[name] for name in BIRTH_DATES if name in contact.attributes), None)
    if contact.name and isinstance(born, date):
        # "Marie CURIE" and "Curie, Marie".
        words = sorted(contact.name.casefold().replace(",", " ").split())
        yield BIRTH, f"{' '.join(words)} {born.isoformat()}"


def merged(source: Contact, target: Contact) -> Contact:
    """The target with what it lacks and the source has; of two values the target's stays."""
    fields = {name: getattr(target, name) or getattr(source, name) for name in CHECKS}
    tags = tuple(dict.fromkeys((*target.tags, *source.tags)))
    return replace(target, **fields, attributes={**source.attributes, **target.attributes}, tags=tags)


def merge(connection: Connection, source: Contact, target: Contact, now_us: int) -> Contact:
    """Make them one contact, of the target's number."""
    contacts_book.rewrite(connection, merged(source, target), now_us)
    contacts_written.remove(connection, source.recipient_id)
    written = contacts_book.standing(connection, target.recipient_id)
    assert written is not None, "it was written in this transaction"
    return written
