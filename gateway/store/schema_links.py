"""The tables of what campaigns lead to: links of people's own and their clicks, personal codes, conversions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.schema_base import ID, ROW_ID, metadata, partial

#: A link of one person's own. It is written in the transaction that queues the message in which it stands.
link = Table(
    "link",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("campaign_id", ID, ForeignKey("campaign.id"), nullable=False),
    # 0-based.
    Column("variant", Integer),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), nullable=False),
    Column("message_id", ID),
    # Where it leads, as the text had it.
    Column("url", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_link_campaign", link.c.campaign_id, link.c.variant, link.c.recipient_id)
Index("ix_link_recipient", link.c.recipient_id)

#: A visit to a link.
click = Table(
    "click",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("code", String(16), ForeignKey("link.code"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # Whether no person followed it, as far as one can tell.
    Column("bot", Boolean, nullable=False),
    # Who came, as a word of `gateway.rules.visitors`; what a browser says of itself is not kept.
    Column("agent", String(12), nullable=False),
)
Index("ix_click_code", click.c.code, click.c.at_us)

#: What somebody did after a message, told by the owner's application. `campaign_id` is null where no message is known
#: that it can have come from.
conversion = Table(
    "conversion",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("campaign_id", ID, ForeignKey("campaign.id")),
    Column("variant", Integer),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id")),
    Column("message_id", ID),
    Column("kind", String(64), nullable=False),
    Column("value", Float),
    Column("at_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # 0: somebody on the gateway's own host.
    Column("token_id", ROW_ID, nullable=False),
    Column("reference", String(255)),
)
_v = conversion.c
partial("ix_conversion_campaign", "campaign_id IS NOT NULL", _v.campaign_id, _v.id)
partial("ix_conversion_recipient", "recipient_id IS NOT NULL", _v.recipient_id, _v.at_us)
# The same reference of a token is the same conversion.
Index("uq_conversion_reference", _v.token_id, _v.reference, unique=True)

#: A pool of personal codes.
code_pool = Table(
    "code_pool",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

#: A code, and who has it.
code = Table(
    "code",
    metadata,
    Column("pool_id", ROW_ID, ForeignKey("code_pool.id"), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id")),
    Column("campaign_id", ID, ForeignKey("campaign.id")),
    Column("taken_us", BigInteger),
    sqlite_with_rowid=False,
)
_k = code.c
partial("ix_code_free", "taken_us IS NULL", _k.pool_id, _k.code)
partial("ix_code_taken", "taken_us IS NOT NULL", _k.code, _k.taken_us)
partial("ix_code_campaign", "campaign_id IS NOT NULL", _k.campaign_id, _k.recipient_id)
