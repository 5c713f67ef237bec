"""The tables of people whom the owner knows: contacts, imports of them, segments, templates."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.schema_base import ROW_ID, metadata, partial

#: Somebody whom the owner knows. The number, zone, country and language stand in `recipient`, so that erasing is one
#: place and the gate reads one row.
contact = Table(
    "contact",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False, unique=True),
    Column("name", Text),
    Column("email", Text),
    # An Apprise URL.
    Column("push", Text),
    # A JSON object of typed values; dates as "YYYY-MM-DD". A JSON list of words.
    Column("attributes", Text, nullable=False, server_default="{}"),
    Column("tags", Text, nullable=False, server_default="[]"),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    # Where it comes from: "api", or "import" and the id of one.
    Column("source", String(64), nullable=False),
    # Since when, and by the network's word for what cause, nothing can reach the number.
    Column("dead_us", BigInteger),
    Column("dead_code", String(64)),
)
partial("ix_contact_dead", "dead_us IS NOT NULL", contact.c.dead_us)

#: The types of attributes: "number", "bool", "date" or "text", declared, or inferred from the first values.
attribute = Table(
    "attribute",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("type", String(8), nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

#: An import of a CSV file; it goes on behind `lines` when it was broken off.
contact_import = Table(
    "contact_import",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_id", ROW_ID, ForeignKey("token.id")),
    Column("status", String(12), nullable=False),
    # `running`, `finished` or `failed`.
    # What the caller asked for, as JSON: columns and their types, the consent that it brings and its source.
    Column("wanted", Text, nullable=False),
    # Keyed hash of the file, so that the same one goes on where it stopped.
    Column("fingerprint", String(64), nullable=False),
    Column("lines", Integer, nullable=False, server_default="0"),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    # Entries of the ledger, and such that were left out since the person has said no.
    Column("consents", Integer, nullable=False, server_default="0"),
    Column("withheld", Integer, nullable=False, server_default="0"),
    # Lines of the file, once they were counted; the code of what ended it.
    Column("total", Integer),
    Column("problem", String(64)),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)
Index("ix_contact_import_fingerprint", contact_import.c.fingerprint)

import_rejection = Table(
    "import_rejection",
    metadata,
    Column("import_id", String(32), ForeignKey("contact_import.id"), primary_key=True),
    # Of the file, 1-based; the header is line 1.
    Column("line", Integer, primary_key=True),
    Column("code", String(64), nullable=False),
    # One sentence, which names the column and never the value.
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

segment = Table(
    "segment",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    # In the Common Expression Language.
    Column("filter", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

template = Table(
    "template",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    # A JSON object of Liquid sources by language tag.
    Column("texts", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)
