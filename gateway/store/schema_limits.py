"""The tables of what tokens and the whole gateway may cost. Habits as in `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from gateway.store.schema_base import ROW_ID, metadata

#: Parts that a token with a daily limit handed in, by the beginning of their span of ten minutes.
token_part = Table(
    "token_part",
    metadata,
    Column("token_id", ROW_ID, ForeignKey("token.id"), primary_key=True),
    Column("begun_us", BigInteger, primary_key=True),
    Column("parts", Integer, nullable=False),
)

#: Parts that count for a cap of the whole gateway, by the beginning of their span.
traffic_part = Table(
    "traffic_part",
    metadata,
    # The cap's prefix and span. The row at -1 says that it is counted, and is what hosts lock.
    Column("name", String(64), primary_key=True),
    Column("begun_us", BigInteger, primary_key=True),
    Column("parts", Integer, nullable=False),
)

#: Calling codes that something was sent to.
traffic_country = Table(
    "traffic_country",
    metadata,
    Column("code", String(8), primary_key=True),
    Column("first_us", BigInteger, nullable=False),
)
