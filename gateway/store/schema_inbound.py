"""The tables of what comes in: messages, their parts as they came, status reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    Column("modem", String(64), nullable=False),
    Column("node", String(255), nullable=False),
    Column("iccid", String(24)),
    Column("text", Text),
    Column("data", LargeBinary),
    Column("parts", Integer, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    # TP-SCTS of the first part; null when the network's time was broken.
    Column("sent_us", BigInteger),
    Column("keyword", String(8)),
    Column("in_reply_to", ID),
    Column("reference", String(255)),
    Column("answer", String(64)),
)
Index("ix_inbox_recipient", inbox.c.recipient_id, inbox.c.id)
partial("ix_inbox_reply", "in_reply_to IS NOT NULL", inbox.c.in_reply_to)

#: Every SMS-DELIVER as it came, whole or a part of a long one; `inbox_id` is null while others are missing.
inbound_part = Table(
    "inbound_part",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    # SHA-256 over SIM and octets: the same message read twice is one record.
    Column("fingerprint", LargeBinary(32), nullable=False, unique=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id")),
    Column("modem", String(64), nullable=False),
    Column("node", String(255)),
    Column("iccid", String(24)),
    Column("received_us", BigInteger, nullable=False),
    Column("sent_us", BigInteger),
    Column("octets", LargeBinary, nullable=False),
    Column("text", Text),
    Column("data", LargeBinary),
    Column("concat_reference", Integer),
    Column("concat_bits", Integer),
    Column("concat_total", Integer),
    Column("concat_sequence", Integer),
    Column("inbox_id", ID),
    # Why the octets could not be read; such a row is kept and shown, never dropped.
    Column("problem", Text),
    # How often these octets were told: by a network that sends twice, or a modem that was not made to forget.
    Column("heard", Integer, nullable=False, server_default="1"),
)
partial(
    "ix_inbound_part_open",
    "inbox_id IS NULL AND concat_reference IS NOT NULL",
    inbound_part.c.recipient_id,
    inbound_part.c.concat_reference,
)
Index("ix_inbound_part_inbox", inbound_part.c.inbox_id)

#: Status reports as they came; `attempt_id` is null while nothing matches.
report = Table(
    "report",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False, unique=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    Column("modem", String(64), nullable=False),
    Column("node", String(255)),
    Column("iccid", String(24)),
    Column("tp_mr", Integer, nullable=False),
    Column("tp_st", Integer, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    # TP-SCTS: when the service centre took the message; null when the network's time was broken.
    Column("submitted_us", BigInteger),
    Column("discharged_us", BigInteger),
    # TP-SCTS and TP-DT as they came: a zone that was wrong can be told from them.
    Column("stamps", LargeBinary(14)),
    Column("attempt_id", ROW_ID, ForeignKey("attempt.id")),
)
partial("ix_report_unmatched", "attempt_id IS NULL", report.c.modem, report.c.tp_mr)
partial("ix_report_waiting", "attempt_id IS NULL AND submitted_us IS NOT NULL", report.c.submitted_us)
