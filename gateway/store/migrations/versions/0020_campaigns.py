"""Campaigns, who is in them, which of them are stopped; automations.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing belongs to a campaign yet."""
    _campaigns()
    _members()
    _stops()
    _automations()
    # What of a campaign waits is found for who cancels it.
    waits = sa.text("campaign_id IS NOT NULL AND status IN ('held', 'queued')")
    op.create_index(
        "ix_message_campaign_waiting", "message", ["campaign_id", "id"], sqlite_where=waits, postgresql_where=waits
    )


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("audience", sa.String(8), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("token_id", _ROW_ID),
        sa.Column("parent_id", sa.String(32)),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_us", sa.BigInteger()),
        sa.Column("started_us", sa.BigInteger()),
        sa.Column("finished_us", sa.BigInteger()),
        sa.Column("reason", sa.String(64)),
        sa.Column("winner", sa.Integer()),
        sa.Column("decided_us", sa.BigInteger()),
        sa.Column("decision", sa.Text()),
        sa.Column("stopped", sa.Text(), nullable=False, server_default="{}"),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in _COUNTS),
        sa.Column("next_us", sa.BigInteger()),
        sa.Column("worker", sa.String(64)),
        sa.Column("lease_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_campaign_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
    )
    for name, column, others in (("next", "next_us", ()), ("parent", "parent_id", ("id",))):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_campaign_{name}", "campaign", [column, *others], sqlite_where=where, postgresql_where=where
        )
    op.create_index("ix_campaign_token", "campaign", ["token_id", "id"])


_COUNTS = ("members", "queued", "left_out")


def _members() -> None:
    op.create_table(
        "campaign_member",
        sa.Column("campaign_id", sa.String(32), nullable=False),
        sa.Column("recipient_id", _ROW_ID, nullable=False),
        sa.Column("variant", sa.Integer()),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("message_id", sa.String(32)),
        sa.Column("in_test", sa.Boolean(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_campaign_member_campaign_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_campaign_member_recipient_id"),
        sa.PrimaryKeyConstraint("campaign_id", "recipient_id", name="pk_campaign_member"),
        sqlite_with_rowid=False,
    )
    waits = sa.text("state = 'waiting'")
    op.create_index(
        "ix_campaign_member_waiting",
        "campaign_member",
        ["campaign_id", "variant", "recipient_id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def _stops() -> None:
    op.create_table(
        "campaign_stop",
        sa.Column("campaign_id", sa.String(32), nullable=False),
        sa.Column("variant", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(8), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_campaign_stop_campaign_id"),
        sa.PrimaryKeyConstraint("campaign_id", "variant", name="pk_campaign_stop"),
    )


def _automations() -> None:
    op.create_table(
        "automation",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("token_id", _ROW_ID),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_automation_token_id"),
        sa.PrimaryKeyConstraint("name", name="pk_automation"),
    )
