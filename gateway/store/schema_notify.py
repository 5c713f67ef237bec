"""The tables of webhooks: where news goes, what has still to be told there, and how far the events were read."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

#: An endpoint of an admin's. Its secret is derived (`gateway.notify.signature`) and stands nowhere.
webhook = Table(
    "webhook",
    metadata,
    Column("id", ID, primary_key=True),
    Column("url", Text, nullable=False),
    # Patterns of event types, a JSON list.
    Column("types", Text, nullable=False),
    Column("description", String(255)),
    Column("created_us", BigInteger, nullable=False),
    # It is told of what happened since then: since it was made, or enabled again.
    Column("since_us", BigInteger, nullable=False),
    # Which of its secrets is in force, and since when the one before is going.
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("rotated_us", BigInteger),
    Column("disabled_us", BigInteger),
    Column("disabled_reason", String(64)),
    # When it last took something, when it last did not, and why.
    Column("succeeded_us", BigInteger),
    Column("failed_us", BigInteger),
    Column("failure", String(64)),
    Column("form", String(16), nullable=False, server_default="standard"),
    # The event behind which that begins, since clocks are set back: its transaction's number and its id.
    Column("since_xact", BigInteger, nullable=False, server_default="0"),
    Column("since_event", BigInteger, nullable=False, server_default="0"),
)

#: An event that has to be told to somebody. What was told is gone from here; the words are made when it is sent.
delivery = Table(
    "delivery",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    # An endpoint's id, or "c", the token and a hash of where its callback goes.
    Column("target", String(32), nullable=False),
    Column("event_id", BigInteger, nullable=False),
    # What the event is about: of one target and subject only the first that waits has an instant.
    Column("subject", String(40), nullable=False),
    # When it is tried next; null while it waits behind another of its subject, and once it was given up.
    Column("due_us", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("made_us", BigInteger, nullable=False),
    Column("dead_us", BigInteger),
    # Of the last try: a status, or a word.
    Column("outcome", String(64)),
)
partial("ix_delivery_due", "due_us IS NOT NULL", delivery.c.target, delivery.c.due_us, delivery.c.id)
partial("ix_delivery_behind", "dead_us IS NULL", delivery.c.target, delivery.c.subject, delivery.c.id)
partial("ix_delivery_dead", "dead_us IS NOT NULL", delivery.c.target, delivery.c.id)
partial("ix_delivery_waiting", "dead_us IS NULL", delivery.c.target, delivery.c.id)
partial("ix_delivery_old", "dead_us IS NULL", delivery.c.made_us)
partial("ix_delivery_forgotten", "dead_us IS NOT NULL", delivery.c.made_us)

#: How far each reader of events has come.
follower = Table(
    "follower",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("xact", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
)
