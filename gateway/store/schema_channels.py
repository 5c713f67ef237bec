"""The tables of outgoing channels: what has still to be sent elsewhere than by webhook, and which troubles stand."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

#: Something that has to be told through a channel. Of messages and replies the words are read when it is sent.
notice = Table(
    "notice",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    # "alarm", "forward" or "fallback".
    Column("kind", String(16), nullable=False),
    # What carries it: "mailto", "sms" or "push".
    Column("channel", String(8), nullable=False),
    # "mailto:…", "sms:+…" or "push".
    Column("goal", String(1000), nullable=False),
    # Of a fallback the message, of what is forwarded the event, of an alarm the words.
    Column("message_id", ID),
    Column("event_id", BigInteger),
    Column("words", Text),
    Column("made_us", BigInteger, nullable=False),
    # When it is tried next; null once it was sent.
    Column("due_us", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    # What goes to one address is counted for an hour, and forgotten then.
    Column("sent_us", BigInteger),
)
partial("ix_notice_due", "due_us IS NOT NULL", notice.c.channel, notice.c.due_us, notice.c.id)
partial("ix_notice_sent", "sent_us IS NOT NULL", notice.c.sent_us)
Index("ix_notice_message", notice.c.message_id)

#: A trouble that somebody was told of. One that stands is told again after hours, and once when it is over.
trouble = Table(
    "trouble",
    metadata,
    # The kind, and what it is about: "modem.parked clinic-1:sim1".
    Column("name", String(400), primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    Column("told_us", BigInteger, nullable=False),
)
