"""The tables of who agreed to what, and of replies that a person has to judge."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

#: The consent ledger. Only ever added to; of one person and category the latest by `at_us`, then by id, stands.
consent = Table(
    "consent",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    Column("category", String(64), nullable=False),
    # `given`, `withdrawn`, or `asked`: a double opt-in that waits for its answer.
    Column("state", String(12), nullable=False),
    # When the person said so; `recorded_us` is when we wrote it down.
    Column("at_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    # How: "sms", "web form", "paper", ….
    Column("channel", String(64)),
    # What the person was shown, word by word.
    Column("wording", Text),
    Column("evidence", Text),
    # Where the record comes from: "sms:stop", "api", an import's name.
    Column("source", String(255)),
    # Who recorded or imported it: a token's name.
    Column("by", String(255)),
    Column("inbox_id", ID),
)
Index("ix_consent_standing", consent.c.recipient_id, consent.c.category, consent.c.at_us, consent.c.id)

#: Replies that nearly are a keyword: until a person has judged them, promotional messages to the sender are held.
review = Table(
    "review",
    metadata,
    Column("inbox_id", ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    # The keyword that it may be.
    Column("guess", String(8), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("settled_us", BigInteger),
    # A keyword, or `nothing`.
    Column("settled_as", String(8)),
    Column("settled_by", String(255)),
)
partial("ix_review_open", "settled_us IS NULL", review.c.recipient_id)
