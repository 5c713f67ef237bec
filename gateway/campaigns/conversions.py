"""What somebody did, and the message that it is taken to have come of: the last of a campaign within the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gateway.store import codes, conversions, events, short_links
from gateway.store.schema import AnyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an application told: who it was, by one of `lookup` (a fingerprint of the number), `code`, `link` (a link's
    code) and `message_id`; `window_us` is how long before `at_us` the message may have left."""

    kind: str
    at_us: int
    window_us: int
    lookup: bytes | None = None
    code: str | None = None
    link: str | None = None
    message_id: str | None = None
    value: float | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ConversionView:
    """A conversion; `campaign_id` is None where no message is known that it can have come of. Instants are
    microseconds UTC."""

    id: int
    campaign_id: str | None
    variant: int | None
    message_id: str | None
    kind: str
    value: float | None
    at_us: int
    created_us: int
    reference: str | None


#: Rows of `gateway.store.conversions` are told as these fields of the event.
RECORDED: Final = "conversion.recorded"


def view_of(row: AnyRow) -> ConversionView:
    """A row as front ends see it."""
    return ConversionView(
        row.id,
        row.campaign_id,
        row.variant,
        row.message_id,
        row.kind,
        row.value,
        row.at_us,
        row.created_us,
        row.reference,
    )


def record(
    connection: Connection, told: Told, person: int | None, token_id: int, now_us: int, *, own_only: bool
) -> AnyRow | None:
    """Write it down, and the event; None where this token has told it before. `person` is the row of who has the
    number. `own_only`: campaigns of other tokens are not touched."""
    person, source = _source(connection, told, person)
    if source is not None and own_only and source.token_id != token_id:
        source = None
    values: dict[str, Any] = {
        "campaign_id": None if source is None else source.campaign_id,
        "variant": None if source is None else source.variant,
        "recipient_id": person,
        "message_id": None if source is None else source.id,
        "kind": told.kind,
        "value": told.value,
        "at_us": told.at_us,
        "created_us": now_us,
        "token_id": token_id,
        "reference": told.reference,
    }
    row = conversions.add(connection, values)
    if row is not None:
        events.record(connection, now_us, RECORDED, message_id=row.message_id, facts=_facts(row))
    return row


def _source(connection: Connection, told: Told, person: int | None) -> tuple[int | None, AnyRow | None]:
    """Who it was, and the message that it came of, as far as either is known."""
    since_us, until_us = told.at_us - told.window_us, told.at_us
    found: AnyRow | None = None
    if told.message_id is not None:
        found = conversions.of_message(connection, told.message_id, since_us, until_us)
    elif told.link is not None:
        row = short_links.find(connection, told.link)
        if row is not None:
            person = row.recipient_id
            found = conversions.of_message(connection, row.message_id, since_us, until_us)
    elif told.code is not None:
        row = codes.holder(connection, told.code)
        if row is not None:
            person = row.recipient_id
            found = conversions.of_member(connection, row.campaign_id, row.recipient_id, since_us, until_us)
    elif person is not None:
        found = conversions.last_of_person(connection, person, since_us, until_us)
    return (person if found is None else found.recipient_id), found


def _facts(row: AnyRow) -> Mapping[str, object]:
    return {
        "id": row.id,
        "campaign": row.campaign_id,
        "variant": row.variant,
        "message": row.message_id,
        "kind": row.kind,
        "value": row.value,
        "at_us": row.at_us,
        "reference": row.reference,
    }
