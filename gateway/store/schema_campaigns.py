"""The tables of campaigns: what is sent to whom, who got which variant, what was stopped; and of automations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

#: A campaign. `status` is a word of `gateway.campaigns.campaign`.
campaign = Table(
    "campaign",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("status", String(12), nullable=False),
    Column("category", String(64), nullable=False),
    # "frozen": who is in it is written down when it starts; "live": who is in it is asked as it goes.
    Column("audience", String(8), nullable=False),
    # All else that was asked for, as JSON: {to, variants, test_share, metric, decide_after, pace, …}.
    Column("wanted", Text, nullable=False),
    Column("token_id", ROW_ID, ForeignKey("token.id")),
    # Of one that was begun by a recurring one.
    Column("parent_id", ID),
    Column("created_us", BigInteger, nullable=False),
    Column("scheduled_us", BigInteger),
    Column("started_us", BigInteger),
    Column("finished_us", BigInteger),
    # Why it was stopped or paused by itself, as a code.
    Column("reason", String(64)),
    # The variant (0-based) that everybody else gets; null where there is none, or none yet. How it came to it, as JSON.
    Column("winner", Integer),
    Column("decided_us", BigInteger),
    Column("decision", Text),
    # Variants that were stopped, and why, as a JSON object.
    Column("stopped", Text, nullable=False, server_default="{}"),
    # How many were written down, how many of them have a message, how many get none.
    Column("members", Integer, nullable=False, server_default="0"),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("left_out", Integer, nullable=False, server_default="0"),
    # When it is to be looked at next; null when there is nothing more to do by itself.
    Column("next_us", BigInteger),
    # Who works on it, and until when nobody else does.
    Column("worker", String(64)),
    Column("lease_us", BigInteger),
)
partial("ix_campaign_next", "next_us IS NOT NULL", campaign.c.next_us)
partial("ix_campaign_parent", "parent_id IS NOT NULL", campaign.c.parent_id, campaign.c.id)
Index("ix_campaign_token", campaign.c.token_id, campaign.c.id)

#: Who is in a campaign, once each, whatever happens: this key is what keeps everybody from a second message.
campaign_member = Table(
    "campaign_member",
    metadata,
    Column("campaign_id", ID, ForeignKey("campaign.id"), primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), primary_key=True),
    # 0-based; null while it is not decided.
    Column("variant", Integer),
    # "waiting", "queued" or "left_out".
    Column("state", String(8), nullable=False),
    # Why somebody gets none, as a code.
    Column("reason", String(64)),
    Column("message_id", ID),
    # Whether this is one of those on whom the variants are tried.
    Column("in_test", Boolean, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
_c = campaign_member.c
partial("ix_campaign_member_waiting", "state = 'waiting'", _c.campaign_id, _c.variant, _c.recipient_id)

#: While a row stands no message of this campaign begins, or of this variant of it. It goes when nothing waits any more.
campaign_stop = Table(
    "campaign_stop",
    metadata,
    Column("campaign_id", ID, ForeignKey("campaign.id"), primary_key=True),
    # 0-based; -1 is every variant.
    Column("variant", Integer, primary_key=True),
    # "paused", "canceled" or "guard".
    Column("why", String(8), nullable=False),
    Column("since_us", BigInteger, nullable=False),
)

#: A rule by which the events of an application become messages.
automation = Table(
    "automation",
    metadata,
    Column("name", String(64), primary_key=True),
    # What it sends, and when, as JSON.
    Column("wanted", Text, nullable=False),
    Column("token_id", ROW_ID, ForeignKey("token.id")),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)
