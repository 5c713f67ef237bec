"""Links of people's own and their clicks, personal codes, conversions.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """No text was shortened yet."""
    _links()
    _conversions()
    _codes()


def _partial(name: str, table: str, where: str, *columns: str) -> None:
    rows = sa.text(where)
    op.create_index(name, table, list(columns), sqlite_where=rows, postgresql_where=rows)


def _links() -> None:
    op.create_table(
        "link",
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("campaign_id", sa.String(32), nullable=False),
        sa.Column("variant", sa.Integer()),
        sa.Column("recipient_id", _ROW_ID, nullable=False),
        sa.Column("message_id", sa.String(32)),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_link_campaign_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_link_recipient_id"),
        sa.PrimaryKeyConstraint("code", name="pk_link"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_campaign", "link", ["campaign_id", "variant", "recipient_id"])
    op.create_index("ix_link_recipient", "link", ["recipient_id"])
    op.create_table(
        "click",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("bot", sa.Boolean(), nullable=False),
        sa.Column("agent", sa.String(12), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["link.code"], name="fk_click_code"),
        sa.PrimaryKeyConstraint("id", name="pk_click"),
    )
    op.create_index("ix_click_code", "click", ["code", "at_us"])


def _conversions() -> None:
    op.create_table(
        "conversion",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("campaign_id", sa.String(32)),
        sa.Column("variant", sa.Integer()),
        sa.Column("recipient_id", _ROW_ID),
        sa.Column("message_id", sa.String(32)),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("token_id", _ROW_ID, nullable=False),
        sa.Column("reference", sa.String(255)),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_conversion_campaign_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_conversion_recipient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_conversion"),
    )
    _partial("ix_conversion_campaign", "conversion", "campaign_id IS NOT NULL", "campaign_id", "id")
    _partial("ix_conversion_recipient", "conversion", "recipient_id IS NOT NULL", "recipient_id", "at_us")
    op.create_index("uq_conversion_reference", "conversion", ["token_id", "reference"], unique=True)


def _codes() -> None:
    op.create_table(
        "code_pool",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_code_pool"),
        sa.UniqueConstraint("name", name="uq_code_pool_name"),
    )
    op.create_table(
        "code",
        sa.Column("pool_id", _ROW_ID, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("recipient_id", _ROW_ID),
        sa.Column("campaign_id", sa.String(32)),
        sa.Column("taken_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["pool_id"], ["code_pool.id"], name="fk_code_pool_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_code_recipient_id"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_code_campaign_id"),
        sa.PrimaryKeyConstraint("pool_id", "code", name="pk_code"),
        sqlite_with_rowid=False,
    )
    _partial("ix_code_free", "code", "taken_us IS NULL", "pool_id", "code")
    _partial("ix_code_taken", "code", "taken_us IS NOT NULL", "code", "taken_us")
    _partial("ix_code_campaign", "code", "campaign_id IS NOT NULL", "campaign_id", "recipient_id")
