"""The table of what people were told of alerts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from gateway.store.schema_base import metadata

#: One row for each alert and person that was told of it. Kept is a keyed hash of token, system, fingerprint and number:
#: neither can be read from it.
alert = Table(
    "alert",
    metadata,
    Column("lookup", LargeBinary(32), primary_key=True),
    # Whether the person was told last that it fires, or that it is over; when, and of which start of it.
    Column("firing", Boolean, nullable=False),
    Column("told_us", BigInteger, nullable=False),
    Column("starts_us", BigInteger, nullable=False),
    # So many changes were told since then.
    Column("since_us", BigInteger, nullable=False),
    Column("changes", Integer, nullable=False),
    # How often this row was written: who saw an older one looks again.
    Column("edition", Integer, nullable=False),
)
Index("ix_alert_told", alert.c.told_us)
