"""The tables, as SQLAlchemy Core values. Migrations bring a store here; a test compares the two.

Habits: instants are integer microseconds UTC (`_us`), ids are UUIDv7 in 32 hex digits, a person is a row of
`recipient` that every other table refers to (so that erasing is one place), state words are those of
`gateway.message`. Indexes of the queue are partial: work costs what waits, never what is finished. Those of modems and
hosts are in `schema_modems`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from gateway.store.schema_alerts import alert
from gateway.store.schema_base import ID, ROW_ID, AnyRow, metadata, partial
from gateway.store.schema_campaigns import automation, campaign, campaign_member, campaign_stop
from gateway.store.schema_care import missed_call, modem_care, self_test
from gateway.store.schema_channels import notice, trouble
from gateway.store.schema_consent import consent, review
from gateway.store.schema_inbound import inbound_part, inbox, report
from gateway.store.schema_limits import token_part, traffic_country, traffic_part
from gateway.store.schema_links import click, code, code_pool, conversion, link
from gateway.store.schema_modems import command, host, host_modem, modem_pause, sim_count, sim_person, sim_pin
from gateway.store.schema_notify import delivery, follower, webhook
from gateway.store.schema_people import attribute, contact, contact_import, import_rejection, segment, template
from gateway.store.schema_rings import ring, ring_member, ring_step

__all__ = [
    "AnyRow",
    "alert",
    "attempt",
    "attribute",
    "automation",
    "campaign",
    "campaign_member",
    "campaign_stop",
    "click",
    "code",
    "code_pool",
    "command",
    "consent",
    "contact",
    "contact_import",
    "conversion",
    "delivery",
    "event",
    "follower",
    "host",
    "host_modem",
    "idempotency",
    "import_rejection",
    "inbound_part",
    "inbox",
    "link",
    "message",
    "meta",
    "metadata",
    "missed_call",
    "modem_care",
    "modem_pause",
    "notice",
    "optout",
    "part",
    "pause",
    "recipient",
    "report",
    "review",
    "ring",
    "ring_member",
    "ring_step",
    "segment",
    "self_test",
    "sim_count",
    "sim_person",
    "sim_pin",
    "template",
    "token",
    "token_part",
    "traffic_country",
    "traffic_part",
    "trouble",
    "webhook",
]

#: Facts about the store itself: `lookup_key_id`, ….
meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

token = Table(
    "token",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String(64), nullable=False),
    # SHA-256 of 256 random bits: nothing to guess, so nothing to slow down.
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("categories", Text, nullable=False),
    Column("default_category", String(64)),
    Column("test", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    # What it may do at most: beginnings of numbers as a JSON list, messages over a time ("60/1m"), parts in 24 hours.
    Column("destinations", Text, nullable=False, server_default="[]"),
    Column("rate", String(32)),
    Column("parts_a_day", Integer),
    Column("expires_us", BigInteger),
)
Index("uq_token_name_live", token.c.name, unique=True, sqlite_where=text("revoked_us IS NULL"),
      postgresql_where=text("revoked_us IS NULL"))  # fmt: skip

recipient = Table(
    "recipient",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    # Null once erased; `lookup` stays where an opt-out must still be honoured.
    Column("number", String(64)),
    Column("kind", String(16), nullable=False),
    # Keyed hash of the number; the key lies outside the store.
    Column("lookup", LargeBinary(32), nullable=False, unique=True),
    Column("created_us", BigInteger, nullable=False),
    # Last concatenation reference used towards this person, so that two long messages never share one by chance.
    Column("concat_reference", Integer, nullable=False, server_default="0"),
    # What a contact says of where this person is, which goes before what the digits say, and what it reads.
    Column("timezone", String(64)),
    Column("country", String(2)),
    Column("language", String(16)),
)

message = Table(
    "message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    Column("token_id", ROW_ID, ForeignKey("token.id")),
    # An automatic reply such as the confirmation of a STOP; it alone may go to a person who opted out.
    Column("reply_to_inbox_id", ID),
    Column("category", String(64), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("stoppable", Boolean, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("text", Text),
    Column("flash", Boolean, nullable=False),
    Column("encoding", String(8), nullable=False),
    Column("parts", Integer, nullable=False),
    Column("reference", String(255)),
    Column("wanted_modem", String(64)),
    # Of which host, where several may have a modem of that name.
    Column("wanted_node", String(255)),
    Column("on_uncertain", String(8), nullable=False),
    Column("status", String(12), nullable=False),
    Column("hold_rule", String(20)),
    Column("hold_until_us", BigInteger),
    Column("hold_detail", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("send_us", BigInteger),
    Column("due_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    # Set while a refused message waits for its next try.
    Column("retry_us", BigInteger),
    # When policy `resend` spends its one more copy.
    Column("resend_us", BigInteger),
    Column("modem", String(64)),
    Column("node", String(255)),
    Column("simulated", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_us", BigInteger),
    Column("delivered_us", BigInteger),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("warnings", Text),
    # What decides which modems may take it, written by gateway.rules.routing and compared as a whole.
    Column("lane", String(160), nullable=False, server_default=""),
    # When its first part was marked, which is when caps count it; null while nothing of it may have left.
    Column("begun_us", BigInteger),
    # "best": in the category's preferred hours.
    Column("timing", String(8)),
    # The event that it is about, and whether it rather leaves "earlier" than later.
    Column("about_us", BigInteger),
    Column("shift", String(8)),
    # When it was let go before its last allowed minute, because many waited for that one; no second time.
    Column("led_us", BigInteger),
    # The words that answer it, as a JSON list.
    Column("expect", Text),
    # How often the same was asked for again and joined to it; and to which message this one was joined.
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("joined_id", ID),
    # Where news of it goes, in which system's form (JSON); what is done when it cannot arrive (a JSON list).
    Column("callback", Text),
    Column("fallback", Text),
    # 64 bits of a keyed hash of all that makes two messages to one person the same; null where none is looked for.
    Column("likeness", BigInteger),
    # The campaign and its variant (0-based), or the ring, that it is part of.
    Column("campaign_id", ID),
    Column("variant", Integer),
    Column("ring_id", ID),
)


_m = message.c
partial("ix_message_lane", "status = 'queued'", _m.lane, _m.due_us, _m.id)
partial("ix_message_sending", "status = 'sending'", _m.recipient_id, _m.modem)
partial("ix_message_held", "status = 'held'", _m.due_us)
# With all that its question reads, the words of its condition too: SQLite then leaves the rows themselves alone.
partial(
    "ix_message_early",
    "status = 'held' AND shift = 'earlier' AND led_us IS NULL AND due_us < send_us"
    " AND hold_rule IN ('country_profile', 'holiday', 'quiet_hours', 'window')",
    _m.due_us,
    _m.parts,
    _m.send_us,
    _m.hold_rule,
    _m.status,
    _m.shift,
    _m.led_us,
)
partial("ix_message_retry", "retry_us IS NOT NULL", _m.retry_us)
partial("ix_message_expiry", "status IN ('held', 'queued')", _m.expires_us)
partial("ix_message_resend", "status = 'uncertain' AND resend_us IS NOT NULL", _m.resend_us)
partial("ix_message_waiting", "status IN ('held', 'queued')", _m.recipient_id, _m.likeness)
partial("ix_message_reference", "reference IS NOT NULL", _m.reference, _m.id)
partial("ix_message_reference_waiting", "reference IS NOT NULL AND status IN ('held', 'queued')", _m.reference, _m.id)
partial("ix_message_begun", "begun_us IS NOT NULL", _m.recipient_id, _m.category, _m.begun_us)
partial("ix_message_joined", "joined_id IS NOT NULL", _m.joined_id, _m.id)
partial("ix_message_campaign", "campaign_id IS NOT NULL", _m.campaign_id, _m.id)
partial(
    "ix_message_campaign_waiting",
    "campaign_id IS NOT NULL AND status IN ('held', 'queued')",
    _m.campaign_id,
    _m.id,
)
partial("ix_message_ring", "ring_id IS NOT NULL", _m.ring_id, _m.recipient_id)
Index("ix_message_recipient", _m.recipient_id, _m.id)
Index("ix_message_token", _m.token_id, _m.id)

part = Table(
    "part",
    metadata,
    Column("message_id", ID, ForeignKey("message.id"), primary_key=True),
    # 1-based, as in the concatenation element.
    Column("sequence", Integer, primary_key=True),
    Column("state", String(12), nullable=False),
    # The SMS-SUBMIT, without service centre; fixed when the first part passes the gate.
    Column("octets", LargeBinary, nullable=False),
    # How many times it was marked with an outcome that may have reached the network.
    Column("copies", Integer, nullable=False, server_default="0"),
    # It lies in the tree of its key: a page less for each part that is sent.
    sqlite_with_rowid=False,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("message_id", ID, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("node", String(255), nullable=False),
    Column("modem", String(64), nullable=False),
    Column("imei", String(20)),
    Column("iccid", String(24)),
    # Names the wire journal of the process that made the mark.
    Column("journal", String(32)),
    # `submitting` is the durable mark; then the part state that came of it, or `pending` if it never left.
    Column("state", String(12), nullable=False),
    Column("marked_us", BigInteger, nullable=False),
    Column("settled_us", BigInteger),
    Column("cause", String(64)),
    # TP-MR of the answer, or of the report that stands in for it, and what the status report said.
    Column("tp_mr", Integer),
    Column("tp_st", Integer),
    Column("reported_us", BigInteger),
)
Index("ix_attempt_message", attempt.c.message_id, attempt.c.id)
partial("ix_attempt_uncertain", "state = 'uncertain'", attempt.c.marked_us)
partial("ix_attempt_failed", "state = 'failed'", attempt.c.marked_us)
partial("ix_attempt_open", "state = 'submitting'", attempt.c.node)
partial("ix_attempt_reference", "tp_mr IS NOT NULL", attempt.c.modem, attempt.c.tp_mr, attempt.c.id)
partial("ix_attempt_sim", "tp_mr IS NOT NULL AND iccid IS NOT NULL", attempt.c.iccid, attempt.c.tp_mr, attempt.c.id)

event = Table(
    "event",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("type", String(40), nullable=False),
    Column("message_id", ID),
    Column("inbox_id", ID),
    # One sentence without numbers or texts of people.
    Column("detail", Text),
    # Whom it is about, and what else belongs to it as JSON, without numbers or texts of people.
    Column("recipient_id", ROW_ID),
    Column("facts", Text),
    # On PostgreSQL the transaction's number, by default of the column: ids are given out before their commits come.
    Column("xact", BigInteger),
)
partial("ix_event_message", "message_id IS NOT NULL", event.c.message_id, event.c.id)
partial("ix_event_xact", "xact IS NOT NULL", event.c.xact, event.c.id)

optout = Table(
    "optout",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    # Empty means every stoppable category; "+" and a category, that this one is left out of it.
    Column("category", String(64), nullable=False, server_default=""),
    Column("since_us", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),
    Column("inbox_id", ID),
    Column("lifted_us", BigInteger),
    Column("lifted_by", String(64)),
)
partial("ix_optout_lifted", "lifted_us IS NOT NULL", optout.c.recipient_id, optout.c.since_us)
Index("uq_optout_live", optout.c.recipient_id, optout.c.category, unique=True, sqlite_where=text("lifted_us IS NULL"),
      postgresql_where=text("lifted_us IS NULL"))  # fmt: skip

#: The kill switch: while a row stands, no part of its category is marked.
pause = Table(
    "pause",
    metadata,
    # Empty means every category.
    Column("category", String(64), primary_key=True),
    Column("since_us", BigInteger, nullable=False),
)

#: Requests that were accepted under a key of the caller's. Neither the key nor the body can be read from it.
idempotency = Table(
    "idempotency",
    metadata,
    # Keyed hash of token and key.
    Column("lookup", LargeBinary(32), primary_key=True),
    # Keyed hash of the body in its canonical form.
    Column("body", LargeBinary(32), nullable=False),
    Column("message_id", ID, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)
Index("ix_idempotency_created_us", idempotency.c.created_us)
