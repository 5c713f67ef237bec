"""The tables of rings, which front ends call alerts: who is rung, in which steps, and how far that has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

ring = Table(
    "ring",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_id", ROW_ID, ForeignKey("token.id")),
    Column("test", Boolean, nullable=False),
    # "filling" while its people are written down, before anybody was answered; "ringing", "finished", "stopped".
    Column("status", String(12), nullable=False),
    Column("category", String(64), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("text", Text),
    # What was asked for, as JSON: to, expect, escalate, again.
    Column("wanted", Text, nullable=False),
    Column("warnings", Text),
    Column("created_us", BigInteger, nullable=False),
    # When all would have left, by the first estimate; null where no modem could send.
    Column("estimated_us", BigInteger),
    # When it is looked at next, and by which host until when; null once nothing more is done by itself.
    Column("next_us", BigInteger),
    Column("claimed_by", String(255)),
    Column("claimed_until_us", BigInteger),
    # What was told of it last (JSON), and when.
    Column("told", Text),
    Column("told_us", BigInteger),
    Column("ended_us", BigInteger),
)
partial("ix_ring_next", "next_us IS NOT NULL", ring.c.next_us)
Index("ix_ring_token", ring.c.token_id, ring.c.id)

#: What happens by itself after a while: further people are rung, if nobody has answered.
ring_step = Table(
    "ring_step",
    metadata,
    Column("ring_id", ID, ForeignKey("ring.id"), primary_key=True),
    # 1-based, in the order in which they were written; 0 is the ring itself and has no row.
    Column("step", Integer, primary_key=True),
    Column("due_us", BigInteger, nullable=False),
    Column("done_us", BigInteger),
    # "rung", "needless" or "stopped"; "filling" while its people are written down.
    Column("outcome", String(12)),
    sqlite_with_rowid=False,
)

#: Somebody who is rung. `wanted` counts how often, `rung` how often it was done.
ring_member = Table(
    "ring_member",
    metadata,
    Column("ring_id", ID, ForeignKey("ring.id"), primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), primary_key=True),
    Column("step", Integer, nullable=False),
    # In the order in which they were named.
    Column("place", Integer, nullable=False),
    Column("wanted", Integer, nullable=False, server_default="1"),
    Column("rung", Integer, nullable=False, server_default="0"),
    Column("rung_us", BigInteger),
    # Why the last message was not even accepted.
    Column("refused", String(64)),
    sqlite_with_rowid=False,
)
partial("ix_ring_member_waiting", "rung < wanted", ring_member.c.ring_id, ring_member.c.step, ring_member.c.place)
Index("ix_ring_member_recipient", ring_member.c.recipient_id)
