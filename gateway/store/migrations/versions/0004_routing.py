"""Messages stand in lanes, by which a modem finds what it may take; what SIMs with limits were used for.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_QUEUED = sa.text("status = 'queued'")
# Messages that may still be queued, written as gateway.rules.routing.Lane does where no modem has prefixes.
_LANE = """
UPDATE message SET lane = (9 - priority) || '/' || category || '/' || coalesce(CAST(token_id AS VARCHAR(20)), '') || '/'
  || CASE WHEN test THEN 'test' ELSE 'live' END || '/' || coalesce(wanted_modem, '') || '//'
WHERE status IN ('held', 'queued', 'sending', 'uncertain')
"""


def upgrade() -> None:
    """A column with its index in place of two others, and two tables."""
    op.add_column("message", sa.Column("lane", sa.String(length=160), server_default="", nullable=False))
    op.execute(_LANE)
    op.drop_index("ix_message_ready", table_name="message")
    op.drop_index("ix_message_category_ready", table_name="message")
    op.create_index(
        "ix_message_lane",
        "message",
        ["lane", "due_us", "id"],
        unique=False,
        sqlite_where=_QUEUED,
        postgresql_where=_QUEUED,
    )
    _counts()


def _counts() -> None:
    op.create_table(
        "sim_count",
        sa.Column("sim", sa.String(length=320), nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("billing_day", sa.Integer(), nullable=False),
        sa.Column("minute_us", sa.BigInteger(), nullable=False),
        sa.Column("minute_parts", sa.Integer(), nullable=False),
        sa.Column("day_us", sa.BigInteger(), nullable=False),
        sa.Column("day_parts", sa.Integer(), nullable=False),
        sa.Column("month_us", sa.BigInteger(), nullable=False),
        sa.Column("month_parts", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("held_until_us", sa.BigInteger(), nullable=True),
        sa.Column("held_detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sim", name=op.f("pk_sim_count")),
    )
    op.create_table(
        "sim_person",
        sa.Column("sim", sa.String(length=320), nullable=False),
        sa.Column("recipient_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month_us", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name=op.f("fk_sim_person_recipient_id")),
        sa.PrimaryKeyConstraint("sim", "recipient_id", name=op.f("pk_sim_person")),
    )
